//! Messages of every kind through an open websocket.

use bytes::Bytes;
use tidegate_tests::{Gateway, Origin, Raw, eventually, upgrade_request};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

#[tokio::test]
async fn messages_come_back_as_they_went() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut websocket = gateway.websocket("/").await;

    for size in [0, 1, 125, 126, 65_535, 65_536, 1 << 20] {
        let bytes: Vec<u8> = (0..size).map(|at: u32| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
        websocket.echo(Message::binary(bytes)).await;
        websocket.echo("t".repeat(size as usize)).await;
    }
    websocket.echo("grüße, 潮").await;
    websocket.close().await;

    eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
    assert!(gateway.metric("tidegate_tunnels_open") == 0.0);
}

#[tokio::test]
async fn pings_are_answered_by_the_endpoint() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut websocket = gateway.websocket("/").await;

    websocket.send(Message::Ping(Bytes::from_static(b"are you there"))).await;

    assert_eq!(websocket.next().await, Some(Message::Pong(Bytes::from_static(b"are you there"))));
}

#[tokio::test]
async fn fragments_and_what_is_between_them_pass() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut websocket = gateway.websocket("/").await;
    let fragment = |text: &'static str, data, last| Message::Frame(Frame::message(text, OpCode::Data(data), last));

    websocket.send(fragment("one ", Data::Text, false)).await;
    websocket.send(Message::Ping(Bytes::from_static(b"between"))).await;
    websocket.send(fragment("two ", Data::Continue, false)).await;
    websocket.send(fragment("three", Data::Continue, true)).await;

    assert_eq!(websocket.next().await, Some(Message::Pong(Bytes::from_static(b"between"))));
    assert_eq!(websocket.next().await, Some(Message::text("one two three")));
}

#[tokio::test]
async fn many_messages_on_the_way_at_once_keep_their_order() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut websocket = gateway.websocket("/").await;

    for number in 0..200 {
        websocket.send(format!("{number}")).await;
    }
    for number in 0..200 {
        assert_eq!(websocket.next().await, Some(Message::text(format!("{number}"))));
    }
}

#[tokio::test]
async fn subprotocol_and_other_fields_of_the_handshake_pass() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut request = upgrade_request("/chat?room=1");
    for (name, value) in
        [("sec-websocket-protocol", "chat.v2, chat.v1"), ("origin", "https://app.example"), ("cookie", "a=b")]
    {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let key = request.headers()["sec-websocket-key"].to_str().unwrap().to_owned();

    let websocket = gateway.try_websocket(request).await.unwrap();

    let seen = origin.seen().remove(0);
    assert_eq!(websocket.headers()["sec-websocket-protocol"], "chat.v2");
    assert_eq!(seen.target, "/chat?room=1");
    assert_eq!(seen.header("sec-websocket-protocol"), Some("chat.v2, chat.v1"));
    assert_eq!(seen.header("sec-websocket-key"), Some(key.as_str()));
    assert_eq!(seen.header("origin"), Some("https://app.example"));
    assert_eq!(seen.header("cookie"), Some("a=b"));
    assert_eq!(seen.header("connection"), Some("Upgrade"));
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
}

const HANDSHAKE: &str = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

#[tokio::test]
async fn bytes_sent_with_the_handshake_are_kept_on_both_sides() {
    let frames = |text: &str| [&[0x81, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let (from_client, from_endpoint) = (frames("from the client"), frames("from the endpoint"));
    let expected = from_client.clone();
    let reply = [SWITCHED.as_bytes(), &from_endpoint].concat();
    let origin = Origin::raw(move |mut raw| {
        let (expected, reply) = (expected.clone(), reply.clone());
        async move {
            raw.read_head().await;
            raw.write(&reply).await;
            let early = raw.read(expected.len()).await;
            raw.write(if early == expected { b"same" } else { b"lost" }).await;
        }
    })
    .start()
    .await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;

    raw.write(&[HANDSHAKE.as_bytes(), &from_client].concat()).await;

    let head = raw.read_head().await.unwrap();
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert_eq!(raw.read(from_endpoint.len()).await, from_endpoint);
    assert_eq!(raw.read(4).await, b"same");
}

/// An endpoint that switches, says `hello`, reads to the end, and then says how much that was.
async fn counting() -> Origin {
    Origin::raw(|mut raw| async move {
        raw.read_head().await;
        raw.write(SWITCHED.as_bytes()).await;
        let count = raw.read_to_end().await.len();
        raw.write(format!("{count} bytes").as_bytes()).await;
    })
    .start()
    .await
}

/// A client's connection that has become a tunnel.
async fn switched(gateway: &Gateway) -> Raw {
    let mut raw = gateway.raw().await;
    raw.write(HANDSHAKE.as_bytes()).await;
    raw.read_head().await.unwrap();
    raw
}

#[tokio::test]
async fn the_clients_half_close_reaches_the_endpoint_which_may_go_on() {
    let origin = counting().await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = switched(&gateway).await;

    raw.write(&[0x82, 3, 1, 2, 3]).await;
    raw.finish().await;

    assert_eq!(raw.read_to_end().await, b"5 bytes");
    eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
}

/// Close frames both ways, then one side ends: nothing can follow (RFC 6455 §5.5.1), so the other is not waited for.
#[tokio::test]
async fn a_side_that_has_said_goodbye_is_not_waited_for() {
    const FROM_CLIENT: [u8; 8] = [0x88, 0x82, 0, 0, 0, 0, 3, 232];
    const FROM_ENDPOINT: [u8; 4] = [0x88, 2, 3, 232];
    for client_ends in [false, true] {
        let origin = Origin::raw(move |mut raw: Raw| async move {
            raw.read_head().await;
            raw.write(SWITCHED.as_bytes()).await;
            raw.read(FROM_CLIENT.len()).await;
            raw.write(&FROM_ENDPOINT).await;
            if client_ends {
                assert_eq!(raw.read_to_end().await, b"");
            }
        })
        .start()
        .await;
        let gateway = Gateway::before(&origin).await;
        let mut raw = switched(&gateway).await;

        raw.write(&FROM_CLIENT).await;
        assert_eq!(raw.read(FROM_ENDPOINT.len()).await, FROM_ENDPOINT);
        if client_ends {
            raw.finish().await;
        }

        eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
        assert!(raw.ends_properly().await, "ended by the client: {client_ends}");
    }
}

#[tokio::test]
async fn the_endpoints_half_close_reaches_the_client_which_may_go_on() {
    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let origin = Origin::raw(move |mut raw: Raw| {
        let heard = heard.clone();
        async move {
            raw.read_head().await;
            raw.write(SWITCHED.as_bytes()).await;
            raw.finish().await;
            heard.send(raw.read_to_end().await).unwrap();
        }
    })
    .start()
    .await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = switched(&gateway).await;

    assert_eq!(raw.read_to_end().await, b"", "the endpoint has no more to say");
    raw.write(b"but we have").await;
    raw.finish().await;

    assert_eq!(tidegate_tests::within("the rest", hears.recv()).await.unwrap(), b"but we have");
}
