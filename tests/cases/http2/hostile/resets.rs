//! Requests that are reset again, by the client (CVE-2023-44487) or because of what it does (CVE-2025-8671).

use tidegate_tests::frames::{Frame, block, code, kind, request};
use tidegate_tests::{Origin, eventually};

use super::{CALM, Neighbour, Wave, connected, flooded, get, goaway, limited, post, response};

#[tokio::test]
async fn requests_that_are_cancelled_at_once_end_the_connection() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("", &origin).await;
    let mut neighbour = Neighbour::of(&gateway).await;
    let mut frames = connected(&gateway).await;

    let wave: Wave = |stream| vec![get(stream, "/never"), Frame::reset(stream, code::CANCEL)];
    assert_eq!(flooded(&mut frames, 20_000, 200, wave).await, CALM);

    assert!(origin.seen().len() < 2000, "{} requests reached the endpoint", origin.seen().len());
    neighbour.is_served().await;
}

#[tokio::test]
async fn requests_that_are_cancelled_when_they_have_reached_the_endpoint_end_the_connection() {
    const AT_ONCE: u32 = 100;
    let origin = Origin::named("a").start().await;
    let gateway = limited("", &origin).await;
    let mut neighbour = Neighbour::of(&gateway).await;
    let mut frames = connected(&gateway).await;

    let mut sent = 0;
    let last = loop {
        let streams: Vec<_> = (sent..sent + AT_ONCE).map(|number| 1 + 2 * number).collect();
        sent += AT_ONCE;
        let requests: Vec<u8> = streams.iter().flat_map(|stream| get(*stream, "/never").bytes()).collect();
        if !frames.try_write(&requests).await {
            break goaway(&mut frames).await;
        }
        let (before, goes_on) = frames.until_pong().await;
        if !goes_on {
            break before.iter().rfind(|frame| frame.kind == kind::GOAWAY).and_then(Frame::code);
        }
        eventually("all reach the endpoint", || origin.seen().len() >= sent as usize).await;
        let resets: Vec<u8> = streams.iter().flat_map(|stream| Frame::reset(*stream, code::CANCEL).bytes()).collect();
        frames.write(&resets).await;
        assert!(sent < 10_000, "10,000 requests were cancelled");
    };

    assert_eq!(last, CALM);
    neighbour.is_served().await;
    eventually("all are given up", || gateway.in_flight(&origin) == 0).await;
}

/// What makes a gateway reset a stream.
const MADE: &[(&str, Wave)] = &[
    ("a window that overflows", |stream| {
        let most = Frame::window_update(stream, (1 << 31) - 1);
        vec![post(stream, "/never"), most.clone(), most]
    }),
    ("a body that is longer than was said", |stream| {
        let head = block(&[
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/never"),
            (":authority", "gateway.test"),
            ("content-length", "1"),
        ]);
        vec![Frame::headers(stream, head), Frame::data(stream, "more than one")]
    }),
    ("a request that is malformed", |stream| {
        let bad = block(&[("connection", "close")]);
        vec![Frame::headers(stream, [request("/never"), bad].concat()).ending()]
    }),
    ("a stream that depends on itself", |stream| vec![post(stream, "/never"), Frame::priority(stream, stream)]),
];

#[tokio::test]
async fn streams_that_the_gateway_is_made_to_reset_end_the_connection() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("", &origin).await;
    let mut neighbour = Neighbour::of(&gateway).await;

    for (what, wave) in MADE {
        let mut frames = connected(&gateway).await;
        assert_eq!(flooded(&mut frames, 20_000, 200, *wave).await, CALM, "{what}");
        neighbour.is_served().await;
    }
    eventually("all are given up", || gateway.in_flight(&origin) == 0).await;
}

#[tokio::test]
async fn more_streams_than_are_allowed_are_refused_and_their_flood_ends_the_connection() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("streams = 3", &origin).await;
    let mut frames = connected(&gateway).await;
    for stream in [1, 3, 5] {
        frames.send(&get(stream, "/never")).await;
    }

    frames.send(&get(7, "/")).await;
    let refused = frames.next_that(|frame| frame.stream == 7).await.expect("an end of the fourth");
    assert_eq!((refused.kind, refused.code()), (kind::RST_STREAM, Some(code::REFUSED_STREAM)));
    frames.send(&Frame::reset(1, code::CANCEL)).await;
    frames.send(&get(9, "/")).await;
    assert_eq!(response(&mut frames, 9).await, Some(200), "there is room again");
    frames.send(&get(11, "/never")).await;

    assert_eq!(flooded(&mut frames, 20_000, 200, |stream| vec![get(stream + 12, "/")]).await, CALM);
}

#[tokio::test]
async fn a_browser_that_leaves_a_page_cancels_all_of_it_and_goes_on() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("", &origin).await;
    let mut frames = connected(&gateway).await;

    let all: Vec<u32> = (0..90).map(|number| 1 + 2 * number).collect();
    let requests = all.iter().flat_map(|stream| get(*stream, "/never").bytes());
    let resets = all.iter().flat_map(|stream| Frame::reset(*stream, code::CANCEL).bytes());
    frames.write(&requests.chain(resets).collect::<Vec<_>>()).await;

    frames.send(&get(1001, "/")).await;
    assert_eq!(response(&mut frames, 1001).await, Some(200));
}
