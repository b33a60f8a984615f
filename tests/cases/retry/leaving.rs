//! Clients that go before they have their answer.

use tidegate_tests::{Gateway, Origin, Raw, eventually};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Takes requests, and answers none.
async fn silent() -> Origin {
    Origin::raw(|mut raw: Raw| async move {
        raw.read_head().await;
        raw.read_to_end().await;
    })
    .start()
    .await
}

const REQUESTS: [&str; 3] = [
    "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody",
    "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
     Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
];

async fn before(origin: &Origin, half_close: bool) -> Gateway {
    let text = format!(
        "[[listen]]\naddress = \"127.0.0.1:0\"\nhalf_close = {half_close}\n[[route]]\npath = \"/\"\nto = \"http://{}\"\n",
        origin.address()
    );
    Gateway::configure(&text).start().await
}

#[tokio::test]
async fn the_endpoint_is_given_back_at_once() {
    let origin = silent().await;
    let gateway = before(&origin, false).await;
    for request in REQUESTS {
        let mut client = TcpStream::connect(gateway.address()).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        eventually("the endpoint to be busy", || gateway.in_flight(&origin) == 1).await;

        drop(client);

        eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
    }
}

#[tokio::test]
async fn a_reset_is_noticed_even_where_half_closes_are_not() {
    let origin = silent().await;
    for half_close in [false, true] {
        let gateway = before(&origin, half_close).await;
        for request in REQUESTS {
            let mut client = TcpStream::connect(gateway.address()).await.unwrap();
            client.write_all(request.as_bytes()).await.unwrap();
            eventually("the endpoint to be busy", || gateway.in_flight(&origin) == 1).await;

            client.set_zero_linger().unwrap();
            drop(client);

            eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
        }
    }
}

#[tokio::test]
async fn with_half_close_a_client_that_has_said_all_gets_its_answer() {
    let origin = Origin::named("a").start().await;
    let gateway = before(&origin, true).await;
    for request in &REQUESTS[..2] {
        let mut raw = gateway.raw().await;
        raw.write(request.as_bytes()).await;
        raw.finish().await;

        assert_eq!(raw.read_answer().await.expect("an answer").status, 200);
        assert_eq!(raw.read_to_end().await, b"", "and then it ends");
    }
    // A body that breaks off is no half-close.
    let mut raw = gateway.raw().await;
    raw.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 40\r\n\r\nbody").await;
    raw.finish().await;
    raw.read_to_end().await;
    eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
    assert_eq!(origin.seen().len(), 2);
}

#[tokio::test]
async fn answers_of_the_gateway_itself_go_out_to_everybody() {
    let text = "[[route]]\npath = \"/ok\"\nrespond = { status = 200, body = \"fine\" }\n";
    let gateway = Gateway::configure(text).start().await;
    for path in ["/ok", "/nowhere"] {
        let mut raw = gateway.raw().await;
        raw.write(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).await;
        raw.finish().await;

        let status = raw.read_answer().await.expect("an answer").status;
        assert_eq!(status, if path == "/ok" { 200 } else { 404 });
    }
}

#[tokio::test]
async fn what_comes_before_the_answer_is_not_lost_by_looking_for_the_client() {
    let go = std::sync::Arc::new(tokio::sync::Notify::new());
    let wait = go.clone();
    let origin = Origin::raw(move |mut raw: Raw| {
        let wait = wait.clone();
        async move {
            while let Some(head) = raw.read_head().await {
                wait.notified().await;
                if !head.contains("websocket") {
                    raw.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
                    continue;
                }
                raw.write(b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n").await;
                let some = raw.read(500).await;
                raw.write(&some).await;
            }
        }
    })
    .start()
    .await;
    let gateway = before(&origin, false).await;
    let mut raw = gateway.raw().await;
    let mut sent = String::new();
    for (request, next) in [(REQUESTS[0], REQUESTS[1]), (REQUESTS[1], REQUESTS[2])] {
        // What follows comes in two parts, and both before the answer.
        let (first, second) = next.split_at(20);
        raw.write(request.strip_prefix(sent.as_str()).unwrap().as_bytes()).await;
        eventually("the endpoint to be busy", || gateway.in_flight(&origin) == 1).await;
        raw.write(first.as_bytes()).await;
        tokio::task::yield_now().await;
        raw.write(second.as_bytes()).await;
        next.clone_into(&mut sent);
        go.notify_one();
        assert_eq!(raw.read_answer().await.expect("an answer").body, "ok");
    }
    eventually("the endpoint to be busy", || gateway.in_flight(&origin) == 1).await;
    let early = "0123456789".repeat(50);
    raw.write(early.as_bytes()).await;
    go.notify_one();

    assert!(raw.read_head().await.unwrap().starts_with("HTTP/1.1 101"));
    assert_eq!(raw.read(500).await, early.as_bytes());
}
