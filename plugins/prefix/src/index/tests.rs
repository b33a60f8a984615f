use super::*;

fn index(rules: &[(&str, &[&str])]) -> Index {
    let mut index = Index::default();
    for (number, (path, hosts)) in (0..).zip(rules) {
        let pattern = match path.strip_prefix('~') {
            Some(regex) => Pattern::Regex(Regex::new(regex, false).unwrap().into()),
            None => Pattern::Prefix((*path).to_owned()),
        };
        index.add(number, &pattern, Purpose::Plain, &hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>());
    }
    index
}

fn find(index: &Index, host: &str, path: &str) -> Option<u32> {
    index.find(host, &Forms::of(path)).unwrap().map(|hit| hit.rule)
}

#[test]
fn hosts_select_and_the_first_rule_wins_across_them() {
    let index = index(&[
        ("/x", &["a.example"]),
        ("/x", &["*.b.example", "c.example"]),
        ("/x/y", &[]),
        ("/", &["A.example", "*.deep.b.example"]),
    ]);
    let table = [
        ("a.example", "/x/y", Some(0)),
        ("a.example.", "/x", Some(0)),
        ("b.example", "/x", None),
        ("one.b.example", "/x", Some(1)),
        ("one.deep.b.example", "/x", Some(1)),
        ("one.deep.b.example", "/z", Some(3)),
        ("c.example", "/x/y", Some(1)),
        ("other.example", "/x/y", Some(2)),
        ("notb.example", "/x", None),
        (&*format!("{}b.example", "a.".repeat(30_000)), "/x", Some(1)),
    ];

    for (host, path, rule) in table {
        assert_eq!(find(&index, host, path), rule, "{host} {path}");
    }
}

#[test]
fn patterns_and_prefixes_keep_their_order() {
    let index = index(&[("~^/a/[0-9]+$", &[]), ("/a", &[]), ("~.*", &[]), ("/", &[])]);

    for (path, rule) in [("/a/7", 0), ("/a/b", 1), ("/b", 2)] {
        assert_eq!(find(&index, "h", path), Some(rule), "{path}");
    }
}

#[test]
fn a_long_path_is_refused_only_where_a_pattern_would_decide() {
    let index = index(&[("/first", &[]), ("~^/a", &["a.example"]), ("/", &[])]);
    let long = |start: &str| format!("{start}/{}", "x".repeat(LONGEST));
    let table = [
        ("a.example", "/first", Ok(Some(0))),
        ("b.example", "/a", Ok(Some(2))),
        ("a.example", "/a", Err(TooLong::Path)),
        ("a.example", "/b", Err(TooLong::Path)),
    ];

    for (host, start, expected) in table {
        let path = long(start);
        let forms = Forms::of(&path);
        assert_eq!(index.find(host, &forms).map(|hit| hit.map(|hit| hit.rule)), expected, "{host} {start}");
    }
}

/// Host, path, rules whose conditions fail; the rule that is found, and those whose conditions are asked.
type Turns = (&'static str, &'static str, &'static [u32], Option<u32>, &'static [u32]);

#[test]
fn rules_have_their_turn_until_the_conditions_of_one_hold() {
    let index = index(&[
        ("/a", &[]),
        ("/a", &["h.example"]),
        ("~^/a/b$", &["*.example"]),
        ("/a/b", &[]),
        ("/a", &[]),
        ("~/b", &[]),
        ("/", &[]),
    ]);
    let table: &[Turns] = &[
        ("h.example", "/a/b", &[], Some(0), &[0]),
        ("h.example", "/a/b", &[0, 1], Some(2), &[0, 1, 2]),
        ("h.example", "/a/b", &[0, 1, 2, 3, 4], Some(5), &[0, 1, 2, 3, 4, 5]),
        ("h.example", "/a/b", &[0, 1, 2, 3, 4, 5, 6], None, &[0, 1, 2, 3, 4, 5, 6]),
        ("other", "/a/b", &[0], Some(3), &[0, 3]),
        ("other", "/a", &[0, 4], Some(6), &[0, 4, 6]),
        ("other", "/c", &[], Some(6), &[6]),
    ];

    for &(host, path, fail, expected, asked) in table {
        let (mut seen, forms) = (Vec::new(), Forms::of(path));
        let hit = index.find_first(host, &forms, |rule| {
            seen.push(rule);
            Ok(!fail.contains(&rule))
        });

        assert_eq!(hit.unwrap().map(|hit| hit.rule), expected, "{host} {path} {fail:?}");
        assert_eq!(seen, asked, "conditions are asked of what matches alone: {host} {path} {fail:?}");
    }
}

#[test]
fn without_conditions_both_ways_of_finding_agree() {
    let index = index(&[("/x/", &[]), ("/x", &["a.example"]), ("~^/y.", &["*.example"]), ("/y", &[]), ("/x/y", &[])]);

    for host in ["a.example", "b.example", "other"] {
        for path in ["/", "/x", "/x/", "/x/y", "//x//y/z", "/y", "/yz", "/y/z", "/%78/%79"] {
            let forms = Forms::of(path);
            let one = index.find(host, &forms).unwrap().map(|hit| (hit.rule, hit.rest));
            let other = index.find_first(host, &forms, |_| Ok(true)).unwrap().map(|hit| (hit.rule, hit.rest));
            assert_eq!(one, other, "{host} {path}");
        }
    }
}
