use tidegate_plugin::Scheme;
use tidegate_plugin::fake::{self, Edited, Host};

use super::*;

const FIVE: &str = r#"{"canary":"new","share":5}"#;
const CANARY: Decision = Decision::Forward(Target { cluster: 1, path: None, route: None });

fn canary(config: &str) -> Canary {
    Canary::configure(config, vec!["stable".to_owned(), "new".to_owned()]).unwrap()
}

/// What is decided for a visitor with these cookies.
fn visit(host: &Host, plugin: &mut Canary, cookies: &str) -> Decision {
    host.next_request().header("cookie", cookies);
    plugin.route(&fake::request())
}

#[test]
fn the_first_visit_is_drawn_and_kept_in_a_cookie() {
    let host = Host::new();
    host.chances([0.049_99, 0.05, 0.999_999]);
    let mut plugin = canary(FIVE);

    assert_eq!(plugin.route(&fake::request()), CANARY);
    let cookie = "release=499; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax".to_owned();
    assert_eq!(
        host.edits(),
        [
            Edited::Append(Side::Response, "set-cookie".to_owned(), cookie),
            Edited::Append(Side::Response, "cache-control".to_owned(), "private".to_owned()),
        ]
    );
    assert_eq!(host.noted("release").as_deref(), Some("canary"));
    host.next_request();
    let secure = RequestLine { scheme: Scheme::Https, ..fake::request() };
    assert_eq!(plugin.route(&secure), Decision::Next);
    assert!(
        matches!(&host.edits()[0], Edited::Append(_, _, value) if value.starts_with("release=500;") && value.ends_with("; Secure"))
    );
    assert_eq!(plugin.route(&fake::request()), Decision::Next);
    assert_eq!((host.counted("requests", "canary"), host.counted("requests", "stable")), (1.0, 2.0));
}

#[test]
fn who_returns_stays_and_gets_no_second_cookie() {
    let host = Host::new();
    let mut plugin = canary(FIVE);

    for (cookies, expected) in [
        ("release=0", CANARY),
        ("a=b; release=499; c", CANARY),
        ("release=500", Decision::Next),
        ("release=9999", Decision::Next),
        ("release=none; release=7", CANARY),
    ] {
        assert_eq!(visit(&host, &mut plugin, cookies), expected, "{cookies}");
        assert_eq!(host.edits(), [], "{cookies}");
    }
}

#[test]
fn a_share_that_rises_takes_in_and_one_of_none_sends_back() {
    let host = Host::new();
    let outcomes = |share: &str, cookies: &str| {
        let mut plugin = canary(&FIVE.replace('5', share));
        visit(&host, &mut plugin, cookies) == CANARY
    };

    assert_eq!([("0"), "5", "10", "100"].map(|share| outcomes(share, "release=700")), [false, false, true, true]);
    assert_eq!(["0", "0.01", "100"].map(|share| outcomes(share, "release=0")), [false, true, true]);
    assert!(outcomes("100", "release=9999") && !outcomes("99.99", "release=9999"));
    host.chances([0.0]);
    assert!(!outcomes("0", ""));
    host.chances([1.0 - f64::EPSILON]);
    assert!(outcomes("100", ""));
}

#[test]
fn forged_cookies_are_drawn_anew() {
    let host = Host::new();
    let mut plugin = canary(FIVE);

    for forged in [
        "release=canary",
        "release=-1",
        "release=10000",
        "release=",
        "release=+1",
        "release",
        "xrelease=1",
        "release=4.9",
        "release=1\u{661}",
    ] {
        host.chances([0.5]);
        assert_eq!(visit(&host, &mut plugin, forged), Decision::Next, "{forged}");
        assert_eq!(host.edits().len(), 2, "{forged}");
    }
}

#[test]
fn a_header_forces_and_draws_nothing() {
    let host = Host::new();
    let mut plugin = canary(r#"{"canary":"new","stable":"stable","share":0}"#);
    let stable = Decision::Forward(Target { cluster: 0, path: None, route: None });

    for (word, cookies, expected) in
        [("always", "", &CANARY), ("never", "", &stable), ("always", "release=9999", &CANARY)]
    {
        host.next_request().header("x-canary", word).header("cookie", cookies);
        assert_eq!(plugin.route(&fake::request()), *expected, "{word}");
        assert_eq!(host.edits(), [], "{word}");
    }
    host.next_request().header("x-canary", "perhaps");
    assert_eq!(plugin.route(&fake::request()), stable);
    assert_eq!(host.edits().len(), 2, "no word for it: drawn as everybody");
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_sentence() {
    for (config, path, sentence) in [
        ("null", "", "missing field `canary`"),
        (r#"{"canary":"new","share":101}"#, "/share", "expected 0 to 100, found 101"),
        (r#"{"canary":"new","share":-1}"#, "/share", "expected 0 to 100, found -1"),
        (
            r#"{"canary":"old","share":1}"#,
            "/canary",
            "expected the name of a cluster, found \"old\": write a [cluster] for it",
        ),
        (
            r#"{"canary":"new","share":1,"cookie":"a; Domain=b"}"#,
            "/cookie",
            "expected a cookie's name, without blanks and separators, found \"a; Domain=b\"",
        ),
    ] {
        let faults = Canary::configure(config, vec!["new".to_owned()]).unwrap_err();

        assert_eq!((&*faults[0].path, &*faults[0].message), (path, sentence), "{config}");
    }
}
