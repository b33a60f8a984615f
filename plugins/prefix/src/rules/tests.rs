//! The vectors that were observed on Apache 2.4.71, and what this plugin adds.

use tidegate_plugin::{Scheme, config};

use super::*;

/// What the client asks for, and what is sent; none if unmatched.
type Sent = (&'static str, Option<&'static str>);

fn request(uri: &str) -> RequestLine {
    let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
    RequestLine {
        method: "GET".to_owned(),
        scheme: Scheme::Http,
        host: "front.example".to_owned(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        upgrade: None,
    }
}

fn rules(json: &str) -> Result<Rules, Vec<ConfigError>> {
    Rules::new(config::parse(json)?, &["main".to_owned(), "other".to_owned()])
}

/// `path target`, `~regex target`, `path !`: one rule a line.
fn listed(lines: &[&str]) -> Rules {
    let routes = lines.iter().map(|line| {
        let (path, target) = line.rsplit_once(' ').unwrap();
        let action = match target {
            "!" => r#""exclude""#.to_owned(),
            "-" => r#"{"forward":{"cluster":"main"}}"#.to_owned(),
            _ => format!(r#"{{"forward":{{"cluster":"main","path":"{target}"}}}}"#),
        };
        match path.strip_prefix('~') {
            Some(regex) => format!(r#"{{"path_regex":"{}","action":{action}}}"#, regex.replace('\\', r"\\")),
            None => format!(r#"{{"path":"{path}","action":{action}}}"#),
        }
    });
    rules(&format!(r#"{{"routes":[{}]}}"#, routes.collect::<Vec<_>>().join(","))).unwrap()
}

/// Path and query that would be sent; none if unmatched.
fn sent(rules: &Rules, uri: &str) -> Option<String> {
    match rules.decide(&request(uri)) {
        Decision::Forward(target) => Some(target.path.unwrap_or_else(|| uri.to_owned())),
        Decision::Unmatched => None,
        Decision::Respond(response) => panic!("{uri}: {response:?}"),
    }
}

#[test]
fn prefixes_map_as_in_apache() {
    let table: &[(&[&str], &[Sent])] = &[
        (
            &["/foo /bar"],
            &[
                ("/foo", Some("/bar")),
                ("/foo/", Some("/bar/")),
                ("/foo/x", Some("/bar/x")),
                ("/foobar", None),
                ("/Foo", None),
                ("/%66oo/x", Some("/bar/x")),
                ("/foo?x=1", Some("/bar?x=1")),
                ("/foo/a?", Some("/bar/a?")),
                ("/foo/a%20b;c=d?%zz", Some("/bar/a%20b;c=d?%zz")),
                ("/foo/a%2Fb%2f", Some("/bar/a%2Fb%2f")),
                ("/foo%2fx", None),
                // Apache merges these slashes; here the rest travels byte for byte.
                ("//foo//x", Some("/bar//x")),
            ],
        ),
        (&["/ /"], &[("//x", Some("//x")), ("//", Some("//")), ("///", Some("///")), ("//x//y?a", Some("//x//y?a"))]),
        (&["/ /base/"], &[("/x", Some("/base/x")), ("//x", Some("/base//x")), ("/", Some("/base/"))]),
        (&["/both/ /bar/"], &[("/both//x", Some("/bar//x")), ("//both/x", Some("/bar/x"))]),
        (&["/sl/ /"], &[("/sl//x", Some("//x")), ("/sl/", Some("/"))]),
        (&["/sl/ /bar"], &[("/sl", None), ("/sl/", Some("/bar")), ("/sl/barx", Some("/barbarx"))]),
        (&["/ns /bar/"], &[("/ns", Some("/bar/")), ("/ns/", Some("/bar//")), ("/ns/x", Some("/bar//x"))]),
        (&["/both/ /bar/"], &[("/both", None), ("/both/x", Some("/bar/x"))]),
        (&["/a /first", "/a/b /second"], &[("/a/b", Some("/first/b"))]),
        (&["/x//y /dbl"], &[("/x/y", Some("/dbl")), ("/x/////y/z", Some("/dbl/z"))]),
        (&["/ex/i !", "/ex/ /EX/"], &[("/ex/i/z", None), ("/ex/j", Some("/EX/j")), ("/%65x/%69/z", None)]),
        (&["/w4 -"], &[("/w4", Some("/")), ("/w4/a", Some("/a")), ("/w4?q", Some("/?q"))]),
        (&["/ -"], &[("/", Some("/")), ("/a/b", Some("/a/b"))]),
        (&["/ /"], &[("/", Some("/")), ("/a/b?q", Some("/a/b?q"))]),
        (&["/websocket /websocket"], &[("/websocket", Some("/websocket")), ("/websocket/a", Some("/websocket/a"))]),
    ];

    for (lines, requests) in table {
        let rules = listed(lines);
        for (uri, expected) in *requests {
            assert_eq!(sent(&rules, uri).as_deref(), *expected, "{lines:?} {uri}");
        }
    }
}

#[test]
fn patterns_map_as_in_apache() {
    let table: &[(&[&str], &[Sent])] = &[
        (&["~^/m1/(.*)$ /mm/$1"], &[("/m1/q/r?s=1", Some("/mm/q/r?s=1")), ("/x/m1/q", None)]),
        (&[r"~^/m2/.*\.gif$ -"], &[("/m2/p/x.gif?q=1", Some("/m2/p/x.gif?q=1"))]),
        (&[r"~^/m2/.*\.gif$ /pre"], &[("/m2/p/x.gif?q=1", Some("/pre/m2/p/x.gif?q=1"))]),
        (&["~^/m3/ !", "/m3/z /b"], &[("/m3/z", None)]),
        (&["~^/til/([a-z]+) /T/$1"], &[("/til/abc/def", Some("/T/abc"))]),
        (&["~^/rw/(.*)$ /RW/$1"], &[("/rw/a%20b?q=1", Some("/RW/a%20b?q=1"))]),
        (&["~^/q/(.*)$ /x?id=$1"], &[("/q/7?a=b", Some("/x?id=7&a=b"))]),
        (&["~^/private !", "/ -"], &[("/%70rivate", None), ("//private", None), ("/public", Some("/public"))]),
    ];

    for (lines, requests) in table {
        let rules = listed(lines);
        for (uri, expected) in *requests {
            assert_eq!(sent(&rules, uri).as_deref(), *expected, "{lines:?} {uri}");
        }
    }
}

#[test]
fn an_exclusion_cannot_be_dodged_with_another_separator() {
    let rules = listed(&["/private !", "~^/in/[a-z]+/x !", "/dir/ !", "/private%2fy /never", "/ -"]);

    for uri in [
        "/private%2fx",
        "/private%5Cx",
        r"/private\x",
        "/%2fprivate%2F%2fx",
        "/%70rivate%2fx",
        "/in%2Fa%5cx",
        "/dir%2f",
        "/private%2fy",
        "/private;x/y",
        "/private;a=b",
        "/;/private/x",
        "/;a/;b/private;c/x;d",
        "/private%3bx/y",
        "/%70rivate%3Bx",
        "/private;a%2fb",
        "/in;a/a;b/x;c",
        "/dir;x/",
        "/dir;a//;b",
        // Parameters that hold a separator, for who cuts before decoding and for who decodes before cutting.
        "/;a%2fb/private%2fx",
        "/;a%2fb%5cc/private%5cx;d",
        "/;%5Ca%2fprivate",
    ] {
        assert_eq!(sent(&rules, uri), None, "{uri}");
    }
    for uri in
        ["/privatex%2f", "/a%2fprivate/x", "/dir", "/private2%2fx", "/privat;e", "/a;/private", "/dir;x", "/x;/private"]
    {
        assert_eq!(sent(&rules, uri).as_deref(), Some(uri), "other paths go on byte for byte");
    }
}

#[test]
fn patterns_of_exclusions_see_what_servers_may_see() {
    let rules = listed(&[
        r"~^/\[x\]$ !",
        "~^/my docs(/|$) !",
        "~^/café !",
        "~^/q%3Fr$ !",
        "~^/secret(/|$) !",
        "~^/a/b$ !",
        "~^/s/[^/]+/del$ !",
        r"~\.php$ !",
        "~^/old -",
        "/ -",
    ]);

    for uri in [
        "/[x]",
        "/%5Bx%5D",
        "/%5bx]",
        "/[x];v=1",
        "/my%20docs",
        "/my%20docs;x/y",
        "/caf%C3%A9/x",
        "/caf%c3%a9",
        "/q%3fr",
        "/%71%3Fr;x",
        "/secret;x=1/y",
        "/secret%3B",
        "/;/secret",
        "/a%2fb",
        "/a;x%5cb",
        "/%61;x/b;y",
        "/s/a%5cb%2fdel",
        "/s/a%3bb%2fdel",
        "/s%2fa%2fdel;%2f",
        "/s/a;b%2fc/d%65l;e",
        "/x%3ba.php;y",
        "/x%2fy%3ba.ph%70;y%2f",
    ] {
        assert_eq!(sent(&rules, uri), None, "{uri}");
    }
    for uri in ["/x%5Bx%5D", "/my", "/cafe", "/secrets;x", "/a%252fb"] {
        assert_eq!(sent(&rules, uri).as_deref(), Some(uri), "other paths go on byte for byte");
    }
    let plain = listed(&["~^/old/x -", r"~^/\[x\] -"]);
    assert_eq!(sent(&plain, "/old;v=1/x"), None, "a route that sends somewhere takes the path as it is");
    assert_eq!(sent(&plain, "/%5Bx%5D"), None, "a route that sends somewhere takes the path as it is");
}

#[test]
fn groups_make_no_dot_segments() {
    let rules = listed(&["~^/v1(.*)$ /api/$1", "~^/v2/(.*)-(.*)$ /b/$1$2?of=$2", "~^/own(.*)$ /./x/$1", "/ -"]);

    for uri in [
        "/v1../private",
        "/v1..",
        "/v1./x",
        "/v1%2e%2E/x",
        "/v1..;a/x",
        "/v1.%2e%3ba",
        "/v1..%2fx",
        "/v1..%5cx",
        r"/v1.\x",
        "/v2/.-./x",
        "/v2/a/-../x",
        "/v2/%2e-.",
    ] {
        assert!(matches!(rules.decide(&request(uri)), Decision::Respond(response) if response.status == 400), "{uri}");
    }
    for (uri, expected) in [
        ("/v1/x", "/api//x"),
        ("/v1...", "/api/..."),
        ("/v1..a/.b?c=/../d", "/api/..a/.b?c=/../d"),
        ("/v2/a-b/.c", "/b/ab/.c?of=b/.c"),
        ("/own/x", "/./x//x"),
    ] {
        assert_eq!(sent(&rules, uri).as_deref(), Some(expected), "{uri}");
    }
}

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
fn paths_that_are_too_long_are_answered_414() {
    let rules = listed(&["/plain /to", "~^/p/(.*)$ /$1$1$1$1$1$1$1$1$1", "/long -"]);
    let status = |path: &str, query: usize| {
        let mut request = request(path);
        request.query = Some("q".repeat(query));
        match rules.decide(&request) {
            Decision::Respond(response) => {
                assert!(!response.body.is_empty(), "an answer says why");
                Some(response.status)
            }
            _ => None,
        }
    };
    let table = [
        (format!("/plain/{}", "x".repeat(30_000)), 0, None),
        (format!("/long/{}", "x".repeat(9_000)), 0, Some(414)),
        (format!("/p/{}", "x".repeat(6_000)), 0, None),
        (format!("/p/{}", "x".repeat(6_000)), 10_000, Some(414)),
        (format!("/p/{}", "x".repeat(8_000)), 0, Some(414)),
    ];

    for (path, query, expected) in table {
        assert_eq!(status(&path, query), expected, "{} bytes and {query}", path.len());
    }
}

/// What the client asks for, and the Location that it is answered with.
type Led = (&'static str, &'static str);

/// As a real Apache httpd 2.4 answers `Redirect` and `RedirectMatch`, but for the last three tables.
#[test]
fn redirects_keep_what_is_left_of_path_and_query() {
    let table: &[(&str, &str, &[Led])] = &[
        (
            "/old",
            "/new",
            &[
                ("/old", "/new"),
                ("/old/", "/new/"),
                ("/old/a/b?x=1", "/new/a/b?x=1"),
                ("/old?", "/new?"),
                ("/old/a%20b;c=%2525?z=%41%20", "/new/a%20b;c=%2525?z=%41%20"),
            ],
        ),
        ("/h", "/new?x=1", &[("/h?y=2", "/new?x=1"), ("/h/a?y=2", "/new?x=1/a")]),
        ("/abs", "https://h", &[("/abs", "https://h"), ("/abs/a?x", "https://h/a?x")]),
        ("/abs", "https://h/", &[("/abs/a?x", "https://h//a?x")]),
        ("/sl/", "/new/", &[("/sl/a?x", "/new/a?x"), ("/sl/", "/new/")]),
        ("/sl/", "/new", &[("/sl/a?x", "/newa?x")]),
        ("~^/re/(.*)$", "https://h/$1", &[("/re/a%20b?x=1", "https://h/a%20b?x=1"), ("/re/", "https://h/")]),
        ("~^/re/(.*)$", "https://h/?u=$1", &[("/re/a?b", "https://h/?u=a")]),
        ("~^/fix", "https://h/fix", &[("/fix/more?q", "https://h/fix?q")]),
        // What Apache puts behind the fragment goes before it.
        ("/f", "/new#part", &[("/f/a?y=2", "/new/a?y=2#part"), ("/f", "/new#part")]),
        // Apache makes `https://ha` of this, which is another server.
        ("/", "https://h", &[("/a?x", "https://h/a?x"), ("/", "https://h"), ("//a", "https://h/a")]),
        ("/", "//h", &[("/.evil.example", "//h/.evil.example"), ("/@evil.example", "//h/@evil.example")]),
        // Apache sends the whole URL, with its own name; the path alone would name another server.
        ("/root", "/", &[("/root/evil.example/x?y", "/evil.example/x?y"), (r"/root/\evil.example", "/evil.example")]),
    ];

    for (path, to, requests) in table {
        let (key, path) = path.strip_prefix('~').map_or(("path", *path), |regex| ("path_regex", regex));
        let route = format!(r#"{{"{key}":"{path}","action":{{"redirect":{{"to":"{to}","status":302}}}}}}"#);
        let rules = rules(&format!(r#"{{"routes":[{route}]}}"#)).unwrap();
        for (uri, expected) in *requests {
            let Decision::Respond(response) = rules.decide(&request(uri)) else { panic!("{uri}") };
            assert_eq!(response.headers, [("location".to_owned(), (*expected).to_owned())], "{path} {to} {uri}");
        }
    }
}

#[test]
fn a_group_cannot_send_clients_to_another_server() {
    let rules = rules(
        r#"{"routes":[
            {"path_regex":"^/old/(.*)$","action":{"redirect":{"to":"/$1","status":302}}},
            {"path_regex":"^/cdn/(.*)$","action":{"redirect":{"to":"//cdn.example/$1","status":302}}}
        ]}"#,
    )
    .unwrap();
    let table = [
        ("/old//evil.example", "/evil.example"),
        (r"/old/\evil.example", "/evil.example"),
        (r"/old/\/\evil.example//x", "/evil.example//x"),
        ("/old/a//b", "/a//b"),
        ("/old/", "/"),
        ("/cdn//a", "//cdn.example//a"),
    ];

    for (uri, expected) in table {
        let Decision::Respond(response) = rules.decide(&request(uri)) else { panic!("{uri}") };
        assert_eq!(response.headers, [("location".to_owned(), expected.to_owned())], "{uri}");
    }
}

#[test]
fn only_the_server_of_a_redirect_is_its_authority() {
    for (to, expected) in [
        ("https://h$1", "h$1"),
        ("https://h/$1", "h"),
        ("https:/$1", "$1"),
        ("//$1/x", "$1"),
        (r"//\$1", "$1"),
        ("//h:80$1", "h:80$1"),
        ("https://h?$1", "h"),
        ("/a:b$1", ""),
        ("/$1", ""),
    ] {
        assert_eq!(split_server(to).0, expected, "{to}");
    }
}

#[test]
fn groups_are_those_of_the_form_that_matched() {
    let rules = listed(&["~^/m/(.*)$ /$1"]);

    assert_eq!(sent(&rules, "/%6d//a").as_deref(), Some("/a"), "the normal form where the raw one does not match");
    assert_eq!(sent(&rules, "/m//a").as_deref(), Some("//a"), "raw bytes where they match");
}

#[test]
fn an_unchanged_path_is_not_sent_again() {
    let rules = listed(&["/z /z", "/same /same"]);

    let decision = rules.decide(&request("/same/a?b"));

    assert_eq!(decision, Decision::Forward(Target { cluster: 0, path: None, route: Some(1) }));
}

#[test]
fn answers_are_given_as_configured() {
    let rules = rules(
        r#"{"routes":[
            {"path":"/old","action":{"redirect":{"to":"https://h/new","status":302}}},
            {"path_regex":"^/v1/(.*)","action":{"redirect":{"to":"https://h/v2/$1","status":308}}},
            {"path":"/ok","action":{"respond":{"status":200,"headers":[["content-type","text/plain"]],"body":"hi"}}}
        ]}"#,
    )
    .unwrap();
    let table = [
        ("/old/x?y", 302, ("location", "https://h/new/x?y"), ""),
        ("/v1/a%20b", 308, ("location", "https://h/v2/a%20b"), ""),
        ("/ok", 200, ("content-type", "text/plain"), "hi"),
    ];

    for (uri, status, (name, value), body) in table {
        let Decision::Respond(response) = rules.decide(&request(uri)) else { panic!("{uri}") };
        assert_eq!((response.status, response.body), (status, body.as_bytes().to_vec()), "{uri}");
        assert_eq!(response.headers, [(name.to_owned(), value.to_owned())], "{uri}");
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

#[test]
fn a_thousand_rules_are_told_apart() {
    let lines: Vec<String> = (0..1000).map(|n| format!("/tenant{n}/x /t{n}")).collect();
    let rules = listed(&lines.iter().map(String::as_str).collect::<Vec<_>>());

    assert_eq!(sent(&rules, "/tenant999/x/y").as_deref(), Some("/t999/y"));
    assert_eq!(sent(&rules, "/tenant1000/x"), None);
}
