//! Which endpoints requests name, and the cookies that make them.

use super::super::testing::facts;
use super::*;
use crate::config::{EndpointConfig, Issue};

fn endpoint(route: Option<&str>, redirect: Option<&str>, state: EndpointState) -> EndpointConfig {
    let url = format!("ws://10.0.0.1:{}", route.unwrap_or("none").len());
    let (route, redirect) = (route.map(str::to_owned), redirect.map(str::to_owned));
    EndpointConfig { route, redirect, state, ..config::parse_endpoint(&url).unwrap() }
}

fn written() -> config::StickyConfig {
    config::StickyConfig {
        cookie: Some("ROUTEID".to_owned()),
        parameter: Some("sid".to_owned()),
        separator: Some('.'),
        failover: true,
        issue: None,
    }
}

/// Members `route>redirect`, a standby with an `H` before it.
fn sticky(written: &config::StickyConfig, members: &[&str]) -> Sticky {
    let endpoints: Vec<_> = members
        .iter()
        .map(|text| {
            let (state, text) = match text.strip_prefix('H') {
                Some(rest) => (EndpointState::Standby, rest),
                None => (EndpointState::Ready, *text),
            };
            let (route, redirect) = text.split_once('>').map_or((text, None), |(route, to)| (route, Some(to)));
            endpoint((!route.is_empty()).then_some(route), redirect, state)
        })
        .collect();
    Sticky::new(written, "chat", &endpoints)
}

#[test]
fn routes_are_read_as_apache_reads_them() {
    let sticky = sticky(&written(), &["r1", "r2"]);
    let table: &[(&str, Option<&str>, &str, StickyTarget)] = &[
        ("/", None, "ROUTEID=abc.r1", StickyTarget::Named(EndpointId(0))),
        ("/", None, "ROUTEID=.r2", StickyTarget::Named(EndpointId(1))),
        ("/", None, "x=1; ROUTEID=abc.r2; y=2", StickyTarget::Named(EndpointId(1))),
        ("/", None, "ROUTEID=abc", StickyTarget::Unnamed),
        ("/", None, "ROUTEID=r1", StickyTarget::Unnamed),
        ("/", None, "ROUTEID=a.b.r2", StickyTarget::Unnamed),
        ("/", None, "ROUTEID=\"abc.r2\"", StickyTarget::Unnamed),
        ("/", None, "ROUTEID=abc.r9", StickyTarget::Unnamed),
        ("/", None, "XROUTEID=abc.r1", StickyTarget::Unnamed),
        ("/", None, "routeid=abc.r1", StickyTarget::Unnamed),
        ("/", None, "x=1", StickyTarget::Unnamed),
        ("/x;sid=abc.r1", None, "x=1", StickyTarget::Named(EndpointId(0))),
        ("/x", Some("sid=abc.r2"), "x=1", StickyTarget::Named(EndpointId(1))),
        ("/x", Some("a=1&sid=abc.r2&b=2"), "x=1", StickyTarget::Named(EndpointId(1))),
        ("/x", Some("xsid=abc.r2"), "x=1", StickyTarget::Unnamed),
        ("/x", Some("SID=abc.r2"), "x=1", StickyTarget::Unnamed),
        ("/x", Some("sid=abc.r2"), "ROUTEID=abc.r1", StickyTarget::Named(EndpointId(1))),
        ("/x;sid=abc.r1", Some("sid=abc.r2"), "x=1", StickyTarget::Named(EndpointId(0))),
        ("/x", Some("sid=abc"), "ROUTEID=abc.r1", StickyTarget::Unnamed),
        ("/x", Some("sid="), "ROUTEID=abc.r1", StickyTarget::Named(EndpointId(0))),
    ];
    for (path, query, cookie, expected) in table {
        let request = facts(path, *query, &[("cookie", cookie)]);
        assert_eq!(sticky.target(&request, |_| true), *expected, "{path} {query:?} {cookie}");
    }
}

#[test]
fn another_separator_or_none_is_followed() {
    for (separator, value, expected) in [
        (Some('!'), "abc!r1", StickyTarget::Named(EndpointId(0))),
        (Some('!'), "abc.r1", StickyTarget::Unnamed),
        (None, "r1", StickyTarget::Named(EndpointId(0))),
        (None, "abc.r1", StickyTarget::Unnamed),
    ] {
        let sticky = sticky(&config::StickyConfig { separator, ..written() }, &["r1"]);
        let request = facts("/", None, &[("cookie", &format!("ROUTEID={value}"))]);
        assert_eq!(sticky.target(&request, |_| true), expected, "{separator:?} {value}");
    }
}

