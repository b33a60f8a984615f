//! What endpoints say, good and hostile, in every form.

use std::num::NonZeroUsize;

use ::http::HeaderValue;

use super::orca::HEADER as ORCA_HEADER;
use super::*;
use crate::config::OrcaField;
use crate::policy::ClusterNumbers as _;

const EXPIRY: Duration = Duration::from_secs(10);

fn signals(of: &[(&str, SignalSource)]) -> Signals {
    let all: Vec<_> = of
        .iter()
        .map(|(name, source)| SignalConfig { name: (*name).to_owned(), source: source.clone(), request: None })
        .collect();
    Signals::new(&Registry::default(), &all, EXPIRY)
}

fn json(pointer: &str) -> SignalSource {
    SignalSource::Json(pointer.to_owned())
}

fn metric(series: &str) -> SignalSource {
    SignalSource::Metric(series.parse().unwrap())
}

fn orca(field: &str) -> SignalSource {
    SignalSource::Orca(OrcaField::read(field).unwrap())
}

fn metrics() -> Arc<Metrics> {
    Metrics::new(NonZeroUsize::MIN)
}

/// The one value of the one signal, and whether something was ignored.
fn outcome(reports: &Reports) -> (Option<f64>, bool) {
    assert!(reports.taken.len() + reports.ignored.len() <= 2, "{reports:?}");
    (reports.taken.first().map(|taken| taken.2), !reports.ignored.is_empty())
}

