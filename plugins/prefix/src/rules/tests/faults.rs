//! Rules that are refused, and where the fault is said to be.

use super::*;

#[test]
fn patterns_that_would_cost_too_much_are_refused() {
    let route = |pattern: &str, to: &str| format!(r#"{{"path_regex":"{pattern}","action":{to}}}"#);
    let (plain, groups) = (r#"{"forward":{"cluster":"main"}}"#, r#"{"forward":{"cluster":"main","path":"/$1"}}"#);
    let shut = r#""exclude""#;
    let table = [
        (vec![route("([a-z]{1,30}){1,30}$", plain)], Some("/routes/0/path_regex")),
        (vec![route("^/ok", plain), route("(a|b)*a(a|b){30}$", shut)], Some("/routes/1/path_regex")),
        (vec![route("([a-z0-9-]{1,128})-([a-z0-9-]{1,128})$", groups)], Some("/routes/0/path_regex")),
        ((0..900).map(|n| route(&format!("/x{n}$"), plain)).collect(), Some("/routes/899/path_regex")),
        (vec![route("([a-z0-9-]{1,64})-([0-9]{1,9})$", groups)], None),
        (vec![route("([a-z0-9]{1,128})-([a-z0-9]{1,128})$", groups)], None),
        (vec![route("^/([^/]{1,128})/([^/]{1,128})/(.*)$", groups)], None),
        ((0..50).map(|n| route(&format!("/([^/]+)/{n}/([^/]+).(jpg|png)$"), groups)).collect(), None),
        ((0..200).map(|n| route(&format!("^/app{n}/([^/]+)$"), plain)).collect(), None),
    ];

    for (routes, place) in table {
        let errors = rules(&format!(r#"{{"routes":[{}]}}"#, routes.join(","))).err();
        let found = errors.as_ref().map(|errors| errors[0].path.as_str());
        assert_eq!(found, place, "{} {errors:?}", routes[0]);
        assert!(errors.is_none_or(|errors| errors[0].message.contains("anchor it")), "it says what to do");
    }
}

#[test]
fn faults_name_their_place() {
    let forward = r#"{"forward":{"cluster":"main"}}"#;
    let table = [
        (format!(r#"[{{"path":"foo","action":{forward}}}]"#), "/routes/0/path"),
        (
            format!(r#"[{{"path":"/","action":{forward}}},{{"path_regex":"(","action":{forward}}}]"#),
            "/routes/1/path_regex",
        ),
        (format!(r#"[{{"action":{forward}}}]"#), "/routes/0"),
        (r#"[{"path":"/","action":{"forward":{"cluster":"mian"}}}]"#.into(), "/routes/0/action/forward/cluster"),
        (
            r#"[{"path":"/","action":{"forward":{"cluster":"main","path":"x"}}}]"#.into(),
            "/routes/0/action/forward/path",
        ),
        (r#"[{"path":"/","action":{"redirect":{"to":"/x","status":200}}}]"#.into(), "/routes/0/action/redirect/status"),
        (
            r#"[{"path":"/","action":{"redirect":{"to":"https://h$1","status":302}}}]"#.into(),
            "/routes/0/action/redirect/to",
        ),
        (r#"[{"path":"/","action":{"redirect":{"to":"//$1","status":302}}}]"#.into(), "/routes/0/action/redirect/to"),
        (r#"[{"path":"/","action":{"respond":{"status":99}}}]"#.into(), "/routes/0/action/respond/status"),
        (r#"[{"path":"/","pth":1,"action":"exclude"}]"#.into(), "/routes/0/pth"),
    ];

    for (routes, place) in table {
        let errors = rules(&format!(r#"{{"routes":{routes}}}"#)).unwrap_err();
        assert_eq!(errors[0].path, place, "{errors:?}");
    }
}
