//! Stopping, as SIGTERM does it.

use std::time::Duration;

use tidegate_tests::{Ending, Gateway, Origin, eventually, get, within};
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_secs(60);
const HANDSHAKE: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

#[tokio::test]
async fn websockets_are_closed_with_1001_on_both_sides() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut websockets = Vec::new();
    for _ in 0..20 {
        websockets.push(gateway.websocket("/").await);
    }

    let stopping = tokio::spawn(gateway.stop(PATIENCE));
    for websocket in &mut websockets {
        assert_eq!(websocket.ended().await, Some(1001));
    }
    let stopped = stopping.await.unwrap();

    assert_eq!(stopped.cut, 0, "everybody left by themselves");
    eventually("the endpoint to hear of it", || origin.endings().len() == 20).await;
    assert!(origin.endings().iter().all(|ending| *ending == Ending::Closed(Some(1001))), "{:?}", origin.endings());
    assert_eq!(gateway.in_flight(&origin), 0);
}

/// What cannot be waited for is left out: that they end at different moments is shown with a clock that stands still.
#[tokio::test]
async fn every_websocket_of_a_spread_drain_gets_1001_before_the_deadline() {
    let origin = Origin::named("a").start().await;
    let text = "[gateway]\ndrain = \"1h\"\ndrain_spread = \"300ms\"\n\
                [[route]]\npath = \"/\"\nto = \"http://{origin}\"\n";
    let gateway = Gateway::configure(text).put("origin", origin.address()).start().await;
    let mut websockets = Vec::new();
    for _ in 0..200 {
        websockets.push(gateway.websocket("/").await);
    }

    let stopping = tokio::spawn(gateway.stop(PATIENCE));
    for websocket in &mut websockets {
        assert_eq!(websocket.ended().await, Some(1001));
    }

    assert_eq!(stopping.await.unwrap().cut, 0);
    eventually("the endpoint to hear of it", || origin.endings().len() == 200).await;
    assert!(origin.endings().iter().all(|ending| *ending == Ending::Closed(Some(1001))), "{:?}", origin.endings());
}

#[tokio::test]
async fn a_websocket_goes_on_until_its_moment_of_a_spread_drain() {
    let origin = Origin::named("a").start().await;
    // The moments of 20 are not all in the first second of ten hours.
    let text = "[gateway]\ndrain = \"11h\"\ndrain_spread = \"10h\"\n\
                [[route]]\npath = \"/\"\nto = \"http://{origin}\"\n";
    let gateway = Gateway::configure(text).put("origin", origin.address()).start().await;
    let mut websockets = Vec::new();
    for _ in 0..20 {
        websockets.push(gateway.websocket("/").await);
    }
    let mut idle = gateway.raw().await;
    idle.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    idle.read_answer().await.unwrap();

    let stopping = tokio::spawn(gateway.stop(11 * 60 * PATIENCE));
    assert_eq!(idle.read_to_end().await, b"", "who carries no tunnel ends at once");
    let mut open = 0;
    for websocket in &mut websockets {
        open += usize::from(websocket.try_echo("still here").await);
    }
    assert!(open > 0, "a message goes both ways");
    assert!(!stopping.is_finished());
    let stopped = gateway.stop(Duration::ZERO).await;

    assert_eq!(stopped.cut, open, "a second signal waits for no moment");
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_spread_drain_without_tunnels_waits_for_nothing() {
    let origin = Origin::named("a").start().await;
    let text = "[gateway]\ndrain = \"11h\"\ndrain_spread = \"10h\"\n\
                [[route]]\npath = \"/\"\nto = \"http://{origin}\"\n";
    let gateway = Gateway::configure(text).put("origin", origin.address()).start().await;
    gateway.websocket("/").await.close().await;
    eventually("the tunnel to end", || gateway.in_flight(&origin) == 0).await;

    let stopped = within("the gateway to stop", gateway.stop(11 * 60 * PATIENCE)).await;

    assert_eq!(stopped.cut, 0);
}

/// What is on the wire around a Close frame that was asked for in the middle of a big frame.
#[tokio::test]
async fn a_big_frame_on_its_way_is_finished_first() {
    const SIZE: usize = 1 << 20;
    let origin = Origin::raw(|mut raw| async move {
        raw.read_head().await;
        let head = [&[0x82, 127][..], &(SIZE as u64).to_be_bytes()].concat();
        raw.write(&[SWITCHED.as_bytes(), &head, &vec![7; SIZE / 2]].concat()).await;
        // Once our side has its Close frame, the other waits for this frame to end.
        assert_eq!(raw.read(8).await, [0x88, 0x82, 0, 0, 0, 0, 3, 0xe9]);
        raw.write(&vec![7; SIZE / 2]).await;
        // Behind the gateway's Close frame nothing may follow.
        raw.write(&[0x81, 4, b'l', b'a', b't', b'e']).await;
        raw.read_to_end().await;
    })
    .start()
    .await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;
    raw.write(HANDSHAKE).await;
    raw.read_head().await.unwrap();
    raw.read(10 + SIZE / 4).await;

    let stopping = tokio::spawn(gateway.stop(PATIENCE));
    let rest = raw.read(SIZE - SIZE / 4).await;
    let end = raw.read_to_end().await;
    drop(raw);

    assert!(rest.len() == SIZE - SIZE / 4 && rest.iter().all(|byte| *byte == 7), "the frame is whole");
    assert_eq!(end, [0x88, 2, 3, 0xe9], "then Close 1001, and nothing after it");
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_request_in_flight_is_answered() {
    let (origin, go_on) = Origin::gated(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
    let origin = origin.start().await;
    let gateway = Gateway::before(&origin).await;
    let mut client = gateway.http().await;
    let answering = tokio::spawn(async move { client.send(get("/")).await });
    eventually("the request to be in flight", || gateway.in_flight(&origin) == 1).await;

    let stopping = tokio::spawn(gateway.stop(PATIENCE));
    eventually("the drain to begin", || gateway.inner().drain().has_started()).await;
    go_on.send(true).unwrap();
    let answer = answering.await.unwrap();
    let stopped = stopping.await.unwrap();

    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "done"));
    assert_eq!(answer.header("connection"), "close", "the client is told not to send another");
    assert_eq!(stopped.cut, 0);
}

#[tokio::test]
async fn kept_connections_without_a_request_are_closed_at_once() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let (mut used, mut unused) = (gateway.raw().await, gateway.raw().await);
    used.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    used.read_answer().await.unwrap();

    let stopping = tokio::spawn(gateway.stop(PATIENCE));

    assert_eq!(used.read_to_end().await, b"");
    assert_eq!(unused.read_to_end().await, b"");
    assert_eq!(stopping.await.unwrap().cut, 0);
}

