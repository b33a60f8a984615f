//! Tunnels without a byte.

use std::time::{Duration, Instant};

use tidegate_tests::{Ending, Gateway, LIMIT, Origin, Setup, eventually, within};

const HANDSHAKE: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

fn idle_after(idle: &str, origin: &Origin) -> Setup {
    let text = "[[route]]\npath = \"/\"\nto = \"ws://{origin}\"\nupgrade = [\"any\"]\n\
                timeouts = { tunnel_idle = \"{idle}\" }\n";
    Gateway::configure(text).put("origin", origin.address()).put("idle", idle)
}

#[tokio::test]
async fn an_idle_websocket_is_closed_with_1001_on_both_sides() {
    let origin = Origin::named("a").start().await;
    let gateway = idle_after("200ms", &origin).start().await;
    let mut websocket = gateway.websocket("/").await;

    let code = websocket.ended().await;

    assert_eq!(code, Some(1001), "the client must learn that it was nobody's fault");
    eventually("the endpoint to hear of it", || origin.endings() == [Ending::Closed(Some(1001))]).await;
    eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
}

#[tokio::test]
async fn every_byte_starts_the_clock_anew() {
    let origin = Origin::named("a").start().await;
    let gateway = idle_after("1500ms", &origin).start().await;
    let mut websocket = gateway.websocket("/").await;
    let (begin, mut last, mut longest) = (Instant::now(), Instant::now(), Duration::ZERO);

    while begin.elapsed() < Duration::from_millis(3500) && origin.endings().is_empty() {
        websocket.echo("still here").await;
        longest = longest.max(last.elapsed());
        last = Instant::now();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    // On a machine that stands still for a second, idle is what the tunnel was.
    assert!(origin.endings().is_empty() || longest > Duration::from_secs(1), "ended, longest pause {longest:?}");
}

#[tokio::test]
async fn a_close_frame_is_never_put_inside_a_frame() {
    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let origin = Origin::raw(move |mut raw| {
        let heard = heard.clone();
        async move {
            raw.read_head().await;
            // The first five bytes of a frame of 126, and no more.
            raw.write(&[SWITCHED.as_bytes(), &[0x82, 126, 0, 126, 7]].concat()).await;
            heard.send(raw.read_to_end().await).unwrap();
        }
    })
    .start()
    .await;
    let gateway = idle_after("200ms", &origin).start().await;
    let mut raw = gateway.raw().await;

    raw.write(HANDSHAKE).await;
    raw.read_head().await.unwrap();

    assert_eq!(raw.read_to_end().await, [0x82, 126, 0, 126, 7], "a Close frame here would be taken for payload");
    let to_endpoint = within("the endpoint to hear", hears.recv()).await.unwrap();
    assert_eq!(to_endpoint, [0x88, 0x82, 0, 0, 0, 0, 3, 0xe9], "in the other direction there was room for one");
}

#[tokio::test]
async fn an_idle_tunnel_of_another_protocol_just_ends() {
    let origin = Origin::saying(SWITCHED.replace("websocket", "other")).start().await;
    let gateway = idle_after("200ms", &origin).start().await;
    let mut raw = gateway.raw().await;

    raw.write(&String::from_utf8_lossy(HANDSHAKE).replace("websocket", "other").into_bytes()).await;
    let head = raw.read_head().await.unwrap();

    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert_eq!(raw.read_to_end().await, b"", "whatever we put in could be taken for its own bytes");
    eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
}

#[tokio::test]
async fn sides_that_do_not_answer_a_close_frame_are_not_waited_for() {
    let origin = Origin::saying(SWITCHED).start().await;
    let gateway = idle_after("200ms", &origin).start().await;
    let mut raw = gateway.raw().await;
    raw.write(HANDSHAKE).await;
    raw.read_head().await.unwrap();

    let begin = Instant::now();
    eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;

    assert!(begin.elapsed() < LIMIT, "both ends keep their connections open");
    assert_eq!(raw.read_to_end().await, [0x88, 2, 3, 0xe9]);
}
