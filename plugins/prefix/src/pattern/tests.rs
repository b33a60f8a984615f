use super::*;

/// A pattern, a path, and what `$0`, `$1` … hold; none if it does not match.
type Found = (&'static str, &'static str, Option<&'static [Option<&'static str>]>);

#[test]
fn patterns_match_and_fill_groups_by_every_engine() {
    let table: &[Found] = &[
        // One-pass.
        ("^/m/([a-z]+)(/.*)?$", "/m/a/b", Some(&[Some("/m/a/b"), Some("a"), Some("/b"), None])),
        ("^/m/([a-z]+)(/.*)?$", "/m/a", Some(&[Some("/m/a"), Some("a"), None])),
        ("^/m/([a-z]+)(/.*)?$", "/x/m/a", None),
        ("(?i)^/M(x)?", "/mX", Some(&[Some("/mX"), Some("X")])),
        // Found anywhere, the leftmost first.
        (r"([a-z]{1,3})\.html$", "/abcd.html", Some(&[Some("bcd.html"), Some("bcd")])),
        ("([a-z]+)([0-9]*)", "/-ab12-cd", Some(&[Some("ab12"), Some("ab"), Some("12")])),
        ("(a|ab)(c|bcd)?", "/xabcd", Some(&[Some("abcd"), Some("a"), Some("bcd")])),
        ("[0-9]*", "/7", Some(&[Some("")])),
        // Two ways on at a byte: by backtracking.
        ("/([^/]+)/([^/]+)/edit$", "/a/b/edit", Some(&[Some("/a/b/edit"), Some("a"), Some("b")])),
        ("^/(.*)/(.*)$", "/a/b/c", Some(&[Some("/a/b/c"), Some("a/b"), Some("c")])),
        (r"\bword\b", "/a-word-b", Some(&[Some("word")])),
        ("", "/a", Some(&[Some("")])),
        // No DFA of a bearable size.
        ("(a|b)*a(a|b){14}$", "/aaaaaaaaaaaaaaaa", Some(&[Some("aaaaaaaaaaaaaaaa")])),
        ("(a|b)*a(a|b){14}$", "/abbbabababbaabba", None),
    ];

    for (text, path, expected) in table {
        let regex = Regex::new(text, true).unwrap();

        let found = regex.groups(path);

        assert_eq!(regex.is_match(path.as_bytes()), expected.is_some(), "{text} {path}");
        assert_eq!(found.is_some(), expected.is_some(), "{text} {path}");
        for (number, group) in expected.iter().flat_map(|groups| groups.iter().enumerate()) {
            assert_eq!(found.as_ref().unwrap().get(number), *group, "${number} of {text} in {path}");
        }
    }
}

#[test]
fn the_eleventh_group_and_those_after_it_are_nothing() {
    let regex = Regex::new("^/(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)", true).unwrap();
    let groups = regex.groups("/abcdefghijk").unwrap();

    assert_eq!((groups.get(9), groups.get(10), groups.get(usize::MAX)), (Some("i"), None, None));
}

#[test]
fn what_is_no_pattern_is_told_in_one_line() {
    for (text, expected) in [
        ("(", "unclosed group"),
        (r"\p{Greek}", "Unicode not allowed here"),
        ("[é]", "Unicode not allowed here"),
        ("(?:x{1000}){1000}", "exceed"),
    ] {
        let error = Regex::new(text, false).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains('\n'), "{text}: {error}");
    }
}

#[test]
fn a_cost_bounds_the_path() {
    let cost = |text, asked| Regex::new(text, asked == Use::Groups).unwrap().cost(asked);
    let sum = |costs: &[Cost]| costs.iter().fold(Cost::default(), |sum, cost| sum.and(*cost));
    let ordinary = sum(&[
        cost(r"\.(jpg|png|gif|css|js)$", Use::Match),
        cost("^/api/v[0-9]+/users/([0-9]+)(/.*)?$", Use::Groups),
        cost("[0-9a-f]{64}$", Use::Match),
        cost(r"([A-Za-z0-9_-]{1,128})\.html$", Use::Groups),
        cost(r"[a-z0-9-]{8,64}\.pdf$", Use::Exclude),
    ]);
    let heavy = cost("(a|b)*a(a|b){14}$", Use::Match);
    let groups = cost("/([^/]+)/([^/]+)/edit$", Use::Groups);

    assert_eq!(Cost::default().longest(2, 9), LONGEST, "nothing to ask");
    assert_eq!(ordinary.longest(2, 9), LONGEST, "ordinary patterns take no path away");
    assert!(heavy.longest(1, 1) < LONGEST, "no DFA of it is small enough");
    assert!(heavy.longest(2, 2) < heavy.longest(1, 1), "each form is looked at");
    assert!(sum(&[heavy, heavy]).longest(1, 1) < heavy.longest(1, 1), "both may have to be asked");
    assert_eq!(sum(&[groups, groups]).groups, groups.groups, "the groups of the one that matches");
    let longest = u64::try_from(heavy.longest(2, 2)).unwrap();
    assert!(longest * heavy.per_byte(2, 2) <= BUDGET, "the longest is within the budget");
}
