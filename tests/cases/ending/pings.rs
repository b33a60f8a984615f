//! Websockets that the gateway pings while they are quiet.

use tidegate_tests::{Ending, Gateway, Origin, Setup, Websocket, eventually, within};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

const HANDSHAKE: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const SWITCHED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const KEYED: &str = "GET /silent HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Who must answer in time has three seconds: nobody who answers at all is late on a busy machine.
const TEXT: &str = r#"
[[route]]
path = "/without"
to = "ws://{origin}"
[[route]]
path = "/silent"
to = "ws://{origin}"
timeouts = { tunnel_ping = "1s" }
[[route]]
path = "/"
to = "ws://{origin}"
upgrade = ["any"]
timeouts = { tunnel_ping = "3s" }
"#;

const TO_CLIENT: &str = "tidegate_tunnel_pings_total{side=\"client\"}";
const TO_ENDPOINT: &str = "tidegate_tunnel_pings_total{side=\"endpoint\"}";

fn before(origin: &Origin) -> Setup {
    Gateway::configure(TEXT).put("origin", origin.address())
}

/// What a client sends in response to a ping; the mask is zero.
fn masked_pong(ping: &[u8]) -> Vec<u8> {
    [&[0x8a, 0x88, 0, 0, 0, 0][..], &ping[2..]].concat()
}

/// What an endpoint sends.
fn pong(ping: &[u8]) -> Vec<u8> {
    let payload = ping[6..].iter().zip(ping[2..6].iter().cycle()).map(|(byte, mask)| byte ^ mask);
    [0x8a, 8].into_iter().chain(payload).collect()
}

/// Reads, as a client does, while nothing but pings comes.
async fn stay_quiet(websocket: &mut Websocket) {
    loop {
        let came = websocket.next().await;
        assert!(matches!(came, Some(Message::Ping(_))), "nothing but pings was to come: {came:?}");
    }
}

#[tokio::test]
async fn a_quiet_websocket_is_pinged_and_lives() {
    let origin = Origin::named("a").start().await;
    let mut gateway = before(&origin).start().await;
    let (mut websocket, mut multiplexed) = (gateway.websocket("/").await, gateway.http2().await);
    let mut over_http2 = multiplexed.websocket("/").await;

    tokio::select! {
        _ = async { tokio::join!(stay_quiet(&mut websocket), stay_quiet(&mut over_http2)) } => {}
        () = eventually("pings", || gateway.metric(TO_CLIENT) >= 2.0 && gateway.metric(TO_ENDPOINT) >= 2.0) => {}
    }
    gateway.rewrite(&TEXT.replace("3s", "off"));
    gateway.inner().reload().unwrap();
    let before = gateway.metric(TO_CLIENT);
    tokio::select! {
        _ = async { tokio::join!(stay_quiet(&mut websocket), stay_quiet(&mut over_http2)) } => {}
        () = eventually("more of them", || gateway.metric(TO_CLIENT) >= before + 2.0) => {}
    }

    for websocket in [&mut websocket, &mut over_http2] {
        websocket.send("still there").await;
        let mut back = websocket.next().await;
        while let Some(Message::Ping(_)) = back {
            back = websocket.next().await;
        }
        assert_eq!(back, Some(Message::text("still there")));
    }
    assert!(gateway.metric("tidegate_tunnels_open") == 2.0);
    assert_eq!(origin.endings(), []);
}

/// What is on the wire, on both sides, around pings and their pongs.
#[tokio::test]
async fn pings_are_between_frames_and_pongs_stay_with_the_gateway() {
    let origin = Origin::raw(|mut raw| async move {
        raw.read_head().await;
        // The first frame of a message of two.
        raw.write(&[SWITCHED, &[0x02, 3, 7, 7, 7]].concat()).await;
        for _ in 0..2 {
            let ping = raw.read(14).await;
            assert_eq!(ping[..2], [0x89, 0x88], "masked: the gateway is a client here");
            raw.write(&pong(&ping)).await;
        }
        raw.write(&[0x80, 1, 8]).await;
        assert_eq!(raw.read(6).await, [0x81, 0x80, 0, 0, 0, 0], "no pong was before it");
        raw.write(&[0x8a, 0]).await;
        raw.read_to_end().await;
    })
    .start()
    .await;
    let gateway = before(&origin).start().await;
    let mut raw = gateway.raw().await;
    raw.write(HANDSHAKE).await;
    raw.read_head().await.unwrap();
    assert_eq!(raw.read(5).await, [0x02, 3, 7, 7, 7]);

    for _ in 0..2 {
        let ping = raw.read(10).await;
        assert_eq!(ping[..2], [0x89, 8]);
        raw.write(&masked_pong(&ping)).await;
    }

    assert_eq!(raw.read(3).await, [0x80, 1, 8], "the rest of the message");
    raw.write(&[0x81, 0x80, 0, 0, 0, 0]).await;
    assert_eq!(raw.read(2).await, [0x8a, 0], "a pong that nobody asked for goes on");
}

