//! Limits of endpoints: in time and in number.

use tidegate_tests::{Gateway, Origin, eventually, upgrade_request};
use tokio_tungstenite::tungstenite::Error;

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_504() {
    let origin = Origin::raw(|mut raw| async move {
        raw.read_to_end().await;
    })
    .start()
    .await;
    let text = "[[route]]\npath = \"/\"\nto = \"http://{raw}\"\ntimeouts = { response = \"200ms\" }\n";
    let gateway = Gateway::configure(text).origin(&origin).start().await;

    let plain = gateway.get("/").await;
    let upgrade = gateway.try_websocket(upgrade_request("/")).await.unwrap_err();

    assert_eq!(plain.status, 504);
    assert!(matches!(&upgrade, Error::Http(response) if response.status() == 504), "{upgrade:?}");
    assert_eq!(origin.connections(), 2, "what was sent is not sent again");
    eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
}

#[tokio::test]
async fn an_endpoint_that_does_not_finish_its_handshake_is_504() {
    let origin = Origin::raw(|mut raw| async move {
        raw.read_to_end().await;
    })
    .start()
    .await;
    let text = "[[route]]\npath = \"/\"\nto = \"https://{raw}\"\ntimeouts = { connect = \"200ms\" }\n";
    let gateway = Gateway::configure(text).origin(&origin).start().await;

    assert_eq!(gateway.get("/").await.status, 504);
}

#[tokio::test]
async fn a_body_that_stops_is_cut_off() {
    let origin = Origin::raw(|mut raw| async move {
        raw.read_head().await;
        raw.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome").await;
        raw.read_to_end().await;
    })
    .start()
    .await;
    let text = "[[route]]\npath = \"/\"\nto = \"http://{raw}\"\ntimeouts = { response = \"200ms\" }\n";
    let gateway = Gateway::configure(text).origin(&origin).start().await;
    let mut raw = gateway.raw().await;

    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    raw.read_head().await.unwrap();
    let body = raw.read_to_end().await;

    assert_eq!(body, b"some", "a short body and the end, which is how HTTP/1.1 says it");
    eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
}

#[tokio::test]
async fn endpoints_hold_no_more_than_they_may() {
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nendpoints = [\
                { url = \"ws://{a}\", max_connections = 1 }, { url = \"ws://{b}\", max_connections = 2 }]\n";
    let gateway = Gateway::configure(text).origin(&a).origin(&b).start().await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(gateway.websocket("/").await);
    }

    let full = gateway.try_websocket(upgrade_request("/")).await.unwrap_err();
    let plain = gateway.get("/").await;

    assert_eq!((a.open(), b.open()), (1, 2));
    assert!(matches!(&full, Error::Http(response) if response.status() == 503), "{full:?}");
    assert_eq!(plain.status, 503, "a request takes a place as a tunnel does");
    held.remove(0).close().await;
    eventually("room", || gateway.in_flight(&a) + gateway.in_flight(&b) == 2).await;
    gateway.websocket("/").await.echo("room again").await;
}

#[tokio::test]
async fn a_client_that_stops_in_its_body_is_not_waited_for() {
    let origin = Origin::named("a").start().await;
    let text = "[[route]]\npath = \"/\"\nto = \"http://{a}\"\ntimeouts = { response = \"200ms\" }\n";
    let gateway = Gateway::configure(text).origin(&origin).start().await;
    let mut raw = gateway.raw().await;

    raw.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nsome").await;
    let answer = raw.read_answer().await;

    assert_eq!(answer.unwrap().status, 408, "it is the client that is late");
    eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
    assert!(origin.seen().is_empty());
    let failures: u64 =
        gateway.inner().registry().all().iter().flat_map(|(_, all)| all).map(|one| one.failures()).sum();
    assert_eq!(failures, 0, "nor is the endpoint blamed");
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_let_go() {
    let big = bytes::Bytes::from(vec![b'x'; 64 << 20]);
    let origin = Origin::named("a")
        .answering(move |_| Some(hyper::Response::new(http_body_util::Full::new(big.clone()))))
        .start()
        .await;
    let text = "[[listen]]\naddress = \"127.0.0.1:0\"\nlimits = { idle_timeout = \"300ms\" }\n\
                [[route]]\npath = \"/\"\nto = \"http://{a}\"\n";
    let gateway = Gateway::configure(text).origin(&origin).start().await;
    let mut raw = gateway.raw().await;

    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;

    eventually("the request to be under way", || gateway.picks(&origin) == 1).await;
    eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
    let taken = raw.read_to_end().await.len();
    assert!(taken < 64 << 20, "the answer was cut: {taken} bytes came");
}

/// A body that is handed over whole may still be on its way for long: only what stands still is cut.
#[tokio::test]
async fn a_client_that_takes_its_answer_slowly_gets_all_of_it() {
    let big = bytes::Bytes::from(vec![b'x'; 16 << 20]);
    let origin = Origin::named("a")
        .answering(move |_| Some(hyper::Response::new(http_body_util::Full::new(big.clone()))))
        .start()
        .await;
    let text = "[[listen]]\naddress = \"127.0.0.1:0\"\nlimits = { idle_timeout = \"3s\" }\n\
                [[route]]\npath = \"/\"\nto = \"http://{a}\"\n";
    let gateway = Gateway::configure(text).origin(&origin).start().await;
    let mut raw = gateway.raw().await;
    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let head = raw.read_head().await.unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");

    let mut taken = 0;
    let mut pace = tokio::time::interval(std::time::Duration::from_millis(60));
    while taken < 16 << 20 {
        pace.tick().await;
        taken += raw.read(256 << 10).await.len();
    }

    assert_eq!(taken, 16 << 20);
}
