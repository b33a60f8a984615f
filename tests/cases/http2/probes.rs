//! Probes of endpoints that speak HTTP/2, and perhaps nothing else.

use bytes::Bytes;
use hyper::Response;
use tidegate::cluster::Health;
use tidegate_tests::{Ca, Gateway, Origin, OriginSetup, eventually};

use crate::health::{place, reason, standing, stands};

/// A gateway whose cluster of one is probed as `health` says, by TLS if there is a `ca`.
async fn probing(origin: &Origin, protocol: &str, health: &str, ca: Option<&Ca>) -> Gateway {
    let (scheme, tls) = match ca {
        Some(_) => ("https", "tls = { ca = \"ca.pem\", server_name = \"localhost\" }\n"),
        None => ("http", ""),
    };
    let text = format!(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nendpoints = [\"{scheme}://{}/base\"]\n\
         protocol = \"{protocol}\"\n{tls}health = {{ {health}, interval = \"100ms\", timeout = \"5s\", rise = 1, fall = 1 }}\n",
        origin.address()
    );
    let setup = Gateway::configure(&text);
    match ca {
        Some(ca) => setup.file("ca.pem", ca.pem()).start().await,
        None => setup.start().await,
    }
}

async fn is_asked(origin: &Origin, target: &str) {
    eventually("probes", || origin.seen().iter().filter(|seen| seen.target == target).count() > 1).await;
}

#[tokio::test]
async fn an_endpoint_that_speaks_nothing_else_is_asked_in_http2() {
    let origin = Origin::named("a").http2().start().await;
    let health = "probe = \"http\", path = \"/health\", body = \"/base/health\", host = \"check.test\"";
    let gateway = probing(&origin, "h2", health, None).await;

    is_asked(&origin, "/base/health").await;

    let seen = origin.seen().remove(0);
    assert_eq!((seen.version.as_str(), seen.authority.as_deref()), ("HTTP/2.0", Some("check.test")));
    assert!(seen.header("user-agent").unwrap().contains("(probe)"));
    assert_eq!(standing(&gateway, &format!("http://{}/base", place(&origin))), Health::Healthy);
}

#[tokio::test]
async fn a_status_or_body_that_is_not_good_is_named() {
    let bad = Origin::streams(|_request, mut respond| async move {
        let response = Response::builder().status(503).body(()).unwrap();
        respond.send_response(response, false).unwrap().send_data(Bytes::from_static(b"no"), true).unwrap();
    });
    let bad = bad.start().await;
    for (health, why) in [
        ("probe = \"http\", path = \"/\"", "answered 503"),
        ("probe = \"http\", path = \"/\", expect = [503], body = \"yes\"", "the answer is without the expected text"),
    ] {
        let gateway = probing(&bad, "h2", health, None).await;
        let url = format!("http://{}/base", place(&bad));
        stands(&gateway, &url, Health::Unhealthy).await;
        assert_eq!(reason(&gateway, &url), why);
    }
}

#[tokio::test]
async fn websockets_are_probed_over_http2_where_they_are_announced() {
    let origin = Origin::named("a").http2().start().await;
    let gateway = probing(&origin, "h2", "probe = \"websocket\", path = \"/ws\"", None).await;
    is_asked(&origin, "/base/ws").await;
    assert_eq!(origin.seen()[0].protocol.as_deref(), Some("websocket"));
    assert_eq!(standing(&gateway, &format!("http://{}/base", place(&origin))), Health::Healthy);

    let silent = Origin::named("b").http2_without_connect().start().await;
    let gateway = probing(&silent, "h2", "probe = \"websocket\", path = \"/\"", None).await;
    let url = format!("http://{}/base", place(&silent));
    stands(&gateway, &url, Health::Unhealthy).await;
    assert!(reason(&gateway, &url).contains("SETTINGS_ENABLE_CONNECT_PROTOCOL"), "{}", reason(&gateway, &url));
}

#[tokio::test]
async fn alpn_chooses_for_probes_too() {
    let ca = Ca::new();
    let identity = ca.issue(&["localhost"]);
    for (origin, version) in [(Origin::named("a").http2().http1_too(), "HTTP/2.0"), (Origin::named("b"), "HTTP/1.1")] {
        let origin = origin.tls(&identity).start().await;
        let _gateway = probing(&origin, "auto", "probe = \"http\", path = \"/\"", Some(&ca)).await;
        is_asked(&origin, "/base/").await;
        assert_eq!(origin.seen()[0].version, version);
    }
    let origin = Origin::named("c").http2_without_connect().http1_too().tls(&identity).start().await;
    let _gateway = probing(&origin, "auto", "probe = \"websocket\", path = \"/ws\"", Some(&ca)).await;
    is_asked(&origin, "/base/ws").await;
    assert_eq!(origin.seen()[0].version, "HTTP/1.1", "where it takes no websockets over HTTP/2");
}

#[tokio::test]
async fn an_endpoint_that_speaks_no_http2_fails_its_probes_with_the_remedy() {
    let origin = Origin::named("a").start().await;
    let gateway = probing(&origin, "h2", "probe = \"http\", path = \"/\"", None).await;
    let url = format!("http://{}/base", place(&origin));

    stands(&gateway, &url, Health::Unhealthy).await;

    let reason = reason(&gateway, &url);
    assert!(
        reason.starts_with("no connection: ")
            && reason.contains("expected SETTINGS: ")
            && reason.contains("set protocol = \"h1\""),
        "{reason}"
    );
}

/// A server of gRPC with its health service: it serves `good`, does not serve `bad`, and knows nothing else.
fn calls() -> OriginSetup {
    Origin::streams(|request, mut respond| async move {
        let is_call = request.uri().path() == "/base/grpc.health.v1.Health/Check"
            && request.headers()["content-type"] == "application/grpc"
            && request.headers()["te"] == "trailers";
        if !is_call {
            return respond.send_reset(h2::Reason::INTERNAL_ERROR);
        }
        let mut message = Vec::new();
        let mut body = request.into_body();
        while let Some(data) = body.data().await {
            message.extend_from_slice(&data.unwrap());
        }
        let head = Response::builder().header("content-type", "application/grpc");
        let status = match &message[..] {
            b"\0\0\0\0\x06\x0a\x04good" => 1,
            b"\0\0\0\0\x05\x0a\x03bad" => 2,
            other => {
                let known = if other == [0; 5] { "12" } else { "5" };
                respond.send_response(head.header("grpc-status", known).body(()).unwrap(), true).unwrap();
                return;
            }
        };
        let mut send = respond.send_response(head.body(()).unwrap(), false).unwrap();
        send.send_data(Bytes::copy_from_slice(&[0, 0, 0, 0, 2, 8, status]), false).unwrap();
        let mut trailers = hyper::HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        send.send_trailers(trailers).unwrap();
    })
}

#[tokio::test]
async fn a_server_of_grpc_is_asked_whether_it_serves() {
    let origin = calls().start().await;
    let url = format!("http://{}/base", place(&origin));

    let gateway = probing(&origin, "h2", "probe = \"grpc\", service = \"good\"", None).await;
    let labels = format!("cluster=\"pool\",endpoint=\"{url}\",outcome=\"passed\"");
    let passed = || gateway.metric(&format!("tidegate_endpoint_probes_total{{{labels}}}"));
    eventually("probes that pass", || passed() > 1.0).await;
    assert_eq!(standing(&gateway, &url), Health::Healthy);

    for (health, why) in [
        ("probe = \"grpc\", service = \"bad\"", "it says of itself: NOT_SERVING"),
        ("probe = \"grpc\", service = \"other\"", "does not know the `service`"),
        ("probe = \"grpc\"", "use probe = \"tcp\""),
        ("probe = \"http\", path = \"/\"", "is it a server of gRPC? Then use probe = \"grpc\""),
    ] {
        let gateway = probing(&origin, "h2", health, None).await;
        stands(&gateway, &url, Health::Unhealthy).await;
        let reason = reason(&gateway, &url);
        assert!(reason.contains(why), "{health}: {reason}");
    }
}

#[tokio::test]
async fn an_endpoint_that_chose_http1_serves_no_grpc() {
    let ca = Ca::new();
    let origin = Origin::named("a").tls(&ca.issue(&["localhost"])).start().await;
    let gateway = probing(&origin, "auto", "probe = \"grpc\"", Some(&ca)).await;
    let url = format!("https://{}/base", place(&origin));

    stands(&gateway, &url, Health::Unhealthy).await;
    assert_eq!(reason(&gateway, &url), "it chose HTTP/1.1, and gRPC needs HTTP/2");
}