#[tokio::test]
async fn new_connections_are_refused_while_old_ones_end() {
    let (_never, gate) = watch::channel(false);
    let origin = Origin::raw(move |mut raw| {
        let mut gate = gate.clone();
        async move {
            raw.read_head().await;
            let _ended = gate.wait_for(|open| *open).await;
        }
    })
    .start()
    .await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;
    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    eventually("the request to be in flight", || gateway.in_flight(&origin) == 1).await;

    let stopping = tokio::spawn(gateway.stop(PATIENCE));

    let address = gateway.address();
    eventually("connects to be refused", || std::net::TcpStream::connect(address).is_err()).await;
    assert!(!stopping.is_finished(), "the old one still has its time");
    gateway.inner().drain().cut();
    stopping.await.unwrap();
}

#[tokio::test]
async fn the_deadline_cuts_what_has_no_polite_end() {
    let origin = Origin::saying(SWITCHED.replace("websocket", "other")).start().await;
    let gateway = Gateway::configure("[[route]]\npath = \"/\"\nto = \"ws://{raw}\"\nupgrade = [\"any\"]\n")
        .origin(&origin)
        .start()
        .await;
    let mut raw = gateway.raw().await;
    raw.write(&String::from_utf8_lossy(HANDSHAKE).replace("websocket", "other").into_bytes()).await;
    raw.read_head().await.unwrap();

    let stopped = gateway.stop(Duration::from_millis(100)).await;

    assert_eq!(stopped.cut, 1);
    assert_eq!(raw.read_to_end().await, b"", "bytes of ours could be taken for its own");
    eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
}

#[tokio::test]
async fn the_deadline_cuts_a_request_that_is_never_answered() {
    let origin = Origin::raw(|mut raw| async move {
        raw.read_to_end().await;
    })
    .start()
    .await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;
    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    eventually("the request to be in flight", || gateway.in_flight(&origin) == 1).await;

    let stopped = gateway.stop(Duration::from_millis(100)).await;

    assert_eq!(stopped.cut, 1);
    assert_eq!(gateway.inner().drain().remaining(), 0, "nobody is left behind");
    assert_eq!(gateway.in_flight(&origin), 0);
    assert_eq!(raw.read_to_end().await, b"");
}
