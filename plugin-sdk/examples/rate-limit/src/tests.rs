use std::time::Duration;

use tidegate_plugin::fake::{self, Host};

use super::*;

const CONFIG: &str = r#"{"header":"x-api-key","query":"api_key","anonymous":{"rate":0,"burst":1},
                         "keys":{"a b":{"rate":2,"burst":2},"slow":{"rate":0.1,"burst":1}}}"#;

fn plugin() -> RateLimit {
    RateLimit::configure(CONFIG, Vec::new()).unwrap()
}

fn by_query(query: &str) -> RequestLine {
    RequestLine { query: Some(query.to_owned()), ..fake::request() }
}

/// None if the request passes; else what Retry-After says.
fn refused(decision: Decision) -> Option<Option<String>> {
    match decision {
        Decision::Next => None,
        Decision::Respond(Response { status: 429, headers, .. }) => {
            Some(headers.into_iter().find(|(name, _)| name == "retry-after").map(|(_, value)| value))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_has_its_own_bucket_and_says_when_to_come_again() {
    let host = Host::new();
    let (mut first, mut second) = (plugin(), plugin());
    host.header("X-API-Key", "a b");

    assert_eq!(refused(first.route(&fake::request())), None);
    assert_eq!(refused(second.route(&fake::request())), None, "another worker, the same bucket");
    assert_eq!(refused(first.route(&fake::request())), Some(Some("1".to_owned())), "half a second, rounded up");
    host.advance(Duration::from_millis(500));
    assert_eq!(refused(first.route(&fake::request())), None);
    host.next_request().header("x-api-key", "slow");
    assert_eq!(refused(first.route(&fake::request())), None);
    assert_eq!(refused(first.route(&fake::request())), Some(Some("10".to_owned())));
    assert_eq!((host.counted("passed", "key"), host.counted("refused", "key")), (4.0, 2.0));
}

#[test]
fn a_key_may_stand_in_the_query() {
    let _host = Host::new();
    let mut plugin = plugin();

    for query in ["api_key=a%20b", "x=1&api_key=a+b&api_key=slow"] {
        assert_eq!(refused(plugin.route(&by_query(query))), None, "{query}");
    }
    assert_eq!(refused(plugin.route(&by_query("api_key=a%20b"))), Some(Some("1".to_owned())));
}

#[test]
fn made_up_keys_are_as_good_as_none() {
    let host = Host::new();
    host.client("192.0.2.1");
    let mut plugin = plugin();

    assert_eq!(refused(plugin.route(&by_query("api_key=x1"))), None);
    assert_eq!(refused(plugin.route(&by_query("api_key=x2"))), Some(None), "no rate: it is not said when");
    assert_eq!(refused(plugin.route(&by_query("api_key="))), Some(None));
    host.header("x-api-key", "from 192.0.2.1");
    assert_eq!(refused(plugin.route(&fake::request())), Some(None));
    host.next_request().client("192.0.2.2");
    assert_eq!(refused(plugin.route(&fake::request())), None, "another address");
}

#[test]
fn an_address_of_ipv6_is_its_network() {
    for (address, network) in [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("2001:db8:1:3::9", "2001:db8:1:3::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
    ] {
        assert_eq!(client::network(Some(address.to_owned())), network, "{address}");
    }
}

#[test]
fn what_is_no_rate_is_refused_with_its_sentence() {
    for (limit, path, sentence) in [
        (r#"{"rate":NaN,"burst":1}"#, "/anonymous/rate", "expected a JSON value, found NaN,\"burst"),
        (r#"{"rate":"NaN","burst":1}"#, "/anonymous/rate", "expected a number, found \"NaN\""),
        (r#"{"rate":null,"burst":1}"#, "/anonymous/rate", "expected a number, found null"),
        (r#"{"rate":-1,"burst":1}"#, "/anonymous/rate", "expected 0 to 1000000, found -1"),
        (r#"{"rate":1,"burst":0.5}"#, "/anonymous/burst", "expected 1 to 1000000, found 0.5"),
        (r#"{"rate":1}"#, "/anonymous", "missing field `burst`"),
    ] {
        let faults = RateLimit::configure(&format!(r#"{{"anonymous":{limit}}}"#), Vec::new()).unwrap_err();

        assert_eq!((&*faults[0].path, &*faults[0].message), (path, sentence), "{limit}");
    }
    let huge = RateLimit::configure(r#"{"anonymous":{"rate":1e999,"burst":1}}"#, Vec::new()).unwrap_err();
    assert_eq!(&*huge[0].path, "/anonymous/rate");
}
