//! Ends that nobody planned.

use tidegate_tests::{Ca, Ending, Gateway, Origin, Raw, Websocket, eventually, upgrade_request};
use tokio::net::TcpStream;

#[tokio::test]
async fn when_the_endpoint_dies_the_client_sees_the_end() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut websocket = gateway.websocket("/").await;
    assert_eq!(gateway.in_flight(&origin), 1);

    origin.kill();

    assert_eq!(websocket.ended().await, None, "the end, and no Close frame that nobody sent");
    drop(websocket);
    eventually("busy to fall", || gateway.in_flight(&origin) == 0).await;
}

#[tokio::test]
async fn when_the_client_dies_the_endpoint_sees_the_end_and_busy_falls() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let websocket = gateway.websocket("/").await;
    assert_eq!(gateway.in_flight(&origin), 1);

    drop(websocket);

    eventually("the endpoint to see the end", || origin.endings() == [Ending::Cut]).await;
    eventually("busy to fall", || gateway.in_flight(&origin) == 0).await;
    assert!(gateway.metric("tidegate_tunnels_open") == 0.0);
}

#[tokio::test]
async fn a_reset_of_the_client_ends_the_tunnel() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.set_zero_linger().unwrap();
    let websocket = Websocket::open(Box::new(stream), upgrade_request("/")).await.unwrap().greeted().await;

    drop(websocket);

    eventually("the endpoint to see the end", || origin.endings() == [Ending::Cut]).await;
    eventually("busy to fall", || gateway.in_flight(&origin) == 0).await;
}

/// What the endpoint sees of a client that breaks a tunnel off: a reset, not an end (RFC 9113 §8.5).
#[tokio::test]
async fn a_reset_of_the_client_reaches_the_endpoint_as_one() {
    let ca = Ca::new();
    for tls in [None, Some(&ca)] {
        let (saw, mut seen) = tokio::sync::mpsc::unbounded_channel();
        let mut origin = Origin::named("a").tunnelling(move |mut raw: Raw| {
            let saw = saw.clone();
            async move { saw.send(raw.ends_properly().await).unwrap() }
        });
        if let Some(ca) = tls {
            origin = origin.tls(&ca.issue(&["localhost"]));
        }
        let origin = origin.start().await;
        let scheme = if tls.is_some() { "wss" } else { "ws" };
        let text = format!(
            "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nendpoints = [\"{scheme}://{}\"]\n\
             tls = {{ ca = \"ca.pem\", server_name = \"localhost\" }}\n",
            origin.address()
        );
        let gateway = Gateway::configure(&text).file("ca.pem", ca.pem()).start().await;
        let stream = TcpStream::connect(gateway.address()).await.unwrap();
        stream.set_zero_linger().unwrap();
        let websocket = Websocket::open(Box::new(stream), upgrade_request("/")).await.unwrap();

        drop(websocket);

        assert_eq!(seen.recv().await, Some(false), "{scheme}");
        eventually("busy to fall", || gateway.in_flight(&origin) == 0).await;
    }
}

#[tokio::test]
async fn a_polite_close_of_either_side_reaches_the_other() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let websocket = gateway.websocket("/").await;

    websocket.close().await;

    eventually("the endpoint to see the Close frame", || origin.endings() == [Ending::Closed(None)]).await;
    eventually("busy to fall", || gateway.in_flight(&origin) == 0).await;
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_gives_its_endpoint_back() {
    let origin = Origin::raw(|mut raw| async move {
        raw.read_head().await;
        raw.read_to_end().await;
    })
    .start()
    .await;
    let gateway =
        Gateway::configure("[[route]]\npath = \"/\"\nto = \"http://{raw}\"\ntimeouts = { response = \"500ms\" }\n")
            .origin(&origin)
            .start()
            .await;
    let mut raw = gateway.raw().await;
    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    eventually("the endpoint to be busy", || gateway.in_flight(&origin) == 1).await;

    drop(raw);

    eventually("busy to fall", || gateway.in_flight(&origin) == 0).await;
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_an_answer_gives_its_endpoint_back() {
    let origin = Origin::raw(|mut raw| async move {
        raw.read_head().await;
        raw.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await;
        let piece = vec![b'x'; 64 * 1024];
        for _ in 0..15_000 {
            raw.write(&piece).await;
            tokio::task::yield_now().await;
        }
    })
    .start()
    .await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;
    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    raw.read(1_000_000).await;
    assert_eq!(gateway.in_flight(&origin), 1);

    drop(raw);

    eventually("busy to fall", || gateway.in_flight(&origin) == 0).await;
    origin.kill();
}
