//! ORCA reports in answers to upgrades: what an endpoint of long tunnels has to say, it says there or nowhere.

use std::sync::Mutex;

use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use tidegate_tests::{Admin, Origin, eventually, upgrade_request};
use tokio_tungstenite::tungstenite::Error;

use super::{Reporting, reporting};

const FREE: &str = "{ orca = \"named_metrics.free\" }";

#[tokio::test]
async fn a_report_in_a_101_steers_the_next_tunnel_and_stays_in_the_gateway() {
    static A: Mutex<&str> = Mutex::new("TEXT cpu_utilization=0.1,named_metrics.free=5");
    static B: Mutex<&str> = Mutex::new("JSON {\"named_metrics\":{\"free\":9}}");
    let origins = vec![reporting("a", &A).await, reporting("b", &B).await];
    let world = Reporting::new(origins, FREE, "signal_expiry = \"1h\"\n").await;
    let admin = Admin::of(world.gateway.inner());
    let a = format!("/api/v1/clusters/pool/endpoints?url=http://{}", world.origins[0].address());

    let mut first = world.gateway.websocket("/").await;
    assert_eq!(first.endpoint(), "a", "nobody has reported yet");
    assert_eq!(world.shown(0).await["value"], 5.0, "as soon as the tunnel is open");
    admin.good("PATCH", &a, &json!({ "state": "maint" })).await;
    let mut second = world.gateway.websocket("/").await;
    admin.good("PATCH", &a, &json!({ "state": null })).await;
    assert_eq!((second.endpoint(), &world.shown(1).await["value"]), ("b", &json!(9.0)));
    *B.lock().unwrap() = "JSON {\"namedMetrics\":{\"free\":1}}";
    let third = world.gateway.websocket("/").await;
    let fourth = world.gateway.websocket("/").await;

    assert_eq!(third.endpoint(), "b", "its 9 are more than 5");
    assert_eq!(fourth.endpoint(), "a", "b has said 1 since");
    assert_eq!((world.reports("orca"), world.ignored("orca")), (4.0, 0.0));
    for tunnel in [&first, &second, &third, &fourth] {
        assert!(!tunnel.headers().contains_key("endpoint-load-metrics"), "{:?}", tunnel.headers());
    }
    first.echo("still a tunnel").await;
    second.echo("and so is this").await;
}

#[tokio::test]
async fn a_report_in_a_101_that_is_none_is_counted_and_the_tunnel_opens() {
    static A: Mutex<&str> = Mutex::new("BIN CgkJMzMzMzMz0z8=");
    let world = Reporting::new(vec![reporting("a", &A).await], FREE, "").await;

    let mut tunnel = world.gateway.websocket("/").await;

    tunnel.echo("through").await;
    assert!(!tunnel.headers().contains_key("endpoint-load-metrics"), "{:?}", tunnel.headers());
    assert_eq!((world.reports("orca"), world.ignored("orca")), (0.0, 1.0));
    assert_eq!(world.shown(0).await["value"], Value::Null);
}

#[tokio::test]
async fn the_binary_header_of_a_101_passes_unread() {
    let report = || "CgkJMzMzMzMz0z8=".to_owned();
    let origin = Origin::named("a").saying_in("endpoint-load-metrics-bin", report).start().await;
    let world = Reporting::new(vec![origin], FREE, "").await;

    let tunnel = world.gateway.websocket("/").await;

    assert_eq!(tunnel.headers()["endpoint-load-metrics-bin"], "CgkJMzMzMzMz0z8=");
    assert_eq!((world.reports("orca"), world.ignored("orca")), (0.0, 0.0));
}

#[tokio::test]
async fn an_endpoint_that_refuses_an_upgrade_says_how_it_is_all_the_same() {
    let origin = Origin::named("a")
        .answering(|_| {
            let refusal = Response::builder().status(StatusCode::SERVICE_UNAVAILABLE);
            Some(refusal.body(http_body_util::Full::default()).unwrap())
        })
        .saying_in("endpoint-load-metrics", || "named_metrics.free=0".to_owned())
        .start()
        .await;
    let world = Reporting::new(vec![origin], FREE, "").await;

    let refused = world.gateway.try_websocket(upgrade_request("/")).await.unwrap_err();

    let Error::Http(answer) = refused else { panic!("{refused:?}") };
    assert_eq!(answer.status(), 503);
    assert!(!answer.headers().contains_key("endpoint-load-metrics"), "{answer:?}");
    assert_eq!(world.shown(0).await["value"], 0.0);
}

#[tokio::test]
async fn a_websocket_probe_brings_reports_before_the_first_client() {
    static A: Mutex<&str> = Mutex::new("TEXT named_metrics.free=1");
    static B: Mutex<&str> = Mutex::new("JSON {\"named_metrics\":{\"free\":2}}");
    let origins = vec![reporting("a", &A).await, reporting("b", &B).await];
    let health = "health = { probe = \"websocket\", path = \"/\", interval = \"100ms\" }\nsignal_expiry = \"1h\"\n";
    let world = Reporting::new(origins, FREE, health).await;

    eventually("reports of both", || world.reports("orca") >= 6.0).await;

    assert_eq!(world.gateway.websocket("/").await.endpoint(), "b");
    assert_eq!(world.shown(0).await["value"], 1.0);
}
