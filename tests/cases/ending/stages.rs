//! Answers that come before their requests have been read: the connection is closed in stages (RFC 9112 §9.6), and the
//! client that looks at its answer only when it has sent everything gets it.

use std::time::Duration;

use tidegate_tests::{Ca, Gateway, Origin, Raw, eventually, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Less than a connection may still send behind its answer.
const SOME: usize = 640 * 1024;

/// What an endpoint says that wants no body.
const TOO_LARGE: &[u8] = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig";

/// Answers of the gateway, and of two endpoints: one that takes leave properly, and one that breaks off.
const ROUTES: &str = r#"
    [[route]]
    path = "/respond"
    respond = { status = 403, body = "no" }
    [[route]]
    path = "/redirect"
    redirect = { to = "/elsewhere" }
    [[route]]
    path = "/shut"
    to = "!"
    [[route]]
    path = "/down"
    to = "http://{down}"
    [[route]]
    path = "/polite"
    to = "http://{polite}"
    [[route]]
    path = "/rude"
    to = "http://{rude}"
"#;

/// One gateway for each kind of listener, whose `limits` are these.
async fn gateways(limits: &str) -> Vec<(Gateway, [Origin; 2])> {
    let mut gateways = Vec::new();
    for ca in [None, Some(Ca::new())] {
        let polite = Origin::raw(|mut raw| async move {
            raw.read_head().await;
            raw.write(TOO_LARGE).await;
            raw.finish().await;
            raw.read_to_end().await;
        });
        let polite = polite.start().await;
        // Dropped with bytes unread, its socket is reset.
        let rude = Origin::raw(|mut raw| async move {
            raw.read_head().await;
            raw.read(1).await;
            raw.write(TOO_LARGE).await;
        });
        let rude = rude.start().await;
        let tls = if ca.is_some() { "tls = { certificate = \"cert.pem\", key = \"cert-key.pem\" }\n" } else { "" };
        let text = format!("[[listen]]\naddress = \"127.0.0.1:0\"\nlimits = {{ {limits} }}\n{tls}{ROUTES}");
        let down = Origin::reserved();
        let setup = Gateway::configure(&text)
            .put("down", down.address())
            .put("polite", polite.address())
            .put("rude", rude.address());
        let setup = if let Some(ca) = &ca { setup.tls(ca, &["localhost"]) } else { setup };
        gateways.push((setup.start().await, [polite, rude]));
    }
    gateways
}

/// Sends `size` bytes in pieces, as clients do that do not read meanwhile. False if the connection did not take them.
async fn push(raw: &mut Raw, size: usize) -> bool {
    let piece = vec![b'x'; 16 * 1024];
    for _ in 0..size / piece.len() {
        if !raw.try_write(&piece).await {
            return false;
        }
    }
    true
}

fn post(path: &str, size: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n")
}

#[tokio::test]
async fn a_client_that_sends_everything_first_gets_every_refusal() {
    let both = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunks = "POST /respond HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n";
    let expects = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\nExpect: a-miracle\r\n\r\n";
    let cases = [
        ("a route that answers", post("/respond", 9_000_000), 403),
        ("a redirect", post("/redirect", 9_000_000), 302),
        ("no route", post("/nowhere", 9_000_000), 404),
        ("a route that leads nowhere", post("/shut/x", 9_000_000), 404),
        ("an endpoint that is down", post("/down", 9_000_000), 503),
        ("an endpoint that refuses", post("/polite", 9_000_000), 413),
        ("an endpoint that refuses and breaks off", post("/rude", 9_000_000), 413),
        ("two lengths", both.to_owned(), 400),
        ("chunks that are none", chunks.to_owned(), 400),
        (
            "a target that is none",
            "POST nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\n\r\n".to_owned(),
            400,
        ),
        ("no host", "POST / HTTP/1.1\r\nContent-Length: 9000000\r\n\r\n".to_owned(), 400),
        ("a head that is too long", "GET / HTTP/1.1\r\nHost: h\r\nX: ".to_owned(), 431),
        ("a head that is none", "G(T / HTTP/1.1\r\n".to_owned(), 400),
        ("the last request", post("/respond", 9_000_000).replace("Host: h", "Host: h\r\nConnection: close"), 403),
        ("what nobody can fulfil", expects.to_owned(), 417),
    ];
    for (gateway, _origins) in gateways("").await {
        for (what, head, status) in &cases {
            let mut raw = gateway.raw().await;
            raw.write(head.as_bytes()).await;

            let sent = push(&mut raw, SOME).await;
            let answer = raw.read_answer().await.unwrap_or_else(|| panic!("{what}: no answer"));

            assert!(sent, "{what}: the connection broke while the client sent");
            assert_eq!(answer.status, *status, "{what}");
            assert_eq!(answer.header("connection"), "close", "{what}: nobody reads the rest");
            assert!(raw.ends_properly().await, "{what}: the end is no reset");
        }
    }
}

#[tokio::test]
async fn one_that_sends_more_than_is_taken_gets_its_answer_too() {
    for (gateway, _origins) in gateways("linger = \"300ms\", linger_bytes = \"64KiB\"").await {
        for (path, status) in [("/respond", 403), ("/polite", 413)] {
            const MUCH: usize = 64 << 20;
            let mut raw = gateway.raw().await;
            raw.write(post(path, MUCH).as_bytes()).await;

            let sent = push(&mut raw, MUCH).await;
            let answer = raw.read_answer().await;

            assert!(!sent, "{path}: it was not listened to for ever");
            assert_eq!(answer.expect("an answer").status, status, "{path}");
        }
    }
}

#[tokio::test]
async fn the_end_is_said_before_the_client_has_sent_anything_more() {
    for (gateway, _origins) in gateways("linger = \"1h\"").await {
        let mut raw = gateway.raw().await;

        raw.write(post("/respond", 100).as_bytes()).await;

        assert_eq!(raw.read_answer().await.unwrap().status, 403);
        assert!(raw.ends_properly().await);
        raw.finish().await;
        eventually("the connection to be over", || gateway.metric("tidegate_connections_open") == 0.0).await;
    }
}

#[tokio::test]
async fn a_client_that_neither_sends_nor_leaves_is_left_after_a_while() {
    for (gateway, _origins) in gateways("linger = \"100ms\"").await {
        let mut raw = gateway.raw().await;
        raw.write(post("/respond", 100).as_bytes()).await;

        eventually("the connection to be over", || {
            gateway.metric("tidegate_connections_total") == 1.0 && gateway.metric("tidegate_connections_open") == 0.0
        })
        .await;

        assert_eq!(raw.read_answer().await.unwrap().status, 403);
    }
}

/// A body that came with its head is no reason to end the connection.
#[tokio::test]
async fn a_connection_whose_request_was_read_is_kept() {
    for (gateway, _origins) in gateways("").await {
        let mut raw = gateway.raw().await;
        for _ in 0..3 {
            raw.write(format!("{}0123456789", post("/respond", 10)).as_bytes()).await;
            let answer = raw.read_answer().await.expect("an answer");
            assert_eq!((answer.status.as_u16(), answer.headers.get("connection")), (403, None));
        }
    }
}

#[tokio::test]
async fn a_drain_waits_for_nobody_who_lingers_beyond_its_deadline() {
    for (gateway, _origins) in gateways("linger = \"1h\"").await {
        let mut raw = gateway.raw().await;
        raw.write(post("/respond", 100).as_bytes()).await;
        assert_eq!(raw.read_answer().await.unwrap().status, 403);

        let stopped = gateway.stop(Duration::from_millis(50)).await;

        assert_eq!(stopped.cut, 1);
    }
}

/// In TLS 1.3 a client may send its request before it hears that its certificate is wanted.
#[tokio::test]
async fn a_refused_handshake_says_why_to_a_client_that_is_sending() {
    let ca = Ca::new();
    let text = "[[listen]]\naddress = \"127.0.0.1:0\"\n\
                tls = { certificate = \"cert.pem\", key = \"cert-key.pem\", client_ca = \"ca.pem\" }\n\
                [[route]]\npath = \"/\"\nrespond = { status = 200 }\n";
    let gateway = Gateway::configure(text).tls(&ca, &["localhost"]).start().await;
    let mut client = gateway.connect().await;

    let sent = within("sending", client.write_all(&vec![b'x'; SOME])).await;
    let told = within("an alert", client.read(&mut [0])).await.expect_err("it has no certificate");

    assert!(sent.is_ok(), "{sent:?}");
    assert!(told.to_string().contains("CertificateRequired"), "{told}");
}

/// The endpoint's last words reach a client that is in the middle of sending.
#[tokio::test]
async fn a_tunnel_whose_endpoint_breaks_off_ends_without_a_reset() {
    let origin = Origin::raw(|mut raw| async move {
        raw.read_head().await;
        raw.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\nfarewell").await;
        // Dropped with bytes unread, its socket is reset.
        raw.read(1).await;
    });
    let origin = origin.start().await;
    let text = "[[route]]\npath = \"/\"\nto = \"http://{raw}\"\nupgrade = [\"lines\"]\n";
    let gateway = Gateway::configure(text).origin(&origin).start().await;
    for _ in 0..5 {
        let mut raw = gateway.raw().await;
        raw.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\n").await;
        assert!(raw.read_head().await.expect("an answer").starts_with("HTTP/1.1 101"));

        assert!(push(&mut raw, SOME).await, "the connection broke while the client sent");

        assert_eq!(raw.read(8).await, b"farewell");
        assert!(raw.ends_properly().await, "the end is no reset");
        eventually("the endpoint to be free, though its client stays", || gateway.in_flight(&origin) == 0).await;
    }
}

#[tokio::test]
async fn too_many_that_linger_are_closed_at_once_and_counted() {
    /// Places of one worker.
    const PLACES: usize = 512;
    let text = "[gateway]\nworkers = 1\n[[listen]]\naddress = \"127.0.0.1:0\"\nlimits = { linger = \"1h\" }\n\
                [[route]]\npath = \"/\"\nrespond = { status = 403, body = \"no\" }\n";
    let gateway = Gateway::configure(text).start().await;
    let mut held = Vec::new();
    for _ in 0..PLACES + 3 {
        let mut raw = gateway.raw().await;
        raw.write(post("/", 100).as_bytes()).await;
        assert_eq!(raw.read_answer().await.expect("an answer, even so").status, 403);
        held.push(raw);
    }

    eventually("three of them to be closed", || gateway.metric("tidegate_connections_open") == PLACES as f64).await;
    assert_eq!(gateway.metric("tidegate_connections_crowded_total"), 3.0);

    drop(held);
    eventually("room", || gateway.metric("tidegate_connections_open") == 0.0).await;
}
