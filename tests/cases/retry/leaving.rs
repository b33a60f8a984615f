//! Clients that go before they have their answer.

use std::time::Duration;

use tidegate_tests::{Ca, Gateway, Origin, Raw, eventually};
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

/// What a client may have sent behind its request, where nobody reads it before the answer.
fn behind() -> [Vec<u8>; 6] {
    let another = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    let half = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf";
    [b"\r\n".to_vec(), b"G".to_vec(), vec![b'x'; 65], another.repeat(4), half.to_vec(), vec![b'x'; 64 * 1024]]
}

#[tokio::test]
async fn a_client_is_seen_to_leave_behind_whatever_it_has_sent() {
    let origin = silent().await;
    for half_close in [false, true] {
        let gateway = before(&origin, half_close).await;
        for (request, more, at_once, reset) in REQUESTS
            .iter()
            .flat_map(|request| behind().map(|more| (request, more)))
            .flat_map(|(request, more)| [true, false].map(|at_once| (request, more.clone(), at_once)))
            .flat_map(|(request, more, at_once)| [true, false].map(|reset| (request, more.clone(), at_once, reset)))
        {
            let mut client = TcpStream::connect(gateway.address()).await.unwrap();
            if at_once {
                client.write_all(&[request.as_bytes(), &more].concat()).await.unwrap();
            } else {
                client.write_all(request.as_bytes()).await.unwrap();
            }
            eventually("the endpoint to be busy", || gateway.in_flight(&origin) == 1).await;
            if !at_once {
                client.write_all(&more).await.unwrap();
            }

            if half_close && !reset {
                // It says all and stays, which is no leaving; then it goes.
                client.shutdown().await.unwrap();
            }
            if half_close || reset {
                client.set_zero_linger().unwrap();
            }
            drop(client);

            let what = format!("{:?} behind {:?}, {at_once} {reset}", more.len(), &request[..4]);
            eventually(&what, || gateway.in_flight(&origin) == 0).await;
        }
    }
}

#[tokio::test]
async fn a_client_is_seen_to_leave_under_tls() {
    let origin = silent().await;
    let ca = Ca::new();
    let text = "[[listen]]\naddress = \"127.0.0.1:0\"\ntls = { certificate = \"cert.pem\", key = \"cert-key.pem\" }\n\
                [[route]]\npath = \"/\"\nto = \"http://{raw}\"\n";
    let gateway = Gateway::configure(text).origin(&origin).tls(&ca, &["localhost"]).start().await;
    for more in behind() {
        let mut client = gateway.raw().await;
        client.write(&[REQUESTS[0].as_bytes(), &more].concat()).await;
        eventually("the endpoint to be busy", || gateway.in_flight(&origin) == 1).await;

        drop(client);

        eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
    }
}

/// An endpoint that sends an event now and then is not told by a write that nobody hears them.
#[tokio::test]
async fn a_client_is_seen_to_leave_in_the_middle_of_its_answer() {
    let origin = Origin::raw(|mut raw: Raw| async move {
        raw.read_head().await;
        raw.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n").await;
        raw.read_to_end().await;
    });
    let origin = origin.start().await;
    for half_close in [false, true] {
        let gateway = before(&origin, half_close).await;
        for (more, reset) in
            behind().into_iter().chain([Vec::new()]).flat_map(|more| [(more.clone(), true), (more, false)])
        {
            let client = TcpStream::connect(gateway.address()).await.unwrap();
            if half_close || reset {
                client.set_zero_linger().unwrap();
            }
            let mut client = Raw::new(Box::new(client));
            client.write(&[REQUESTS[0].as_bytes(), &more].concat()).await;
            assert!(client.read_head().await.expect("a head").starts_with("HTTP/1.1 200"));
            assert_eq!(client.read(14).await, b"B\r\ndata: one\n\n");
            assert_eq!(gateway.in_flight(&origin), 1);

            drop(client);

            eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
        }
    }
}

/// Nobody reads a body that the endpoint does not take, and so nobody would hear of its client.
#[tokio::test]
async fn a_client_is_seen_to_leave_while_its_body_is_stuck() {
    let origin = Origin::raw(|mut raw: Raw| async move {
        raw.read_head().await;
        std::future::pending::<()>().await;
    });
    let origin = origin.start().await;
    let gateway = before(&origin, false).await;
    let mut client = TcpStream::connect(gateway.address()).await.unwrap();
    client.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900000000\r\n\r\n").await.unwrap();
    eventually("the endpoint to be busy", || gateway.in_flight(&origin) == 1).await;
    let full = tokio::time::timeout(Duration::from_millis(500), client.write_all(&vec![b'x'; 200 << 20])).await;
    assert!(full.is_err(), "somebody took all of it");

    client.set_zero_linger().unwrap();
    drop(client);

    eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
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
