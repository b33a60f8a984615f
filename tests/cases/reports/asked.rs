//! Signals that are asked for alone: by a path, an interval and a limit of their own, whatever probes there are.

use http_body_util::Full;
use hyper::Response;
use tidegate_tests::{Origin, OriginSetup, eventually};

use super::Reporting;

const ASKED: &str = "{ metric = \"slots{zone=\\\"x\\\"}\", path = \"/metrics\", interval = \"100ms\" }";
const KEPT: &str = "signal_expiry = \"1h\"\n";

/// What an inference server exposes: so many lines of histograms, and the one that counts behind them.
fn exposed(lines: usize, free: u32) -> String {
    let histogram: String =
        (0..lines).map(|line| format!("latency_bucket{{le=\"{line}\",model=\"m\"}} {line}\n")).collect();
    format!("# HELP slots that are free\n{histogram}slots{{zone=\"x\"}} {free}\n")
}

/// An origin that answers `/metrics` with `answer`, and says to anything else who answers.
fn exposing(name: &str, answer: impl Fn() -> Response<Full<bytes::Bytes>> + Send + Sync + 'static) -> OriginSetup {
    Origin::named(name).answering(move |seen| (seen.target == "/metrics").then(&answer))
}

fn plain(body: String) -> impl Fn() -> Response<Full<bytes::Bytes>> + Send + Sync + 'static {
    move || Response::new(body.clone().into())
}

#[tokio::test]
async fn megabytes_are_read_to_the_line_that_counts_and_no_probe_is_needed() {
    let (a, b) = (exposed(90_000, 5), exposed(90_000, 9));
    assert!(a.len() > 3 << 20 && a.len() < 4 << 20, "{}", a.len());
    let origins = vec![exposing("a", plain(a)).start().await, exposing("b", plain(b)).start().await];
    let world = Reporting::new(origins, ASKED, KEPT).await;

    eventually("reports of both", || world.reports("metric") >= 4.0).await;

    assert_eq!(world.chosen().await, "b");
    assert_eq!(
        (world.shown(0).await["value"].as_f64(), world.shown(1).await["value"].as_f64()),
        (Some(5.0), Some(9.0))
    );
    assert_eq!(world.ignored("metric"), 0.0);
}

#[tokio::test]
async fn signals_that_are_asked_for_alike_share_a_request_and_probes_are_beside_them() {
    let origin = exposing("a", plain(exposed(1, 7) + "queue 3\n")).start().await;
    let more = "queue = { metric = \"queue\", path = \"/metrics\", interval = \"100ms\" }";
    let source = format!("{ASKED}, {more}");
    let health = format!("health = {{ probe = \"http\", path = \"/healthz\", interval = \"100ms\" }}\n{KEPT}");
    let world = Reporting::new(vec![origin], &source, &health).await;

    eventually("some reports", || world.reports("metric") >= 6.0).await;

    let asked: Vec<_> = world.origins[0].seen().into_iter().map(|seen| seen.target).collect();
    let count = |target: &str| asked.iter().filter(|asked| *asked == target).count() as f64;
    assert!(count("/healthz") >= 1.0, "{asked:?}");
    assert!(count("/metrics") * 2.0 >= world.reports("metric"), "two of each response: {asked:?}");
    assert_eq!(world.ignored("metric"), 0.0);
}

#[tokio::test]
async fn what_cannot_be_read_is_counted_and_is_nothing_of_health() {
    let failing = || Response::builder().status(500).body("slots{zone=\"x\"} 1\n".into()).unwrap();
    let encoded = || Response::builder().header("content-encoding", "gzip").body(exposed(1, 1).into()).unwrap();
    let limited = ASKED.replace("interval", "limit = \"1MiB\", interval");
    let silent = Origin::raw(|mut raw| async move { while raw.read_head().await.is_some() {} });
    for (what, source, origin) in [
        ("larger than `limit`", limited.as_str(), exposing("a", plain(exposed(90_000, 1)))),
        ("500", ASKED, exposing("a", failing)),
        ("gzip", ASKED, exposing("a", encoded)),
        ("no such line", ASKED, exposing("a", plain("slots 1".to_owned()))),
        ("silent", ASKED, silent),
    ] {
        let world = Reporting::new(vec![origin.start().await], source, KEPT).await;

        eventually("some to be ignored", || world.ignored("metric") >= 2.0).await;

        assert_eq!(world.reports("metric"), 0.0, "{what}");
        assert!(world.shown(0).await["value"].is_null(), "{what}");
        let (_, clusters) = super::call(world.admin, "GET", "/api/v1/clusters", "").await;
        assert_eq!(clusters[0]["endpoints"][0]["health"], "healthy", "{what}");
    }
}

#[tokio::test]
async fn they_are_read_over_http2_as_well() {
    let origin = exposing("a", plain(exposed(20_000, 7))).http2().start().await;
    let world = Reporting::new(vec![origin], ASKED, &format!("protocol = \"h2\"\n{KEPT}")).await;

    eventually("reports", || world.reports("metric") >= 2.0).await;

    assert_eq!((world.shown(0).await["value"].as_f64(), world.ignored("metric")), (Some(7.0), 0.0));
}
