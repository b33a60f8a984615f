//! Frames that cost their sender nothing and bring nothing (RFC 9113 §10.5).

use tidegate_tests::frames::{Frame, code, flag, kind, literal, request, setting};
use tidegate_tests::{Gateway, Origin, eventually};

use super::{CALM, Neighbour, Wave, connected, flooded, get, goaway, limited, post, response, unended};

/// The name of a flood, what comes before it, and what is repeated.
type Flood = (&'static str, fn() -> Vec<Frame>, Wave);

/// Each is often enough to be a flood.
const FLOODS: &[Flood] = &[
    ("PING", none, |_| vec![Frame::ping([7; 8])]),
    ("PING that replies", none, |_| vec![Frame::ping([7; 8]).with(flag::ACK)]),
    ("SETTINGS", none, |_| vec![Frame::settings(&[])]),
    ("SETTINGS that change windows", none, |n| vec![Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, n)])]),
    ("WINDOW_UPDATE", none, |_| vec![Frame::window_update(0, 1)]),
    ("WINDOW_UPDATE of a stream", open_post, |_| vec![Frame::window_update(1, 1)]),
    ("PRIORITY", none, |n| vec![Frame::priority(n, 0)]),
    ("an unknown type", none, |_| vec![Frame::new(0xee, 0xff, 0, [1; 100])]),
    ("PRIORITY_UPDATE", none, |n| vec![Frame::new(0x10, 0, 0, [&n.to_be_bytes()[..], b"u=1"].concat())]),
    ("empty DATA", open_post, |_| vec![Frame::data(1, [])]),
    ("DATA of padding alone", open_post, |_| vec![Frame::data(1, [3, 0, 0, 0]).with(flag::PADDED)]),
    ("empty HEADERS", none, |n| vec![Frame::headers(n, [])]),
    ("PING and DATA of a byte", unread_post, |_| vec![Frame::data(1, "x"), Frame::ping([7; 8])]),
    ("CONTINUATION without an end", begun_block, |_| vec![unended(Frame::continuation(1, []))]),
    ("GOAWAY", none, |_| vec![Frame::goaway(0, code::NO_ERROR)]),
];

/// Floods that were counted, of every kind.
fn floods(gateway: &Gateway) -> f64 {
    const KINDS: [&str; 12] = [
        "empty",
        "continuation",
        "priority",
        "ping",
        "window-update",
        "unknown",
        "reset",
        "settings",
        "goaway",
        "push-promise",
        "head",
        "other",
    ];
    KINDS.iter().map(|kind| gateway.metric(&format!("tidegate_http2_floods_total{{kind=\"{kind}\"}}"))).sum()
}

fn none() -> Vec<Frame> {
    Vec::new()
}

fn open_post() -> Vec<Frame> {
    vec![post(1, "/mirror")]
}

fn unread_post() -> Vec<Frame> {
    vec![post(1, "/never")]
}

fn begun_block() -> Vec<Frame> {
    vec![unended(get(1, "/"))]
}

#[tokio::test]
async fn each_is_ended_with_enhance_your_calm_and_others_are_served_meanwhile() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("head_timeout = \"1h\", body_timeout = \"1h\"", &origin).await;
    let mut neighbour = Neighbour::of(&gateway).await;

    for (what, before, wave) in FLOODS {
        let mut frames = connected(&gateway).await;
        for frame in before() {
            frames.send(&frame).await;
        }
        let counted = floods(&gateway);
        assert_eq!(flooded(&mut frames, 20_000, 500, *wave).await, CALM, "{what}");
        neighbour.is_served().await;
        eventually(&format!("{what} is counted"), || floods(&gateway) == counted + 1.0).await;
    }
}

#[tokio::test]
async fn a_client_that_acknowledges_each_small_piece_and_pings_is_served_on_and_on() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("head_timeout = \"1h\"", &origin).await;
    let mut frames = connected(&gateway).await;
    frames.send(&post(1, "/mirror")).await;

    for number in 0..3000_u32 {
        frames.send(&Frame::data(1, "x")).await;
        let data = frames.next_that(|frame| frame.kind == kind::DATA && !frame.payload.is_empty()).await;
        assert!(data.is_some(), "cut at message {number}");
        frames.send(&Frame::window_update(0, 1)).await;
        frames.send(&Frame::window_update(1, 1)).await;
        frames.send(&Frame::ping([1; 8])).await;
    }
    frames.send(&Frame::data(1, []).ending()).await;
    let end = frames.next_that(|frame| frame.stream == 1 && frame.has(flag::END_STREAM)).await;
    assert!(end.is_some());
}

#[tokio::test]
async fn a_header_list_that_grows_when_it_is_decoded_ends_the_connection() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("", &origin).await;
    let mut neighbour = Neighbour::of(&gateway).await;
    let mut frames = connected(&gateway).await;
    // One entry of 3 KB in the dynamic table, named by a byte 12,000 times (RFC 7541 §7.3).
    let bomb = [request("/"), literal(0x40, b"x", &[b'y'; 3000]), vec![0x80 | 62; 12_000]].concat();

    frames.send(&Frame::headers(1, bomb).ending()).await;

    assert_eq!(goaway(&mut frames).await, CALM);
    neighbour.is_served().await;
}

#[tokio::test]
async fn a_header_block_that_does_not_end_is_cut_however_large_its_pieces_are() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("head_timeout = \"1h\"", &origin).await;
    let mut frames = connected(&gateway).await;
    frames.send(&unended(get(1, "/"))).await;

    // Literals in between ends of frames, so that all of it can be decoded.
    let field = literal(0, b"x-field", &[b'y'; 16_000]);
    let mut sent = 0;
    while frames.try_write(&unended(Frame::continuation(1, field.clone())).bytes()).await && sent < 10_000 {
        sent += 1;
    }

    let all = frames.rest().await;
    assert!(sent < 10_000, "160 MB of a header block were read");
    assert!(all.iter().any(|frame| frame.kind == kind::GOAWAY && frame.code() == CALM), "{all:?}");
    let mut neighbour = Neighbour::of(&gateway).await;
    neighbour.is_served().await;
}

#[tokio::test]
async fn what_is_too_many_for_a_second_is_not_too_many_for_a_busy_connection() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("", &origin).await;
    let mut frames = connected(&gateway).await;

    for number in 0..600 {
        let stream = 1 + 2 * number;
        frames.send(&Frame::priority(stream, 0)).await;
        frames.send(&get(stream, "/")).await;
        assert_eq!(response(&mut frames, stream).await, Some(200), "request {number}");
        frames.send(&Frame::window_update(0, 500)).await;
        frames.send(&Frame::ping([0; 8])).await;
    }
}

#[tokio::test]
async fn a_head_that_is_far_too_long_has_a_word_of_its_own() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("head = \"8KiB\"", &origin).await;
    let mut frames = connected(&gateway).await;

    frames.send(&unended(get(1, "/"))).await;
    for _ in 0..16 {
        frames.send(&unended(Frame::continuation(1, literal(0, b"x-long", "x".repeat(8 * 1024).as_bytes())))).await;
    }

    assert_eq!(goaway(&mut frames).await, CALM);
    let counted = || gateway.metric("tidegate_http2_floods_total{kind=\"head\"}");
    eventually("it is counted", || counted() == 1.0).await;
    assert_eq!(floods(&gateway), 1.0, "as nothing else");
}
