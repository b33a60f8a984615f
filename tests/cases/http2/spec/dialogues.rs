//! Where the second frame depends on what came back after the first.

use tidegate_tests::frames::{Frame, Frames, PREFACE, code, flag, kind, request, setting};
use tidegate_tests::{Gateway, Origin};

use super::{Expected, STREAM_CLOSED, get, get_on, post, responds};

async fn gateway() -> (Origin, Gateway) {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    (origin, gateway)
}

async fn client(gateway: &Gateway, settings: &[(u16, u32)]) -> Frames {
    Frames::client(gateway.connect().await, settings).await
}

/// The DATA of `stream` that comes before the acknowledgement of a PING, added up.
async fn data(frames: &mut Frames, stream: u32) -> usize {
    let (before, is_pong) = frames.until_pong().await;
    assert!(is_pong, "the connection must go on: {before:?}");
    let data = before.iter().filter(|frame| frame.kind == kind::DATA && frame.stream == stream);
    data.map(|frame| frame.payload.len()).sum()
}

/// RFC 9113 §3.4.
#[tokio::test]
async fn settings_are_the_first_frame_and_are_acknowledged() {
    let (_origin, gateway) = gateway().await;
    let mut frames = Frames::new(gateway.connect().await);

    frames.write(PREFACE).await;
    frames.send(&Frame::settings(&[])).await;

    let first = frames.next().await.expect("a frame");
    assert!(first.kind == kind::SETTINGS && !first.has(flag::ACK), "{first:?}");
    let is_acknowledgement = |frame: &Frame| frame.kind == kind::SETTINGS && frame.has(flag::ACK);
    assert!(frames.next_that(is_acknowledgement).await.is_some());
}

/// RFC 9113 §3.4: such a connection is closed; GOAWAY may be left out, since nobody there may know what it is.
#[tokio::test]
async fn another_preface_ends_the_connection() {
    let (_origin, gateway) = gateway().await;
    for preface in
        ["INVALID CONNECTION PREFACE\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\r\r\r", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"]
    {
        let mut raw = gateway.raw().await;

        raw.write(preface.as_bytes()).await;

        let said = raw.read_to_end().await;
        assert!(!said.windows(3).any(|bytes| bytes == b"200"), "{preface:?}: {said:?}");
    }
}

/// RFC 9113 §3.4: SETTINGS are the first frame of a client too.
#[tokio::test]
async fn another_frame_before_settings_is_a_connection_error() {
    let (_origin, gateway) = gateway().await;
    let mut frames = Frames::new(gateway.connect().await);

    frames.write(&[PREFACE, &get()].concat()).await;

    Expected::Goaway(&[code::PROTOCOL_ERROR]).comes(&mut frames).await.unwrap();
}

/// RFC 9113 §5.1: closed by END_STREAM of both sides.
#[tokio::test]
async fn frames_on_a_stream_that_has_ended_are_errors() {
    let (_origin, gateway) = gateway().await;
    let cases = [
        ("DATA", Frame::data(1, "a").ending()),
        ("HEADERS", Frame::headers(1, request("/")).ending()),
        ("CONTINUATION", Frame::continuation(1, request("/"))),
    ];
    for (what, frame) in cases {
        let mut frames = client(&gateway, &[]).await;
        frames.write(&get()).await;
        responds(&mut frames, 1, 200).await.unwrap();

        frames.send(&frame).await;

        let expected = Expected::Reset(STREAM_CLOSED);
        expected.comes(&mut frames).await.unwrap_or_else(|why| panic!("{what}: {why}"));
    }
}

/// RFC 9113 §5.1: what may still be on its way.
#[tokio::test]
async fn priority_window_updates_and_resets_of_a_stream_that_has_ended_are_taken() {
    let (_origin, gateway) = gateway().await;
    for frame in [Frame::priority(1, 0), Frame::window_update(1, 1), Frame::reset(1, code::CANCEL)] {
        let mut frames = client(&gateway, &[]).await;
        frames.write(&get()).await;
        responds(&mut frames, 1, 200).await.unwrap();

        frames.send(&frame).await;

        Expected::GoesOn.comes(&mut frames).await.unwrap_or_else(|why| panic!("{frame:?}: {why}"));
    }
}

/// RFC 9113 §5.1.2.
#[tokio::test]
async fn streams_above_the_announced_limit_are_refused() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut frames = Frames::new(gateway.connect().await);
    frames.write(PREFACE).await;
    frames.send(&Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, 0)])).await;
    let settings = frames.next().await.expect("SETTINGS").each_setting();
    let limit = settings.iter().find(|(name, _)| *name == setting::MAX_CONCURRENT_STREAMS);
    let (_, limit) = limit.unwrap_or_else(|| panic!("no limit of streams: {settings:?}"));
    frames.send(&Frame::settings_ack()).await;

    // Responses stay open without a window.
    let requests = (0..=*limit).map(|number| get_on(2 * number + 1));
    frames.write(&requests.flatten().collect::<Vec<_>>()).await;

    let refused = frames.next_that(|frame| matches!(frame.kind, kind::RST_STREAM | kind::GOAWAY)).await;
    let refused = refused.expect("an error");
    assert_eq!((refused.kind, refused.stream), (kind::RST_STREAM, 2 * limit + 1), "{refused:?}");
    assert!(matches!(refused.code(), Some(code::REFUSED_STREAM | code::PROTOCOL_ERROR)), "{refused:?}");
}

