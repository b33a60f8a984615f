//! Requests over HTTP/2: by prior knowledge, by ALPN, and what is not served.

use tidegate_tests::{Ca, Gateway, Origin, eventually, get};

/// Type of a SETTINGS frame (RFC 9113 §6.5).
const SETTINGS: u8 = 4;

const LISTENER: &str = r#"
[[listen]]
address = "127.0.0.1:0"
protocol = "{protocol}"

[[route]]
path = "/"
to = "http://{a}"
"#;

async fn gateway(origin: &Origin, protocol: &str) -> Gateway {
    Gateway::configure(LISTENER).put("protocol", protocol).origin(origin).start().await
}

#[tokio::test]
async fn a_client_that_begins_with_the_preface_is_served() {
    let origin = Origin::named("a").start().await;
    for protocol in ["auto", "h2"] {
        let gateway = gateway(&origin, protocol).await;
        let mut client = gateway.http2().await;

        for number in 0..3 {
            let answer = client.send(get(&format!("/{number}"))).await;

            assert_eq!(answer.status, 200, "{protocol}");
        }
        assert_eq!(gateway.in_flight(&origin), 0);
    }
    assert_eq!(origin.seen().iter().map(|seen| seen.target.as_str()).collect::<Vec<_>>(), ["/0", "/1", "/2"].repeat(2));
}

#[tokio::test]
async fn alpn_chooses_under_tls() {
    let (origin, ca) = (Origin::named("a").start().await, Ca::new());
    let text =
        LISTENER.replace("protocol = \"{protocol}\"", "tls = { certificate = \"cert.pem\", key = \"cert-key.pem\" }");
    let gateway = Gateway::configure(&text).tls(&ca, &["localhost"]).origin(&origin).start().await;

    let over_http2 = gateway.http2().await.send(get("/two")).await;
    let over_http1 = gateway.get("/one").await;

    assert_eq!((over_http2.status.as_u16(), over_http1.status.as_u16()), (200, 200));
}

#[tokio::test]
async fn a_preface_is_no_request_where_http2_is_off_or_something_came_before() {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let origin = Origin::named("a").start().await;
    for (protocol, before) in [("h1", &b""[..]), ("auto", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")] {
        let gateway = gateway(&origin, protocol).await;
        let mut raw = gateway.raw().await;
        if !before.is_empty() {
            raw.write(before).await;
            raw.read_head().await.unwrap();
        }

        raw.write(PREFACE).await;

        let end = raw.read_to_end().await;
        let text = String::from_utf8_lossy(&end);
        assert!(text.contains("HTTP/1.1 505 "), "{protocol}: {text}");
    }
}

#[tokio::test]
async fn a_preface_in_pieces_is_one() {
    let origin = Origin::named("a").start().await;
    let gateway = gateway(&origin, "auto").await;
    let mut raw = gateway.raw().await;
    for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" {
        raw.write(&[*byte]).await;
    }
    raw.write(&[0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]).await;

    let first: [u8; 9] = raw.read(9).await.try_into().unwrap();

    assert_eq!(first[3], SETTINGS, "the server's own preface");
}

#[tokio::test]
async fn too_many_fields_are_refused_and_counted_and_the_connection_goes_on() {
    let origin = Origin::named("a").start().await;
    let text = LISTENER.replace("protocol = \"{protocol}\"", "limits = { head_fields = 10 }");
    let gateway = Gateway::configure(&text).origin(&origin).start().await;
    let mut client = gateway.http2().await;
    let mut crowded = get("/");
    for number in 0..11 {
        crowded.headers_mut().append("x-field", number.into());
    }

    let refused = client.send(crowded).await;
    let served = client.send(get("/")).await;

    assert_eq!((refused.status.as_u16(), served.status.as_u16()), (431, 200));
    assert!(gateway.metric("tidegate_requests_refused_total") == 1.0);
}

#[tokio::test]
async fn responses_have_a_date_and_nothing_about_connections() {
    let origin =
        Origin::saying("HTTP/1.1 200 OK\r\nConnection: x-hop\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nok").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut client = gateway.http2().await;

    let answer = client.send(get("/")).await;

    assert_eq!(answer.text(), "ok");
    assert!(answer.header("date").ends_with(" GMT"), "{:?}", answer.headers);
    assert!(!answer.headers.contains_key("connection") && !answer.headers.contains_key("x-hop"));
}

#[tokio::test]
async fn a_client_that_speaks_another_version_is_told_so_in_its_own_and_counted() {
    let (origin, ca) = (Origin::named("a").start().await, Ca::new());
    for (protocol, request, sentence) in [
        ("h2", &b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n"[..], "nothing but HTTP/2 is spoken here"),
        ("h2", b"POST /x HTTP/1.0\r\nContent-Length: 1000000\r\n\r\n", "nothing but HTTP/2 is spoken here"),
        ("h1", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2 is not spoken here"),
    ] {
        let gateway = gateway(&origin, protocol).await;
        let mut raw = gateway.raw().await;

        raw.write(request).await;

        let answer = raw.read_answer().await.unwrap();
        assert_eq!(answer.status, 505, "{protocol}");
        assert!(answer.text().contains(sentence), "{protocol}: {}", answer.text());
        assert!(raw.ends_properly().await, "{protocol}");
        assert!(gateway.metric("tidegate_requests_refused_total") == 1.0, "{protocol}");
    }
    let tls = "protocol = \"h2\"\ntls = { certificate = \"cert.pem\", key = \"cert-key.pem\" }";
    let text = LISTENER.replace("protocol = \"{protocol}\"", tls);
    let gateway = Gateway::configure(&text).tls(&ca, &["localhost"]).origin(&origin).start().await;
    let mut raw = gateway.raw().await;
    raw.write(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(raw.read_answer().await.unwrap().status, 505, "TLS without ALPN");
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn requests_that_the_library_resets_are_counted_by_code() {
    use tidegate_tests::frames::{Frame, Frames, block, code, kind};
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let resets = |code: &str| gateway.metric(&format!("tidegate_http2_resets_total{{code=\"{code}\"}}"));
    let mut frames = Frames::client(gateway.connect().await, &[]).await;
    let usual = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "h")];

    for (number, wrong) in [("connection", "close"), ("te", "gzip"), ("content-length", "7")].into_iter().enumerate() {
        let stream = 2 * u32::try_from(number).unwrap() + 1;
        let fields: Vec<_> = usual.iter().copied().chain([wrong]).collect();
        frames.send(&Frame::headers(stream, block(&fields)).ending()).await;
        let reset = frames.next_that(|frame| frame.kind == kind::RST_STREAM && frame.stream == stream).await.unwrap();
        assert_eq!(reset.code(), Some(code::PROTOCOL_ERROR), "{wrong:?}");
        let count = f64::from(stream.div_ceil(2));
        eventually(&format!("{wrong:?} is counted"), || resets("PROTOCOL_ERROR") == count).await;
    }
    assert_eq!(resets("REFUSED_STREAM"), 0.0);
}
