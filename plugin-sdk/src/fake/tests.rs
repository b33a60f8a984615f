use super::*;
use crate::{chance, clock, columns, counters, edits, limit, log, metrics, notes, request, table};

#[test]
fn what_a_test_sets_is_what_a_plugin_sees() {
    let host = Host::new();
    host.advance(Duration::from_millis(2)).column(Metric::Sent, [1.0]).column(Metric::Sent, [2.0]);
    host.signal("queue", [3.0]).client("192.0.2.1").sni("a.example").table("blue", "chat");
    host.header("Cookie", "a=1").header("cookie", "b=2");

    assert_eq!(clock::now().to_bits(), 2000_f64.to_bits());
    assert_eq!((columns::column(Metric::Sent), columns::signal("queue")), (vec![2.0], vec![3.0]));
    assert_eq!((request::client().as_deref(), request::sni().as_deref()), (Some("192.0.2.1"), Some("a.example")));
    assert_eq!((request::header("COOKIE").as_deref(), request::values("cookie").len()), (Some("a=1"), 2));
    assert_eq!((table::get("blue").as_deref(), table::get("red")), (Some("chat"), None));

    host.next_request();

    assert_eq!((request::header("cookie"), request::client(), request::sni()), (None, None, None));
}

#[test]
fn buckets_fill_as_time_passes_and_chance_is_what_a_test_says() {
    let host = Host::new();
    host.chances([0.25, 0.5]).wall(1e9);

    assert_eq!([(); 3].map(|()| limit::take("a", 10.0, 2.0)), [0, 0, 100]);
    assert_eq!(limit::take("b", 10.0, 2.0), 0, "each key has its own");
    host.advance(Duration::from_millis(100));
    assert_eq!([(); 2].map(|()| limit::take("a", 10.0, 2.0)), [0, 100]);

    assert_eq!([(); 3].map(|()| chance::number()), [0.25, 0.5, 0.0]);
    assert_eq!(clock::wall().to_bits(), 1_000_000_000.1_f64.to_bits());
}

#[test]
fn what_a_plugin_measures_can_be_read_within_the_limits_of_a_gateway() {
    let host = Host::new();
    metrics::count("hits", "a", 1.0);
    metrics::count("hits", "a", 2.0);
    metrics::level("hits", "a", -1.0);
    metrics::observe("hits", "a", 0.5);
    assert_eq!((host.counted("hits", "a").to_bits(), host.level("hits", "a")), (3_f64.to_bits(), Some(-1.0)));
    assert_eq!(host.observed("hits", "a"), [0.5]);

    (0..100).for_each(|label| metrics::level("many", &label.to_string(), 1.0));
    metrics::level("many", &"x".repeat(129), 1.0);

    let kept = (0..100).filter(|label| host.level("many", &label.to_string()).is_some()).count();
    assert_eq!((kept, host.level("many", &"x".repeat(129))), (61, None));
}

#[test]
#[should_panic(expected = "expected of `level` a name of a-z, 0-9 and _ that begins with a letter, found `9a`")]
fn a_name_that_no_scraper_could_read_is_a_panic() {
    let _host = Host::new();

    metrics::level("9a", "", 1.0);
}

#[test]
#[should_panic(expected = "expected of `take` a rate of 0 or more tokens a second, found NaN")]
fn what_is_a_fault_in_a_gateway_is_a_panic() {
    let _host = Host::new();

    let _ = limit::take("a", f64::NAN, 1.0);
}

#[test]
fn a_request_has_what_a_test_sets_until_the_next_one() {
    let host = Host::new();
    host.line(RequestLine { path: "/a".to_owned(), ..super::request() }).listener("inner").certificate("CN=a", "00");

    assert_eq!(request::line().map(|line| line.path).as_deref(), Some("/a"));
    assert_eq!(request::listener().as_deref(), Some("inner"));
    assert_eq!(
        request::certificate().map(|shown| (shown.subject, shown.fingerprint)),
        Some(("CN=a".into(), "00".into()))
    );
    host.next_request();
    assert_eq!((request::line(), request::listener(), request::certificate()), (None, None, None));
}

#[test]
fn nothing_is_left_for_the_next_test() {
    let host = Host::new();
    counters::add("picks", 1.0);
    log::info("one");
    assert_eq!((host.counter("picks").to_bits(), host.lines().len()), (1_f64.to_bits(), 1));
    drop(host);

    let host = Host::new();

    assert_eq!((host.counter("picks").to_bits(), host.lines().len()), (0, 0));
}

#[test]
fn what_a_plugin_does_beside_deciding_is_seen_until_the_next_request() {
    let host = Host::new();
    host.note("tenant", "blue");

    notes::note("user", &notes::noted("tenant").unwrap());
    edits::set(Side::Request, "x-user", "blue");
    edits::remove(Side::Response, "server");

    assert_eq!(host.noted("user").as_deref(), Some("blue"));
    let set = Edited::Set(Side::Request, "x-user".to_owned(), "blue".to_owned());
    assert_eq!(host.edits(), [set, Edited::Remove(Side::Response, "server".to_owned())]);
    host.next_request();
    assert_eq!((host.edits(), host.noted("user")), (Vec::new(), None));
}

#[test]
fn counters_have_the_limits_of_a_gateway() {
    let _host = Host::new();
    let keys = (0..1024).map(|number| number.to_string());

    assert!(keys.into_iter().all(|key| counters::add(&key, 1.0).is_some()));

    assert_eq!((counters::add("one more", 1.0), counters::add("7", 1.0)), (None, Some(2.0)));
    assert_eq!((counters::add(&"x".repeat(257), 1.0), counters::add("7", f64::INFINITY)), (None, None));
}
