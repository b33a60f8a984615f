//! Heads of requests as the library hands them over: what is served, what is refused, what is malformed.

use std::time::Duration;

use super::*;
use crate::http::server::limits::HttpVersions;

const LIMITS: ClientLimits = ClientLimits {
    head_bytes: 8 * 1024,
    head_fields: 10,
    head_timeout: Duration::from_secs(5),
    idle_timeout: Duration::from_secs(5),
    body_timeout: Duration::from_secs(5),
    linger: Duration::from_secs(1),
    linger_bytes: 0,
    half_close: false,
    versions: HttpVersions::Any,
    streams: 10,
};

fn parts(method: &str, uri: &str, fields: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).version(Version::HTTP_2).uri(uri);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn checked(method: &str, uri: &str, fields: &[(&str, &str)]) -> Result<Parts, Unserved> {
    let mut parts = parts(method, uri, fields);
    check(&mut parts, false, &LIMITS).map(|()| parts)
}

#[test]
fn authority_and_host_name_one_host() {
    for (uri, host, same) in [
        ("https://a.example/", "a.example", true),
        ("https://a.example/", "A.Example", true),
        ("https://a.example/", "a.example:443", true),
        ("https://a.example:443/", "a.example", true),
        ("http://a.example/", "a.example:80", true),
        ("http://a.example/", "a.example:", true),
        ("http://a.example/", "a.example:443", false),
        ("https://a.example/", "b.example", false),
        ("https://a.example/", "a.example:8443", false),
        ("https://a.example/", "", false),
        ("https://a.example/", "a.example, b.example", false),
        ("https://a.example/", "user@a.example", false),
    ] {
        let found = checked("GET", uri, &[("host", host)]);
        let expected = if same { None } else { Some(Unserved::Malformed(Violation::Authorities)) };
        assert_eq!(found.err(), expected, "{uri} and {host}");
    }
}

#[test]
fn authority_is_host_where_there_is_none_and_host_alone_counts() {
    let found = checked("GET", "https://a.example:99/p", &[]).unwrap();
    assert_eq!(found.headers.get("host").unwrap(), "a.example:99");

    let found = checked("GET", "/p", &[("host", "a.example")]).unwrap();
    assert_eq!(found.headers.get("host").unwrap(), "a.example");
}

#[test]
fn a_target_is_a_path() {
    for (method, uri, served) in [
        ("GET", "https://h/", true),
        ("GET", "https://h/a?b", true),
        ("OPTIONS", "*", true),
        ("GET", "*", false),
        ("CONNECT", "h:1", true),
    ] {
        let found = checked(method, uri, &[]);
        assert_eq!(found.is_ok(), served, "{method} {uri}");
    }
    let mut no_path = parts("GET", "*", &[]);
    no_path.uri = ::http::Uri::from_parts(uri::Parts::default()).unwrap();
    assert_eq!(check(&mut no_path, false, &LIMITS), Err(Unserved::Malformed(Violation::Pseudo)));
    let mut query_alone = parts("GET", "*", &[]);
    query_alone.uri = "?q".parse().unwrap_or_else(|_| {
        let mut parts = uri::Parts::default();
        parts.path_and_query = Some(uri::PathAndQuery::from_static("?q"));
        ::http::Uri::from_parts(parts).unwrap()
    });
    assert_eq!(check(&mut query_alone, false, &LIMITS), Err(Unserved::Malformed(Violation::Pseudo)));
    let mut connect = parts("CONNECT", "h:1", &[]);
    connect.uri = ::http::Uri::default();
    assert!(check(&mut connect, false, &LIMITS).is_err(), "without an authority");
}

#[test]
fn what_is_too_much_is_refused_and_not_malformed() {
    let long = "x".repeat(9 * 1024);
    let many: Vec<_> = std::iter::repeat_n(("a", "b"), 11).collect();
    for (fields, expected) in [(&[("a", long.as_str())][..], Violation::LongHead), (&many, Violation::ManyFields)] {
        assert_eq!(checked("GET", "https://h/", fields).err(), Some(Unserved::Refused(expected)));
    }
    assert_eq!(checked("GET", "https://h/", &[("a", " b")]).err(), Some(Unserved::Malformed(Violation::Field)));
}

#[test]
fn cookies_are_joined_and_a_switch_is_a_get() {
    let mut switch = parts(
        "CONNECT",
        "https://h/chat",
        &[("cookie", "a=b"), ("cookie", "c=d"), ("sec-websocket-accept", "x"), ("sec-websocket-protocol", "p")],
    );

    check(&mut switch, true, &LIMITS).unwrap();

    assert_eq!(switch.method, Method::GET);
    assert_eq!(switch.headers.get("cookie").unwrap(), "a=b; c=d");
    assert!(!switch.headers.contains_key("sec-websocket-accept"));
    assert_eq!(switch.headers.get("sec-websocket-protocol").unwrap(), "p");
}

#[test]
fn what_is_logged_of_a_refused_request_has_its_bounds() {
    let long = format!("https://h/{}", "\u{e9}".repeat(2000));

    let refused = refused(Violation::LongHead, &parts("GET", &long, &[]), RefusalForm::Response);

    assert!(refused.target.len() <= SHOWN && refused.target.starts_with("/\u{e9}"));
}