/// RFC 9113 §6.8: who says GOAWAY still reads what it has asked for.
#[tokio::test]
async fn goaway_of_a_client_lets_its_requests_finish() {
    let (_origin, gateway) = gateway().await;
    for error in [code::NO_ERROR, 0xff] {
        let mut frames = client(&gateway, &[]).await;
        frames.write(&get()).await;
        responds(&mut frames, 1, 200).await.unwrap();

        frames.send(&Frame::goaway(0, error)).await;

        // The connection may end, now that nothing is under way, or go on; it must not be treated as broken.
        let (before, _is_pong) = frames.until_pong().await;
        let wrong = before.iter().find(|frame| frame.kind == kind::GOAWAY && frame.code() != Some(code::NO_ERROR));
        assert!(wrong.is_none(), "{wrong:?}");
    }
}

/// RFC 9113 §6.9.1.
#[tokio::test]
async fn no_more_is_sent_than_the_window_of_a_stream_lets_through() {
    let (_origin, gateway) = gateway().await;
    let mut frames = client(&gateway, &[(setting::INITIAL_WINDOW_SIZE, 1)]).await;

    frames.write(&get()).await;
    let first = frames.next_that(|frame| frame.kind == kind::DATA).await.expect("DATA");
    assert_eq!(first.payload.len(), 1);
    assert_eq!(data(&mut frames, 1).await, 0, "the window is used up");

    frames.send(&Frame::window_update(1, 3)).await;
    let next = frames.next_that(|frame| frame.kind == kind::DATA).await.expect("DATA");
    assert_eq!(next.payload.len(), 3);

    frames.send(&Frame::window_update(1, 1 << 20)).await;
    responds_with_rest(&mut frames).await;
}

async fn responds_with_rest(frames: &mut Frames) {
    let last = frames.next_that(|frame| frame.kind == kind::DATA && frame.has(flag::END_STREAM)).await;
    assert!(last.is_some(), "a response to its end");
}

/// RFC 9113 §6.9.2: a change of the initial window changes those of streams that are open, below zero too.
#[tokio::test]
async fn windows_follow_the_initial_window() {
    let (_origin, gateway) = gateway().await;
    let mut frames = client(&gateway, &[(setting::INITIAL_WINDOW_SIZE, 3)]).await;
    frames.write(&get()).await;
    let first = frames.next_that(|frame| frame.kind == kind::DATA).await.expect("DATA");
    assert_eq!(first.payload.len(), 3);

    frames.send(&Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, 2)])).await;
    frames.send(&Frame::window_update(1, 1)).await;
    assert_eq!(data(&mut frames, 1).await, 0, "its window was -1, and is 0");

    frames.send(&Frame::window_update(1, 1)).await;
    let next = frames.next_that(|frame| frame.kind == kind::DATA).await.expect("DATA");
    assert_eq!(next.payload.len(), 1);

    frames.send(&Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, 1 << 20)])).await;
    responds_with_rest(&mut frames).await;
}

/// RFC 9113 §6.9.2: a stream without a window gets one by a WINDOW_UPDATE after its request has ended; RFC 9113 §5.1,
/// half-closed (remote).
#[tokio::test]
async fn a_window_that_was_zero_opens() {
    let (_origin, gateway) = gateway().await;
    let mut frames = client(&gateway, &[(setting::INITIAL_WINDOW_SIZE, 0)]).await;
    frames.write(&get()).await;
    frames.send(&Frame::priority(1, 0)).await;
    assert_eq!(data(&mut frames, 1).await, 0);

    frames.send(&Frame::window_update(1, 1)).await;

    let next = frames.next_that(|frame| frame.kind == kind::DATA).await.expect("DATA");
    assert_eq!(next.payload.len(), 1);
}

/// RFC 9113 §6.5.3: settings are worked on in their order, the last of the same name counts.
#[tokio::test]
async fn the_last_of_several_values_of_a_setting_counts() {
    let (_origin, gateway) = gateway().await;
    let several = [(setting::INITIAL_WINDOW_SIZE, 100), (setting::INITIAL_WINDOW_SIZE, 1)];
    let mut frames = client(&gateway, &several).await;

    frames.write(&get()).await;

    let first = frames.next_that(|frame| frame.kind == kind::DATA).await.expect("DATA");
    assert_eq!(first.payload.len(), 1);
}

/// RFC 9113 §6.9.2: the change is what makes the window too large.
#[tokio::test]
async fn an_initial_window_that_makes_another_too_large_is_an_error() {
    let (_origin, gateway) = gateway().await;
    let mut frames = client(&gateway, &[]).await;
    frames.write(&post(&[])).await;
    frames.send(&Frame::window_update(1, (1 << 31) - 1 - 65_535)).await;

    frames.send(&Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, 65_536)])).await;

    Expected::Goaway(&[code::FLOW_CONTROL_ERROR]).comes(&mut frames).await.unwrap();
}

/// RFC 9113 §6.7.
#[tokio::test]
async fn a_ping_comes_back_with_what_it_carried() {
    let (_origin, gateway) = gateway().await;
    let mut frames = client(&gateway, &[]).await;

    frames.send(&Frame::ping(*b"\0\x01\x02\x03\xfc\xfd\xfe\xff")).await;

    let pong = frames.next_that(|frame| frame.kind == kind::PING).await.expect("PING");
    assert!(pong.has(flag::ACK) && pong.payload == *b"\0\x01\x02\x03\xfc\xfd\xfe\xff", "{pong:?}");
}

/// RFC 9113 §4.1: frames in any pieces, as networks deliver them.
#[tokio::test]
async fn frames_may_come_byte_by_byte() {
    let (_origin, gateway) = gateway().await;
    let mut frames = Frames::new(gateway.connect().await);

    for byte in [PREFACE, &Frame::settings(&[(setting::HEADER_TABLE_SIZE, 0)]).bytes(), &get()].concat() {
        frames.write(&[byte]).await;
    }

    responds(&mut frames, 1, 200).await.unwrap();
}