#[test]
fn redirects_are_followed_to_their_end_and_no_further() {
    let table: &[(&[&str], &[u32], StickyTarget)] = &[
        (&["a>b", "b"], &[0, 1], StickyTarget::Named(EndpointId(0))),
        (&["a>b", "b"], &[1], StickyTarget::StandIn(EndpointId(1))),
        (&["a>b", "b"], &[], StickyTarget::Unavailable),
        (&["a", "b"], &[1], StickyTarget::Unavailable),
        (&["a>b", "b>c", "c"], &[2], StickyTarget::StandIn(EndpointId(2))),
        (&["a>b", "b>c", "c>a"], &[], StickyTarget::Unavailable),
        (&["a>b", "b>c", "c>b", "d"], &[3], StickyTarget::Unavailable),
        (&["Ha", "a"], &[0, 1], StickyTarget::Named(EndpointId(1))),
        (&["Ha", "a"], &[0], StickyTarget::Named(EndpointId(0))),
        (&["a>b", "Ha", "b"], &[1, 2], StickyTarget::Named(EndpointId(1))),
        (&["a>b", "Hb", "b"], &[1, 2], StickyTarget::StandIn(EndpointId(2))),
        (&["b", "", "a"], &[1], StickyTarget::Unavailable),
        (&["b", ""], &[0, 1], StickyTarget::Unnamed),
    ];
    let request = facts("/", None, &[("cookie", "ROUTEID=.a")]);
    for (members, usable, expected) in table {
        let found = sticky(&written(), members).target(&request, |id| usable.contains(&id.0));
        assert_eq!(found, *expected, "{members:?}, usable {usable:?}");
    }
}

fn issue() -> Issue {
    Issue { path: "/".to_owned(), same_site: SameSite::Lax, secure: None, http_only: true, max_age: None }
}

#[test]
fn cookies_are_written_as_configured() {
    let age = std::time::Duration::from_secs(8 * 3600);
    let table = [
        (issue(), Some('.'), false, "ROUTEID=.r1; HttpOnly; SameSite=Lax; Path=/"),
        (issue(), Some('.'), true, "ROUTEID=.r1; HttpOnly; SameSite=Lax; Secure; Path=/"),
        (issue(), None, false, "ROUTEID=r1; HttpOnly; SameSite=Lax; Path=/"),
        (
            Issue { same_site: SameSite::None, secure: Some(true), ..issue() },
            Some('!'),
            false,
            "ROUTEID=!r1; HttpOnly; SameSite=None; Secure; Path=/",
        ),
        (
            Issue {
                same_site: SameSite::Strict,
                secure: Some(false),
                http_only: false,
                max_age: Some(age),
                path: "/app".to_owned(),
            },
            Some('.'),
            true,
            "ROUTEID=.r1; SameSite=Strict; Path=/app; Max-Age=28800",
        ),
    ];
    for (issue, separator, by_tls, expected) in table {
        let written = config::StickyConfig { separator, issue: Some(issue), ..written() };
        let cookie = sticky(&written, &["r1"]).set_cookie(&facts("/", None, &[]), EndpointId(0), by_tls);
        assert_eq!(cookie.unwrap(), expected);
    }
}

#[test]
fn a_cookie_is_written_only_where_it_says_something_new() {
    let written = config::StickyConfig { issue: Some(issue()), ..written() };
    let sticky = sticky(&written, &["r1", "r2"]);
    let table = [
        ("ROUTEID=.r1", None, 0, false),
        ("ROUTEID=abc.r1", None, 0, false),
        ("ROUTEID=.r1", None, 1, true),
        ("ROUTEID=.r9", None, 0, true),
        ("x=1", None, 0, true),
        ("ROUTEID=.r1", Some("sid=.r2"), 1, true),
    ];
    for (cookie, query, endpoint, expected) in table {
        let request = facts("/", query, &[("cookie", cookie)]);
        assert_eq!(
            sticky.set_cookie(&request, EndpointId(endpoint), false).is_some(),
            expected,
            "{cookie} {query:?} {endpoint}"
        );
    }
}

#[test]
fn an_endpoint_without_a_route_gets_one_that_is_always_the_same_and_tells_no_address() {
    let written = config::StickyConfig { issue: Some(issue()), ..written() };
    let endpoints = ["ws://10.0.0.1:8080", "ws://10.0.0.2:8080"]
        .map(|url| EndpointConfig { url: url.to_owned(), ..endpoint(None, None, EndpointState::Ready) });
    let sticky = Sticky::new(&written, "chat", &endpoints);

    let cookie = sticky.set_cookie(&facts("/", None, &[]), EndpointId(1), false).unwrap();

    let (pair, _) = cookie.to_str().unwrap().split_once(';').unwrap();
    let value = pair.strip_prefix("ROUTEID=.").unwrap();
    assert_eq!(value, token("chat", "ws://10.0.0.2:8080"));
    assert!(value.len() == 12 && value.bytes().all(|byte| byte.is_ascii_hexdigit()), "{value}");
    assert_eq!(sticky.target(&facts("/", None, &[("cookie", pair)]), |_| true), StickyTarget::Named(EndpointId(1)));
    assert_eq!(token("chat", "ws://10.0.0.2:8080"), "c0215a5c5264", "the same in every process and release");
    assert_ne!(token("other", "ws://10.0.0.2:8080"), value, "clusters are told apart");
}
