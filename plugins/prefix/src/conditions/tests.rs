use tidegate_plugin::fake::Host;
use tidegate_plugin::{config, fake};

use super::*;

fn conditions(json: &str) -> Result<Conditions, Vec<ConfigError>> {
    Conditions::new(config::parse(json)?, "/routes/7/when")
}

fn line(method: &str, query: Option<&str>, upgrade: Option<&str>) -> RequestLine {
    RequestLine {
        method: method.to_owned(),
        query: query.map(str::to_owned),
        upgrade: upgrade.map(str::to_owned),
        ..fake::request()
    }
}

#[test]
fn the_line_of_a_request_is_compared() {
    let get = || line("GET", None, None);
    let websocket = || line("GET", None, Some("websocket"));
    let other = || line("GET", None, Some("h2c"));
    let tls = || RequestLine { scheme: Scheme::Https, ..get() };
    let table = [
        ("{}", get(), true),
        (r#"{"methods":["GET","HEAD"]}"#, get(), true),
        (r#"{"methods":["POST"]}"#, get(), false),
        (r#"{"methods":["get"]}"#, get(), false),
        (r#"{"scheme":"https"}"#, get(), false),
        (r#"{"scheme":"http"}"#, get(), true),
        (r#"{"scheme":"https"}"#, tls(), true),
        (r#"{"upgrade":true,"protocols":["websocket"]}"#, websocket(), true),
        (r#"{"upgrade":true,"protocols":["websocket"]}"#, other(), false),
        (r#"{"upgrade":false,"protocols":["websocket"]}"#, other(), true),
        (r#"{"upgrade":false,"protocols":["websocket"]}"#, websocket(), false),
        (r#"{"upgrade":true}"#, other(), true),
        (r#"{"upgrade":true}"#, get(), false),
        (r#"{"upgrade":false}"#, get(), true),
        (r#"{"upgrade":true,"methods":["POST"]}"#, websocket(), false),
    ];

    for (json, line, expected) in table {
        assert_eq!(conditions(json).unwrap().hold(&line, 1024), Ok(expected), "{json} {line:?}");
    }
}

#[test]
fn parameters_of_the_query_are_compared_without_their_escapes() {
    let table = [
        (r#"{"v":{"is":"2"}}"#, "v=2", true),
        (r#"{"v":{"is":"2"}}"#, "v=20", false),
        (r#"{"v":{"is":"2"}}"#, "vv=2&v=1&v=2", true),
        (r#"{"v":{"is":"2"}}"#, "V=2", false),
        (r#"{"v":{"is":"a b&c"}}"#, "%76=a+b%26c", true),
        (r#"{"v":{"is":""}}"#, "v", true),
        (r#"{"v":{"is":""}}"#, "", false),
        (r#"{"v":{"is":"\u00e9"}}"#, "v=%C3%A9", true),
        (r#"{"v":{"not":"2"}}"#, "v=2&v=3", false),
        (r#"{"v":{"not":"2"}}"#, "", true),
        (r#"{"v":{"regex":"^[0-9]+$"}}"#, "v=x&v=12", true),
        (r#"{"v":{"regex":"^[0-9]+$"}}"#, "v=1x", false),
        (r#"{"v":{"present":true}}"#, "a&v", true),
        (r#"{"v":{"present":true}}"#, "a=v", false),
        (r#"{"v":{"present":false}}"#, "a=v", true),
        (r#"{"v":{"present":false}}"#, "v=", false),
        (r#"{"v":{"is":"1"},"w":{"is":"2"}}"#, "v=1", false),
        (r#"{"v":{"is":"1"},"w":{"is":"2"}}"#, "w=2&v=1", true),
    ];

    for (json, query, expected) in table {
        let conditions = conditions(&format!(r#"{{"query":{json}}}"#)).unwrap();
        assert_eq!(conditions.hold(&line("GET", Some(query), None), 1024), Ok(expected), "{json} {query}");
    }
}

#[test]
fn headers_the_client_and_the_listener_are_asked_of_the_gateway() {
    let host = Host::new();
    host.header("X-Beta", "1").header("x-beta", "two words").client("10.1.2.3").listener("plain");
    let table = [
        (r#"{"headers":{"x-beta":{"is":"1"}}}"#, true),
        (r#"{"headers":{"X-BETA":{"is":"two words"}}}"#, true),
        (r#"{"headers":{"x-beta":{"is":"1, two words"}}}"#, false),
        (r#"{"headers":{"x-beta":{"not":"1"}}}"#, false),
        (r#"{"headers":{"x-alpha":{"not":"1"}}}"#, true),
        (r#"{"headers":{"x-beta":{"regex":"^two"}}}"#, true),
        (r#"{"headers":{"x-beta":{"present":false}}}"#, false),
        (r#"{"headers":{"x-alpha":{"present":false}}}"#, true),
        (r#"{"clients":["10.0.0.0/8"]}"#, true),
        (r#"{"clients":["192.0.2.1","10.1.2.3"]}"#, true),
        (r#"{"clients":["192.0.2.0/24"]}"#, false),
        (r#"{"listeners":["other","plain"]}"#, true),
        (r#"{"listeners":["other"]}"#, false),
        (r#"{"listeners":["plain"],"clients":["::/0"]}"#, false),
    ];

    for (json, expected) in table {
        assert_eq!(conditions(json).unwrap().hold(&fake::request(), 1024), Ok(expected), "{json}");
    }
    host.next_request();
    for json in [r#"{"clients":["0.0.0.0/0"]}"#, r#"{"listeners":["plain"]}"#] {
        assert_eq!(conditions(json).unwrap().hold(&fake::request(), 1024), Ok(false), "nothing is known: {json}");
    }
}

#[test]
fn a_network_is_all_addresses_that_begin_alike() {
    let host = Host::new();
    let table = [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.0.0.1", "10.0.0.1", true),
        ("10.0.0.1", "10.0.0.2", false),
        ("10.0.0.2/31", "10.0.0.3", true),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "::1", false),
        ("::/0", "2001:db8::1", true),
        ("::/0", "10.0.0.1", false),
        ("2001:db8::/33", "2001:db8:7fff::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false),
        ("::1/128", "::1", true),
    ];

    for (network, address, expected) in table {
        host.next_request();
        host.client(address);
        let conditions = conditions(&format!(r#"{{"clients":["{network}"]}}"#)).unwrap();
        assert_eq!(conditions.hold(&fake::request(), 1024), Ok(expected), "{network} {address}");
    }
    for none in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/-1", "h"] {
        assert!(conditions(&format!(r#"{{"clients":["{none}"]}}"#)).is_err(), "{none}");
    }
}

#[test]
fn patterns_do_not_look_at_what_is_too_long_for_them() {
    let host = Host::new();
    host.header("x", &"a".repeat(600)).header("x", &"b".repeat(600));
    let long = "v".repeat(1200);
    let query = conditions(r#"{"query":{"v":{"regex":"a"}}}"#).unwrap();
    let header = conditions(r#"{"headers":{"x":{"regex":"c"}}}"#).unwrap();

    assert_eq!(query.hold(&line("GET", Some(&format!("v={long}")), None), 1024), Err(TooLong::Query));
    assert_eq!(query.hold(&line("GET", Some(&format!("w={long}")), None), 1024), Ok(false), "nobody asks for that one");
    assert_eq!(header.hold(&fake::request(), 1024), Err(TooLong::Header));
    assert_eq!(header.hold(&fake::request(), 2048), Ok(false));
}

#[test]
fn faults_name_their_place() {
    let table = [
        (r#"{"headers":{"a/b":{}}}"#, "/routes/7/when/headers/a~1b"),
        (r#"{"query":{"v":{"is":"1","present":true}}}"#, "/routes/7/when/query/v"),
        (r#"{"query":{"v":{"regex":"("}}}"#, "/routes/7/when/query/v/regex"),
        (r#"{"clients":["10.0.0.0/8","10.0.0.0/40"]}"#, "/routes/7/when/clients/1"),
    ];

    for (json, place) in table {
        assert_eq!(conditions(json).map(drop).unwrap_err()[0].path, place, "{json}");
    }
}

#[test]
fn patterns_of_all_conditions_share_the_time_that_there_is() {
    let cost = |regex: &str, count: usize| {
        let json = written(regex);
        let one = conditions(&json).unwrap().cost();
        (0..count).fold(Cost::default(), |cost, _| cost.and(one))
    };

    assert_eq!(longest_value(Cost::default()), Ok(8192));
    assert_eq!(longest_value(cost("^[a-z]+$", 100)), Ok(8192));
    assert!(longest_value(cost("^[a-z]+$", 500)).is_ok_and(|longest| longest < 8192));
    let error = longest_value(cost("^[a-z]+$", 5000)).unwrap_err();
    assert!(error.message.contains("costs too much"), "{error:?}");
}

fn written(regex: &str) -> String {
    format!(r#"{{"query":{{"v":{{"regex":"{regex}"}}}}}}"#)
}
