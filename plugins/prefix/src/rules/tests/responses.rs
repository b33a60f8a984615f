//! Redirects, and responses that are configured.

use super::*;

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
        ("/", "https://h", &[("/a?x", "https://h/a?x"), ("/", "https://h/"), ("//a", "https://h/a")]),
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
