//! Too much of something.

use std::net::Ipv4Addr;

use tidegate_tests::{Ca, Gateway, Origin, Raw, eventually};

async fn limited(limits: &str, origin: &Origin) -> Gateway {
    let text = format!(
        "[[listen]]\naddress = \"127.0.0.1:0\"\nlimits = {limits}\n[[route]]\npath = \"/\"\nto = \"http://{{a}}\"\n"
    );
    Gateway::configure(&text).origin(origin).start().await
}

#[tokio::test]
async fn heads_that_are_too_large_are_431() {
    let origin = Origin::named("a").start().await;
    let gateway = limited(r#"{ head = "8KiB", head_fields = 20 }"#, &origin).await;
    let large = format!("GET / HTTP/1.1\r\nHost: h\r\nX-Large: {}\r\n\r\n", "x".repeat(20_000));
    let many = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "X-Many: 1\r\n".repeat(30));
    let endless = format!("GET / HTTP/1.1\r\nHost: h\r\nX-Endless: {}", "x".repeat(20_000));
    for (request, what) in [(large, "bytes"), (many, "fields"), (endless, "no end")] {
        let mut raw = gateway.raw().await;
        raw.write(request.as_bytes()).await;

        let answer = raw.read_answer().await.unwrap_or_else(|| panic!("{what}: no answer"));

        assert_eq!(answer.status, 431, "{what}");
        assert_eq!(raw.read_to_end().await, b"", "{what}");
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(20_000));
    let mut raw = gateway.raw().await;
    raw.write(long.as_bytes()).await;
    let status = raw.read_answer().await.unwrap().status.as_u16();
    assert!([414, 431].contains(&status), "{status}");

    assert_eq!(origin.connections(), 0);
    let fields = "X-Some: 1\r\n".repeat(19);
    let mut raw = gateway.raw().await;
    raw.write(format!("GET /fits HTTP/1.1\r\nHost: h\r\n{fields}\r\n").as_bytes()).await;
    assert_eq!(raw.read_answer().await.unwrap().seen().target, "/fits");
}

#[tokio::test]
async fn large_heads_within_the_limit_pass() {
    let origin = Origin::named("a").start().await;
    let gateway = limited(r#"{ head = "64KiB" }"#, &origin).await;
    let value = "x".repeat(50_000);
    let mut raw = gateway.raw().await;

    raw.write(format!("GET / HTTP/1.1\r\nHost: h\r\nX-Large: {value}\r\n\r\n").as_bytes()).await;

    assert_eq!(raw.read_answer().await.unwrap().seen().header("x-large"), Some(value.as_str()));
}

#[tokio::test]
async fn heads_that_are_too_slow_are_closed() {
    let origin = Origin::named("a").start().await;
    let gateway = limited(r#"{ head_timeout = "200ms" }"#, &origin).await;
    for begin in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: h\r\nX-Sl"] {
        let mut raw = gateway.raw().await;
        raw.write(begin.as_bytes()).await;

        let answer = raw.read_answer().await;

        assert!(answer.as_ref().is_none_or(|answer| answer.status == 408), "{begin:?}: {answer:?}");
        assert_eq!(raw.read_to_end().await, b"");
    }
    let mut kept = gateway.raw().await;
    kept.write(b"GET /first HTTP/1.1\r\nHost: h\r\n\r\n").await;
    kept.read_answer().await.unwrap();
    kept.write(b"GET /second HT").await;
    assert_eq!(kept.read_to_end().await, b"", "the head of a later request has the same time");
    assert_eq!(origin.seen().len(), 1);
}

#[tokio::test]
async fn handshakes_that_are_too_slow_are_closed_and_counted() {
    let ca = Ca::new();
    let text = "[[listen]]\naddress = \"127.0.0.1:0\"\ntls = { certificate = \"cert.pem\", key = \"cert-key.pem\" }\n\
                limits = { head_timeout = \"200ms\" }\n[[route]]\npath = \"/\"\nrespond = { status = 200 }\n";
    let gateway = Gateway::configure(text).tls(&ca, &["localhost"]).start().await;
    // Nothing, the header of a record, half a ClientHello.
    for begin in [&b""[..], b"\x16\x03\x01\x02\x00", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03half of one"] {
        let mut raw = Raw::new(gateway.connect_from(Ipv4Addr::LOCALHOST).await);
        raw.write(begin).await;

        assert_eq!(raw.read_to_end().await, b"", "behind {begin:02x?}");
    }
    let counted = || gateway.metric("tidegate_tls_handshakes_total{outcome=\"timed_out\"}");
    eventually("three handshakes that were not waited for", || counted() == 3.0).await;
}

#[tokio::test]
async fn kept_connections_are_closed_when_idle() {
    let origin = Origin::named("a").start().await;
    let gateway = limited(r#"{ idle_timeout = "200ms" }"#, &origin).await;
    let mut raw = gateway.raw().await;

    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let answer = raw.read_answer().await;

    assert_eq!(answer.unwrap().status, 200);
    assert_eq!(raw.read_to_end().await, b"");
}

#[tokio::test]
async fn a_full_listener_turns_away_until_there_is_room() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("{ connections = 2 }", &origin).await;
    let tunnel = gateway.websocket("/").await;
    let mut kept = gateway.raw().await;
    kept.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    kept.read_answer().await.unwrap();

    let mut third = gateway.raw().await;
    assert_eq!(third.read_to_end().await, b"", "closed without an answer");
    assert!(gateway.metric("tidegate_connections_refused_total{reason=\"listener_limit\"}") >= 1.0);

    drop(tunnel);
    eventually("room", || gateway.metric("tidegate_connections_open") < 2.0).await;
    assert_eq!(gateway.get("/").await.status, 200);
}

#[tokio::test]
async fn one_client_cannot_take_all_connections() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("{ connections_per_client = 1 }", &origin).await;
    let (greedy, modest) = (Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3));
    let mut first = Raw::new(gateway.connect_from(greedy).await);
    first.write(b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\n").await;
    first.read_answer().await.unwrap();

    let mut second = Raw::new(gateway.connect_from(greedy).await);
    let mut other = Raw::new(gateway.connect_from(modest).await);
    other.write(b"GET /2 HTTP/1.1\r\nHost: h\r\n\r\n").await;

    assert_eq!(second.read_to_end().await, b"");
    assert_eq!(other.read_answer().await.unwrap().seen().target, "/2");
    assert!(gateway.metric("tidegate_connections_refused_total{reason=\"client_limit\"}") == 1.0);
}
