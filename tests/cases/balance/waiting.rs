//! Requests that wait for an endpoint.

use tidegate_tests::{Gateway, Origin, eventually, upgrade_request};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;

/// One endpoint that takes one at a time.
async fn narrow(origin: &Origin, keys: &str) -> Gateway {
    let text = format!(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nendpoints = [\
         {{ url = \"ws://{}\", route = \"a\", max_connections = 1 }}]\n{keys}\n",
        origin.address()
    );
    Gateway::configure(&text).start().await
}

const WAITING: &str = "tidegate_requests_waiting";
const SERVED: &str = "tidegate_waits_total{outcome=\"served\"}";
const IN_VAIN: &str = "tidegate_waits_total{outcome=\"in_vain\"}";

#[tokio::test]
async fn a_request_waits_for_room_and_is_served() {
    let origin = Origin::named("a").start().await;
    for keys in ["wait = \"1h\"", "wait = \"1h\"\nsticky = { cookie = \"R\", failover = false }"] {
        let gateway = narrow(&origin, keys).await;
        let held = gateway.websocket("/").await;

        let request = b"GET / HTTP/1.1\r\nHost: h\r\nCookie: R=.a\r\n\r\n";
        let mut waiting = gateway.raw().await;
        waiting.write(request).await;
        eventually("the request to wait", || gateway.metric(WAITING) == 1.0).await;
        assert_eq!(gateway.in_flight(&origin), 1, "who waits makes nobody busy");
        held.close().await;

        assert_eq!(waiting.read_answer().await.unwrap().status, 200, "{keys}");
        assert_eq!((gateway.metric(WAITING), gateway.metric(SERVED)), (0.0, 1.0), "{keys}");
    }
}

#[tokio::test]
async fn a_wait_ends_and_the_answer_is_503() {
    let origin = Origin::named("a").start().await;
    let gateway = narrow(&origin, "wait = \"50ms\"").await;
    let _held = gateway.websocket("/").await;

    let plain = gateway.get("/").await;
    let upgrade = gateway.try_websocket(upgrade_request("/")).await.unwrap_err();

    assert_eq!(plain.status, 503);
    assert!(matches!(&upgrade, Error::Http(response) if response.status() == 503), "{upgrade:?}");
    assert_eq!((gateway.metric(WAITING), gateway.metric(IN_VAIN)), (0.0, 2.0));
}

#[tokio::test]
async fn a_client_that_leaves_waits_no_more() {
    let origin = Origin::named("a").start().await;
    let gateway = narrow(&origin, "wait = \"1h\"").await;
    let _held = gateway.websocket("/").await;
    let mut client = TcpStream::connect(gateway.address()).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    eventually("the request to wait", || gateway.metric(WAITING) == 1.0).await;

    drop(client);

    eventually("nobody to wait", || gateway.metric(WAITING) == 0.0).await;
    assert_eq!(gateway.picks(&origin), 1, "the tunnel's");
}

#[tokio::test]
async fn nobody_waits_where_no_time_would_help() {
    let origin = Origin::named("a").start().await;
    let closed = Origin::named("closed").start().await;
    let dead = closed.address();
    drop(closed);
    for (endpoint, why) in [
        (format!("{{ url = \"ws://{}\", state = \"maint\" }}", origin.address()), "all are in maint"),
        (format!("\"ws://{dead}\""), "the only one was tried"),
    ] {
        let text = format!(
            "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nendpoints = [{endpoint}]\nwait = \"1h\"\n"
        );
        let gateway = Gateway::configure(&text).start().await;

        assert_eq!(gateway.get("/").await.status, 503, "{why}");
        assert_eq!(gateway.metric(IN_VAIN), 0.0, "{why}");
    }
}
