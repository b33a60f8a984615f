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
        ("a.example", "/a", Err(TooLong)),
        ("a.example", "/b", Err(TooLong)),
    ];

    for (host, start, expected) in table {
        let path = long(start);
        let forms = Forms::of(&path);
        assert_eq!(index.find(host, &forms).map(|hit| hit.map(|hit| hit.rule)), expected, "{host} {start}");
    }
}