#[tokio::test]
async fn a_client_that_is_silent_is_found() {
    let origin = Origin::named("a").start().await;
    let gateway = before(&origin).start().await;
    let mut raw = gateway.raw().await;
    raw.write(KEYED.as_bytes()).await;
    raw.read_head().await.unwrap();

    // The endpoint answers, the client does not.
    eventually("the endpoint to hear of it", || origin.endings() == [Ending::Closed(Some(1001))]).await;
    eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;

    let came = raw.read_to_end().await;
    let (to_close, close) = came.split_at(came.len() - 4);
    let (greeting, ping) = to_close.split_at(to_close.len() - 10);
    assert_eq!((&greeting[2..], &ping[..2]), (&b"hello from a"[..], &[0x89, 8][..]));
    assert_eq!(close, [0x88, 2, 3, 0xe9]);
    assert!(gateway.metric("tidegate_tunnels_silent_total{side=\"client\"}") == 1.0);
    assert!(gateway.metric("tidegate_tunnels_silent_total{side=\"endpoint\"}") == 0.0);
}

#[tokio::test]
async fn an_endpoint_that_is_silent_is_found() {
    let (heard, mut hears) = mpsc::unbounded_channel();
    let origin = Origin::raw(move |mut raw| {
        let heard = heard.clone();
        async move {
            raw.read_head().await;
            raw.write(SWITCHED).await;
            heard.send(raw.read_to_end().await).unwrap();
        }
    })
    .start()
    .await;
    let gateway = before(&origin).start().await;
    let mut raw = gateway.raw().await;
    raw.write(HANDSHAKE).await;
    raw.read_head().await.unwrap();

    let ping = raw.read(10).await;
    raw.write(&masked_pong(&ping)).await;

    assert_eq!(raw.read(4).await, [0x88, 2, 3, 0xe9], "it may have been long gone");
    let came = within("the endpoint to hear", hears.recv()).await.unwrap();
    assert_eq!((&came[..2], &came[14..]), (&[0x89, 0x88][..], &[0x88, 0x82, 0, 0, 0, 0, 3, 0xe9][..]));
    eventually("it to be counted", || gateway.metric("tidegate_tunnels_silent_total{side=\"endpoint\"}") >= 1.0).await;
}

/// All are open for as long: one whose route has pings is pinged twice meanwhile.
#[tokio::test]
async fn other_protocols_and_other_routes_have_no_pings() {
    let switched = String::from_utf8_lossy(SWITCHED).replace("websocket", "other");
    let (origin, unknown) = (Origin::named("a").start().await, Origin::saying(switched).start().await);
    let text =
        format!("[[route]]\npath = \"/other\"\nto = \"ws://{}\"\nupgrade = [\"any\"]\n{TEXT}", unknown.address());
    let text = format!(
        "[gateway]\ntimeouts = {{ tunnel_ping = \"3s\" }}\n{}",
        text.replacen("path = \"/without\"", "path = \"/without\"\ntimeouts = { tunnel_ping = \"off\" }", 1)
    );
    let gateway = Gateway::configure(&text).put("origin", origin.address()).start().await;
    let (mut without, mut other) = (gateway.raw().await, gateway.raw().await);
    without.write(KEYED.replace("/silent", "/without").as_bytes()).await;
    let head = without.read_head().await.unwrap();
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    other
        .write(&String::from_utf8_lossy(HANDSHAKE).replace("/ ", "/other ").replace("websocket", "other").into_bytes())
        .await;
    let head = other.read_head().await.unwrap();
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let mut pinged = gateway.websocket("/").await;

    tokio::select! {
        () = stay_quiet(&mut pinged) => {}
        () = eventually("two pings", || gateway.metric(TO_CLIENT) >= 2.0) => {}
    }
    without.write(&[0x88, 0x80, 0, 0, 0, 0]).await;
    other.finish().await;

    let came = without.read_to_end().await;
    assert_eq!(came.last_chunk(), Some(&[0x88, 0]), "an answer to the Close frame");
    assert!(!came.contains(&0x89), "no ping before it: {came:?}");
    assert_eq!(other.read_to_end().await, b"");
}
