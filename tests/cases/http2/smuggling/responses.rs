//! Responses of an endpoint in HTTP/2, right and wrong, towards clients in either version.

use std::fmt::Write as _;
use std::sync::Arc;

use tidegate_tests::frames::{Frame, Frames, PREFACE, block, flag, kind, request, status};
use tidegate_tests::{Gateway, Origin, Raw};

/// What a client gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// A response to its end.
    Status(u16),
    /// The head of one with status 200, and then a break; or a 502, where what is wrong came with the head.
    Broken,
}

use Outcome::{Broken, Status};

impl Outcome {
    /// Whether a client may get `found` where this is expected.
    fn permits(self, found: Self) -> bool {
        self == found || (self == Broken && found == UNREADABLE)
    }
}

/// What comes instead of a response that cannot be read.
const UNREADABLE: Outcome = Status(502);

/// A response, in frames on stream 1.
struct Response {
    frames: Vec<Frame>,
    outcome: Outcome,
}

fn of(frames: Vec<Frame>, outcome: Outcome) -> Response {
    Response { frames, outcome }
}

/// A head that ends the stream.
fn head(fields: &[(&str, &str)], outcome: Outcome) -> Response {
    of(vec![Frame::headers(1, block(fields)).ending()], outcome)
}

/// A head with status 200 and these fields.
fn with(more: &[(&str, &str)], outcome: Outcome) -> Response {
    head(&[&[(":status", "200")], more].concat(), outcome)
}

/// A head with status 200 and these fields, and these frames behind it.
fn before(more: &[(&str, &str)], behind: Vec<Frame>, outcome: Outcome) -> Response {
    let head = Frame::headers(1, block(&[&[(":status", "200")], more].concat()));
    of([vec![head], behind].concat(), outcome)
}

fn data(bytes: &str) -> Frame {
    Frame::data(1, bytes)
}

fn trailers(fields: &[(&str, &str)]) -> Frame {
    Frame::headers(1, block(fields)).ending()
}

fn interim(status: &str) -> Frame {
    Frame::headers(1, block(&[(":status", status), ("link", "</a>")]))
}

const HIDDEN: &str = "HTTP/1.1 200 OK\r\nx-smuggled: 1\r\ncontent-length: 0\r\n\r\n";

fn responses() -> Vec<Response> {
    let ok = || Frame::headers(1, block(&[(":status", "200")])).ending();
    vec![
        with(&[], Status(200)),
        before(&[], vec![data("hello").ending()], Status(200)),
        before(&[("content-length", "5")], vec![data("hello").ending()], Status(200)),
        // Statuses (RFC 9113 §8.3.2).
        head(&[(":status", "101")], UNREADABLE),
        head(&[(":status", "100")], UNREADABLE),
        head(&[(":status", "103")], UNREADABLE),
        head(&[(":status", "0")], UNREADABLE),
        head(&[(":status", "99")], UNREADABLE),
        head(&[(":status", "1000")], UNREADABLE),
        head(&[(":status", "")], UNREADABLE),
        head(&[(":status", "200 OK\r\nx: y")], UNREADABLE),
        head(&[(":status", "200"), (":status", "200")], UNREADABLE),
        head(&[("x", "1"), (":status", "200")], UNREADABLE),
        head(&[("x", "1")], UNREADABLE),
        head(&[(":status", "200"), (":other", "1")], UNREADABLE),
        // Fields.
        with(&[("connection", "close")], UNREADABLE),
        with(&[("keep-alive", "timeout=5")], UNREADABLE),
        with(&[("transfer-encoding", "chunked")], UNREADABLE),
        with(&[("upgrade", "websocket")], UNREADABLE),
        with(&[("X-Upper", "1")], UNREADABLE),
        with(&[("x:y", "1")], UNREADABLE),
        with(&[("x", "1\r\nx-smuggled: 1")], UNREADABLE),
        with(&[("x", "1\nx-smuggled: 1")], UNREADABLE),
        with(&[("x", "1\0")], UNREADABLE),
        with(&[("x\r\nx-smuggled", "1")], UNREADABLE),
        with(&[("x", " 1")], UNREADABLE),
        with(&[("x", "1\t")], UNREADABLE),
        with(&[("x", "a\tb")], Status(200)),
        // Lengths (RFC 9113 §8.1.1).
        with(&[("content-length", "0")], Status(200)),
        with(&[("content-length", "5")], UNREADABLE),
        with(&[("content-length", "x")], UNREADABLE),
        before(&[("content-length", "5"), ("content-length", "6")], vec![data("hello").ending()], UNREADABLE),
        before(&[("content-length", "5"), ("content-length", "5")], vec![data("hello").ending()], Status(200)),
        before(&[("content-length", "9")], vec![data("hello").ending()], Broken),
        before(&[("content-length", "5")], vec![data("hel"), data(HIDDEN).ending()], Broken),
        before(&[], vec![data("0\r\n\r\n"), data(HIDDEN).ending()], Status(200)),
        // Interim responses (RFC 9113 §8.1).
        of(vec![interim("103"), interim("100"), ok()], Status(200)),
        of(vec![interim("101"), ok()], UNREADABLE),
        of(vec![interim("103").ending()], UNREADABLE),
        of(vec![interim("103"), data("a"), ok()], UNREADABLE),
        of([vec![interim("103"); 20_000], vec![ok()]].concat(), UNREADABLE),
        // Trailers.
        before(
            &[],
            vec![data("a"), trailers(&[("sum", "1"), ("set-cookie", "a=b"), ("content-length", "9")])],
            Status(200),
        ),
        before(&[], vec![data("a"), trailers(&[("transfer-encoding", "chunked")])], Broken),
        before(&[], vec![data("a"), trailers(&[("sum", "1\r\nx-smuggled: 1")])], Broken),
        before(&[], vec![data("a"), Frame::headers(1, block(&[("sum", "1")]))], Broken),
        before(&[("content-length", "5")], vec![data("a"), trailers(&[("sum", "1")])], Broken),
        // Frames where none may be.
        of(vec![data("hello").ending(), ok()], UNREADABLE),
        of(vec![ok(), data("hello").ending()], Status(200)),
        of(
            vec![Frame::new(kind::PUSH_PROMISE, flag::END_HEADERS, 1, [&[0, 0, 0, 2][..], &request("/")].concat())],
            UNREADABLE,
        ),
    ]
}

