//! Requests that are reset again, by the client (CVE-2023-44487) or because of what it does (CVE-2025-8671).

use tidegate_tests::frames::{Frame, Frames, block, code, kind, request};
use tidegate_tests::{Gateway, Origin, eventually};

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

/// Requests that are reset before their response, by either side, with what might pay for them.
const PAID: &[(&str, Wave)] = &[
    ("a body of a byte", |stream| {
        vec![post(stream, "/never"), Frame::data(stream, "x"), Frame::reset(stream, code::CANCEL)]
    }),
    ("a body of a kilobyte", |stream| {
        vec![post(stream, "/never"), Frame::data(stream, vec![0; 1024]), Frame::reset(stream, code::CANCEL)]
    }),
    ("trailers with a value that is malformed", |stream| {
        vec![post(stream, "/never"), Frame::headers(stream, block(&[("x", " a")])).ending()]
    }),
    ("trailers with a pseudo-header field", |stream| {
        vec![post(stream, "/never"), Frame::headers(stream, block(&[(":path", "/")])).ending()]
    }),
    ("responses of the gateway's own", |stream| match stream % 6 {
        1 => vec![get(stream, "/own")],
        _ => vec![get(stream, "/never"), Frame::reset(stream, code::CANCEL)],
    }),
];

/// Sends `wave` in small groups, each when the one before has been taken in, so that the library's own limits are never
/// met: the code of the GOAWAY.
async fn paced(frames: &mut Frames, wave: Wave) -> Option<u32> {
    for first in (0..20_000).step_by(30) {
        let bytes: Vec<u8> =
            (first..first + 30).flat_map(|number| wave(1 + 2 * number)).flat_map(|f| f.bytes()).collect();
        if !frames.try_write(&bytes).await {
            return goaway(frames).await;
        }
        let (before, goes_on) = frames.until_pong().await;
        if !goes_on {
            return before.iter().rfind(|frame| frame.kind == kind::GOAWAY).and_then(Frame::code);
        }
    }
    None
}

#[tokio::test]
async fn nothing_that_is_cheaper_than_a_reset_pays_for_one() {
    let origin = Origin::named("a").start().await;
    let text = "[[listen]]\naddress = \"127.0.0.1:0\"\n[[route]]\npath = \"/own\"\nrespond = { status = 200 }\n\
                [[route]]\npath = \"/\"\nto = \"http://{origin}\"\n";
    let gateway = Gateway::configure(text).put("origin", origin.address()).start().await;
    let mut neighbour = Neighbour::of(&gateway).await;

    for (what, wave) in PAID {
        let mut frames = connected(&gateway).await;
        assert_eq!(paced(&mut frames, *wave).await, CALM, "{what}");
        neighbour.is_served().await;
    }
    eventually("all are given up", || gateway.in_flight(&origin) == 0).await;
}

#[tokio::test]
async fn who_lets_most_of_its_requests_be_served_may_cancel_the_others_on_and_on() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("", &origin).await;
    let mut frames = connected(&gateway).await;

    // A proxy in front, of whose clients one of five leaves.
    for round in 0..600 {
        let first = 1 + 10 * round;
        frames.send(&Frame::window_update(0, 2000)).await;
        frames.send(&get(first, "/never")).await;
        frames.send(&Frame::reset(first, code::CANCEL)).await;
        for stream in [first + 2, first + 4, first + 6, first + 8] {
            frames.send(&get(stream, "/")).await;
            assert_eq!(response(&mut frames, stream).await, Some(200), "stream {stream}");
        }
    }
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
    ("a head with a value that is malformed", |stream| {
        let bad = block(&[("x", " a")]);
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
