use tidegate_plugin::fake;

use super::*;

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

/// Where `GET http://front.example/a//b%20c?x=1&y` leads, by a prefix that is all of it but `rest`.
fn led(to: &str, path: &str, rest: &str, query: Option<&str>) -> Result<String, NoHost> {
    let request = RequestLine {
        host: "front.example".to_owned(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        ..fake::request()
    };
    let hit = Hit { rule: 0, rest: Some(path.len() - rest.len()), groups: None };
    RedirectTarget::parse(to).unwrap().location(&hit, &request)
}

#[test]
fn names_stand_for_what_is_asked_for() {
    let table = [
        ("https://$host$path", "/a/b%20c", Some("x=1&y"), "https://front.example/a/b%20c?x=1&y"),
        ("https://$host$path", "/", None, "https://front.example/"),
        ("https://$host:8443$path?$query", "/a", Some("x"), "https://front.example:8443/a?x"),
        ("https://$host$path?$query", "/a", None, "https://front.example/a"),
        ("https://$host$path?$query#$host", "/a", Some(""), "https://front.example/a?#front.example"),
        ("https://www.$host/$$new", "/", Some("x"), "https://www.front.example/$new?x"),
        ("/login?next=$path&$query", "/a", None, "/login?next=/a"),
        ("/login?next=$path", "/a", Some("x=1"), "/login?next=/a"),
        ("/in/$host", "/", None, "/in/front.example"),
        ("/$path", "//evil.example", None, "/evil.example"),
        ("https://h$path", "//evil.example", None, "https://h//evil.example"),
        ("/cost$/x$", "/", None, "/cost$/x$"),
        ("/new?", "/", Some("x=1"), "/new"),
        ("/new?#part", "/", Some("x=1"), "/new#part"),
        ("https://h", "/", None, "https://h/"),
        ("https://h", "/", Some("x"), "https://h/?x"),
        ("https://h", "/old", None, "https://h"),
        ("/$$$host/$$$$", "/", None, "/$front.example/$$"),
    ];

    for (to, path, query, expected) in table {
        assert_eq!(led(to, path, "", query).as_deref(), Ok(expected), "{to}");
    }
}

#[test]
fn the_rest_of_a_path_follows_unless_the_whole_is_named() {
    let table = [
        ("https://$host", "/a?", "https://front.example/a"),
        ("https://$host/new", "/a", "https://front.example/new/a"),
        ("https://$host$path", "/a", "https://front.example/old/a"),
    ];

    for (to, rest, expected) in table {
        let rest = rest.trim_end_matches('?');
        assert_eq!(led(to, &format!("/old{rest}"), rest, None).as_deref(), Ok(expected), "{to}");
    }
    let bare = RedirectTarget::parse("https://$host").unwrap();
    let hit = Hit { rule: 0, rest: Some(1), groups: None };
    let request = RequestLine { path: "/a".to_owned(), ..fake::request() };
    assert_eq!(bare.location(&hit, &request).as_deref(), Ok("https://gateway.example/a"), "below a prefix of /");
}

#[test]
fn nothing_but_the_host_may_name_the_server() {
    for to in
        ["https://$1", "https://h$query", "//$query/x", "https://$$host/", "https://x$1.example$path", "https:/$1"]
    {
        let error = RedirectTarget::parse(to).map(drop).unwrap_err();
        assert!(error.0.contains("may name the server"), "{to}: {error:?}");
    }
    for to in
        ["https://$host", "https://$host:8443/$1", "//$host$path", "https://a.$host.example/$query", "https://h$path"]
    {
        assert!(RedirectTarget::parse(to).is_ok(), "{to}");
    }
}

#[test]
fn a_name_that_is_none_is_a_fault_that_lists_them() {
    for to in ["/$uri", "/$hosts", "/$Host", "/x$path2", "/x#$fragment"] {
        let error = RedirectTarget::parse(to).map(drop).unwrap_err();
        assert!(error.0.contains("expected $host, $path, $query, $1 to $9, or $$ for a $"), "{to}: {error:?}");
    }
}

#[test]
fn a_request_without_a_host_is_sent_to_none() {
    let target = RedirectTarget::parse("https://$host$path").unwrap();
    let hit = Hit { rule: 0, rest: Some(0), groups: None };
    let request = RequestLine { host: String::new(), ..fake::request() };

    assert_eq!(target.location(&hit, &request), Err(NoHost));
}