#[test]
fn a_number_is_found_in_json() {
    let deep = "[".repeat(60_000);
    for (pointer, body, expected) in [
        ("/load/cpu", r#"{"load":{"cpu":0.25}}"#, Some(0.25)),
        ("/0/free", r#"[{"free":7}]"#, Some(7.0)),
        ("", "42", Some(42.0)),
        ("/a~1b/~0", r#"{"a/b":{"~":-1}}"#, Some(-1.0)),
        ("/load", r#"{"load":"0.25"}"#, None),
        ("/load", r#"{"load":null}"#, None),
        ("/load", r#"{"load":{"load":1}}"#, None),
        ("/load", r#"{"cpu":1}"#, None),
        ("/load", r#"{"load":1e999}"#, None),
        ("/load", r#"{"load":NaN}"#, None),
        ("/load", r#"{"load":1"#, None),
        ("/load", "", None),
        ("/load", "<html>", None),
        ("/0", &deep, None),
    ] {
        let reports = signals(&[("s", json(pointer))]).read_answer(&HeaderMap::new(), body.as_bytes());

        assert_eq!(outcome(&reports), (expected, expected.is_none()), "{pointer} {:.40}", body);
    }
}

#[test]
fn a_sample_is_found_in_a_scrape() {
    for (series, body, expected) in [
        ("free", "free 3\n", Some(3.0)),
        ("free", "# TYPE free gauge\nfree 3\n# EOF\n", Some(3.0)),
        ("free", "free_all 9\nfree 3 1395066363000\nfreedom 1\n", Some(3.0)),
        ("free", "free\t+1.5e1\r\n", Some(15.0)),
        ("free_total", "free_total 3 # {trace=\"x\"} 0.5 1.0\n", Some(3.0)),
        (r#"free{zone="a"}"#, "free{zone=\"a\",rack=\"r\"} 3\nfree{zone=\"b\"} 4\n", Some(3.0)),
        (r#"free{zone="a"}"#, "free{zone=\"\\\\a\"} 3\nfree{zone=\"a\"} -4\n", Some(-4.0)),
        ("free", "free{zone=\"a\"} 3\n", Some(3.0)),
        ("free", "free{zone=\"a\"} 3\nfree{zone=\"b\"} 4\n", None),
        (r#"free{zone="c"}"#, "free{zone=\"a\"} 3\n", None),
        ("free", "free 100", None),
        ("free", "free NaN\n", None),
        ("free", "free +Inf\n", None),
        ("free", "free -inf\n", None),
        ("free", "free\n", None),
        ("free", "free three\n", None),
        ("free", "free 3 now\n", None),
        ("free", "free{ 3\n", None),
        ("free", "", None),
        ("free", "{\"free\":3}\n", None),
    ] {
        let reports = signals(&[("s", metric(series))]).read_answer(&HeaderMap::new(), body.as_bytes());

        assert_eq!(outcome(&reports), (expected, expected.is_none()), "{series} {body}");
    }
    let binary = [b"free \xff\xfe 3\n".as_slice(), b"free 3\n"].concat();
    let reports = signals(&[("s", metric("free"))]).read_answer(&HeaderMap::new(), &binary);
    assert_eq!(outcome(&reports), (Some(3.0), false), "a line of rubbish hides no other");
}

#[test]
fn an_orca_header_is_read_in_text_and_json() {
    let cpu = "cpu_utilization";
    let long = format!("TEXT {}cpu_utilization=0.5", "named_metrics.x=1,".repeat(6_000));
    let many = format!("TEXT named_metrics.x=1,{}", "cpu_utilization=0.5,".repeat(100));
    for (field, header, expected) in [
        (cpu, "TEXT cpu_utilization=0.3", (Some(0.3), false)),
        (cpu, "TEXT cpu_utilization:0.3,mem_utilization:0.9", (Some(0.3), false)),
        (cpu, "cpu_utilization=0.3,named_metrics.x=2", (Some(0.3), false)),
        (cpu, "TEXT unknown_thing=1, cpu_utilization = 1.7 ", (Some(1.7), false)),
        ("named_metrics.x", "TEXT cpu_utilization=0.3, named_metrics.x=-2", (Some(-2.0), false)),
        ("utilization.total", "TEXT utilization.total=1", (Some(1.0), false)),
        ("eps", "JSON {\"eps\":2}", (Some(2.0), false)),
        ("rps_fractional", "JSON {\"rpsFractional\":10.5}", (Some(10.5), false)),
        (cpu, "JSON {\"cpu_utilization\":0.3,\"named_metrics\":{\"x\":2}}", (Some(0.3), false)),
        ("named_metrics.x", "JSON {\"namedMetrics\":{\"x\":2}}", (Some(2.0), false)),
        ("request_cost.tokens", "JSON {\"request_cost\":{\"tokens\":40}}", (Some(40.0), false)),
        // Says nothing of it.
        (cpu, "TEXT mem_utilization=0.5", (None, false)),
        (cpu, "JSON {}", (None, false)),
        ("named_metrics.x", "JSON {\"named_metrics\":{\"y\":2}}", (None, false)),
        // Says something that cannot be used.
        (cpu, "TEXT cpu_utilization=-0.1", (None, true)),
        (cpu, "TEXT cpu_utilization=NaN", (None, true)),
        (cpu, "TEXT cpu_utilization=inf", (None, true)),
        (cpu, "TEXT cpu_utilization=1e999", (None, true)),
        (cpu, "TEXT cpu_utilization=\"0.3\"", (None, true)),
        (cpu, "TEXT cpu_utilization=0.3,cpu_utilization=0.4", (None, true)),
        ("mem_utilization", "TEXT mem_utilization=1.1", (None, true)),
        ("named_metrics.x", "TEXT named_metrics.x=-inf", (None, true)),
        (cpu, "JSON {\"cpu_utilization\":\"0.3\"}", (None, true)),
        (cpu, "JSON {\"cpu_utilization\":-1}", (None, true)),
        // Is no report.
        (cpu, "", (None, true)),
        (cpu, "TEXT", (None, true)),
        (cpu, "TEXT cpu_utilization", (None, true)),
        (cpu, "TEXT cpu_utilization=0.3,", (None, true)),
        (cpu, "TEXT =0.3", (None, true)),
        (cpu, "BIN AAAA", (None, true)),
        (cpu, "JSON [0.3]", (None, true)),
        (cpu, "JSON {\"cpu_utilization\":0.3", (None, true)),
        (cpu, "json {\"cpu_utilization\":0.3}", (None, true)),
        (cpu, &long, (None, true)),
        (cpu, &many, (None, true)),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(ORCA_HEADER, HeaderValue::from_str(header).unwrap());

        let reports = signals(&[("s", orca(field))]).read_orca(&headers);

        assert_eq!(outcome(&reports), expected, "{field} {header:.60}");
    }
}

#[test]
fn two_orca_headers_and_bytes_that_are_no_text_are_ignored() {
    let signals = signals(&[("s", orca("cpu_utilization"))]);
    let mut two = HeaderMap::new();
    two.append(ORCA_HEADER, HeaderValue::from_static("TEXT cpu_utilization=0.3"));
    two.append(ORCA_HEADER, HeaderValue::from_static("TEXT cpu_utilization=0.4"));
    let mut bytes = HeaderMap::new();
    bytes.insert(ORCA_HEADER, HeaderValue::from_bytes(b"TEXT cpu_utilization=0.3\xff").unwrap());

    assert_eq!(outcome(&signals.read_orca(&two)), (None, true));
    assert_eq!(outcome(&signals.read_orca(&bytes)), (None, true));
    assert_eq!(outcome(&signals.read_orca(&HeaderMap::new())), (None, false), "no report is no fault");
}

#[test]
fn a_report_is_taken_out_of_a_head_only_where_it_is_wanted() {
    let (live, now, metrics) = (Live::new("ws://192.0.2.1:80"), Instant::now(), metrics());
    let mut head = HeaderMap::new();
    head.insert(ORCA_HEADER, HeaderValue::from_static("TEXT cpu_utilization=0.3"));

    signals(&[("s", SignalSource::Push)]).take_orca(&mut head, &live, &metrics);
    assert!(head.contains_key(ORCA_HEADER), "no signal wants it");

    let wanting = signals(&[("s", orca("cpu_utilization"))]);
    wanting.take_orca(&mut head, &live, &metrics);
    head.insert(ORCA_HEADER, HeaderValue::from_static("garbage"));
    wanting.take_orca(&mut head, &live, &metrics);

    assert!(head.is_empty());
    assert_eq!(wanting.readings(&live, now)[0].last.unwrap().value, 0.3, "garbage leaves it as it was");
    assert_eq!((metrics.total(Counter::OrcaTaken), metrics.total(Counter::OrcaIgnored)), (1, 1));
}

#[test]
fn heartbeats_are_read_as_mod_heartmonitor_does() {
    let long = format!("v=1&ready=1&busy=1&x={}", "0".repeat(1_000));
    for (datagram, expected) in [
        ("v=0&ready=75&busy=0", Some((75, 0, None))),
        ("v=1&ready=1&busy=9", Some((1, 9, None))),
        ("busy=2&ready=3&v=1&port=8080", Some((3, 2, Some(8080)))),
        ("v=1&ready=1&busy=2&other=x", Some((1, 2, None))),
        ("v=1&ready=1&busy=2\n", Some((1, 2, None))),
        ("ready=1&busy=2", None),
        ("v=1&ready=1", None),
        ("v=1&busy=1", None),
        ("v=1&ready=-1&busy=2", None),
        ("v=1&ready=+1&busy=2", None),
        ("v=1&ready=1.5&busy=2", None),
        ("v=1&ready=&busy=2", None),
        ("v=1&ready=4294967296&busy=2", None),
        ("v=1&ready=1&busy=2&port=65536", None),
        ("v=1&ready=1&ready=2&busy=2", None),
        ("v=1&ready=1&busy=2&", None),
        ("GET / HTTP/1.1", None),
        ("", None),
        (&long, None),
    ] {
        let read = Heartbeat::read(datagram.as_bytes()).map(|read| (read.ready, read.busy, read.port));

        assert_eq!(read, expected, "{datagram:.40}");
    }
    assert_eq!(Heartbeat::read(b"v=1&ready=\xff&busy=1"), None);

    let source = SignalSource::Heartbeat(HeartbeatField::Busy);
    let reports = signals(&[("b", source)]).read_heartbeat(&Heartbeat { ready: 3, busy: 5, port: None });
    assert_eq!(outcome(&reports), (Some(5.0), false));
}

#[test]
fn what_is_pushed_is_taken_whole_or_not_at_all() {
    let signals = signals(&[("queue", SignalSource::Push), ("cpu", json("/cpu")), ("wait", SignalSource::Push)]);

    let both = signals.read_push([("wait", 0.5), ("queue", 3.0)]).unwrap();
    assert_eq!(both.taken, [(2, ReportSource::Push, 0.5), (0, ReportSource::Push, 3.0)]);
    for (name, value, fault) in [
        ("queues", 1.0, PushFault::Unknown),
        ("cpu", 1.0, PushFault::NotPushed),
        ("wait", f64::NAN, PushFault::NotFinite),
        ("wait", f64::NEG_INFINITY, PushFault::NotFinite),
    ] {
        assert_eq!(signals.read_push([("queue", 3.0), (name, value)]), Err((name, fault)));
    }
}

#[test]
fn nothing_grows_however_much_is_said() {
    let all: Vec<_> = (0..32).map(|number| (format!("s{number}"), metric("free"))).collect();
    let all: Vec<_> = all.iter().map(|(name, source)| (name.as_str(), source.clone())).collect();
    let body = "free 1\n".repeat(9_000);

    let reports = signals(&all).read_answer(&HeaderMap::new(), body.as_bytes());

    assert_eq!((reports.taken.len(), reports.ignored.len()), (0, 32));
}

#[tokio::test(start_paused = true)]
async fn balancers_see_a_signal_until_it_expires() {
    let (registry, metrics) = (Registry::default(), metrics());
    let configured = [SignalConfig { name: "queue".to_owned(), source: SignalSource::Push, request: None }];
    let signals = Arc::new(Signals::new(&registry, &configured, EXPIRY));
    let lives = vec![Arc::new(Live::new("ws://192.0.2.1:80")), Arc::new(Live::new("ws://192.0.2.2:80"))];
    let numbers = super::super::Numbers::new(lives.clone()).with_signals(signals.clone());
    let shown = |name: &str| format!("{:?}", numbers.signal(name, &[0, 1, 9].into()));

    assert_eq!(shown("queue"), "[NaN, NaN, NaN]");
    let reports = signals.read_push([("queue", 3.0)]).unwrap();
    assert_eq!(signals.take(&reports, &lives[1], Instant::now(), &metrics), 1);

    assert_eq!(shown("queue"), "[NaN, 3.0, NaN]");
    assert_eq!(shown("other"), "[NaN, NaN, NaN]");
    tokio::time::advance(EXPIRY).await;
    assert_eq!(shown("queue"), "[NaN, NaN, NaN]");
    let seen = signals.readings(&lives[1], Instant::now());
    assert_eq!((seen[0].last.map(|last| last.value), seen[0].fresh), (Some(3.0), false));

    let next = Signals::new(&registry, &configured, EXPIRY * 2);
    let seen = next.readings(&lives[1], Instant::now());
    assert!(seen[0].fresh, "another generation finds the values of those it has kept");
}