/// An endpoint that sends these frames for the first request, whatever that is.
async fn endpoint(frames: Vec<Frame>) -> Origin {
    let bytes: Arc<Vec<u8>> = Arc::new(frames.iter().flat_map(Frame::bytes).collect());
    Origin::raw(move |mut raw: Raw| {
        let bytes = bytes.clone();
        async move {
            assert_eq!(raw.read(PREFACE.len()).await, PREFACE);
            let mut frames = Frames::over(raw);
            frames.send(&Frame::settings(&[])).await;
            while let Some(frame) = frames.next().await {
                match frame.kind {
                    kind::SETTINGS if !frame.has(flag::ACK) => frames.send(&Frame::settings_ack()).await,
                    kind::HEADERS => frames.write(&bytes).await,
                    _ => {}
                }
            }
        }
    })
    .start()
    .await
}

/// A gateway with a route `/case-N` to an endpoint for each of these, and `/fine` to one that is fine; and those.
async fn stage(responses: &[Response]) -> (Gateway, Vec<Origin>) {
    let fine = Origin::named("fine").start().await;
    let mut origins = Vec::new();
    for response in responses {
        origins.push(endpoint(response.frames.clone()).await);
    }
    let mut text = format!("[[route]]\npath = \"/fine\"\nto = \"http://{}\"\n", fine.address());
    for (number, origin) in origins.iter().enumerate() {
        let address = origin.address();
        write!(
            text,
            "[[route]]\npath = \"/case-{number}/\"\nto = \"balancer://c{number}\"\n\
             [cluster.c{number}]\nendpoints = [\"http://{address}\"]\nprotocol = \"h2\"\n"
        )
        .unwrap();
    }
    origins.push(fine);
    (Gateway::configure(&text).start().await, origins)
}

#[tokio::test]
async fn a_client_in_http1_gets_one_response_or_a_failure() {
    let responses = responses();
    let (gateway, _origins) = stage(&responses).await;
    let mut wrong = Vec::new();
    for (number, response) in responses.iter().enumerate() {
        let mut raw = gateway.raw().await;
        let both = format!(
            "GET /case-{number}/ HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: TE\r\n\r\n\
             GET /fine HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        );
        raw.write(both.as_bytes()).await;
        let text = String::from_utf8_lossy(&raw.read_to_end().await).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let found = if text.contains("\r\nx-endpoint: fine\r\n") { Status(status) } else { Broken };
        let first = text.split("HTTP/1.1 200 OK\r\nx-endpoint: fine").next().unwrap_or_default();
        // Within a chunk it is data.
        let hidden = first.matches("\r\n35\r\nHTTP/1.1 ").count();
        let is_one = first.matches("HTTP/1.1 ").count() - hidden == 1;
        if !response.outcome.permits(found) || !is_one || first.contains("\r\nset-cookie:") {
            wrong.push(format!("{number} {:?}: expected {:?}, found {text:?}", response.frames, response.outcome));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_client_in_http2_gets_one_response_or_a_failure() {
    let responses = responses();
    let (gateway, _origins) = stage(&responses).await;
    let mut frames = Frames::client(gateway.connect().await, &[]).await;
    let mut wrong = Vec::new();
    for (number, response) in responses.iter().enumerate() {
        let stream = u32::try_from(number).unwrap() * 2 + 1;
        frames.send(&Frame::headers(stream, request(&format!("/case-{number}/"))).ending()).await;
        let mut came = Vec::new();
        loop {
            let frame = frames.next_that(|frame| frame.stream == stream || frame.kind == kind::GOAWAY).await;
            let frame = frame.unwrap_or_else(|| panic!("{number}: the connection has ended behind {came:?}"));
            assert_ne!(frame.kind, kind::GOAWAY, "{number}: {frame:?}");
            came.push(frame);
            let last = came.last().unwrap();
            if last.kind == kind::RST_STREAM || last.has(flag::END_STREAM) {
                break;
            }
        }
        let final_head = came.iter().filter(|frame| frame.kind == kind::HEADERS).find_map(|frame| {
            let status = status(&frame.payload)?;
            (status >= 200).then_some(status)
        });
        let last = came.last().unwrap();
        let found = match last.code() {
            Some(code) => {
                assert_ne!(code, tidegate_tests::frames::code::NO_ERROR);
                Broken
            }
            None => Status(final_head.unwrap_or(0)),
        };
        if !response.outcome.permits(found) {
            wrong.push(format!("{number} {:?}: expected {:?}, found {came:?}", response.frames, response.outcome));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
