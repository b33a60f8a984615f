//! Requests over HTTP/2, right and wrong, towards endpoints in either version.

use tidegate_tests::frames::{Frame, Frames, block, code, flag, kind, status};
use tidegate_tests::{Gateway, Origin};

use super::recorded::Recorded;

/// What comes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// A response.
    Status(u16),
    /// RST_STREAM with this code.
    Reset(u32),
    /// GOAWAY with this code, or the end of the connection.
    Closed(u32),
}

use Outcome::{Closed, Reset, Status};

const MALFORMED: Outcome = Reset(code::PROTOCOL_ERROR);

type Field = (Vec<u8>, Vec<u8>);

/// A request: `{}` in a value stands for the path of this one alone.
struct Request {
    fields: Vec<Field>,
    /// Frames behind the head; the head ends the stream if there are none.
    behind: Vec<Frame>,
    outcome: Outcome,
}

fn field(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Field {
    (name.as_ref().to_vec(), value.as_ref().to_vec())
}

fn usual() -> Vec<Field> {
    vec![field(":method", "GET"), field(":scheme", "http"), field(":path", "{}"), field(":authority", "gateway.test")]
}

fn of(fields: Vec<Field>, outcome: Outcome) -> Request {
    Request { fields, behind: Vec::new(), outcome }
}

/// With these fields more.
fn with(more: &[(&str, &str)], outcome: Outcome) -> Request {
    of(usual().into_iter().chain(more.iter().map(|(name, value)| field(name, value))).collect(), outcome)
}

/// With another value of a pseudo-header field.
fn instead(name: &str, value: impl AsRef<[u8]>, outcome: Outcome) -> Request {
    let fields = usual().into_iter().map(|(there, old)| match there == name.as_bytes() {
        true => field(name, &value),
        false => (there, old),
    });
    of(fields.collect(), outcome)
}

fn without(name: &str, outcome: Outcome) -> Request {
    of(usual().into_iter().filter(|(there, _)| there != name.as_bytes()).collect(), outcome)
}

/// A POST with this `content-length` if any, and these frames behind it, on stream 1.
fn post(more: &[(&str, &str)], behind: Vec<Frame>, outcome: Outcome) -> Request {
    let mut request = with(more, outcome);
    request.fields[0] = field(":method", "POST");
    Request { behind, ..request }
}

fn trailers(fields: &[(&str, &str)]) -> Frame {
    Frame::headers(1, block(fields)).ending()
}

/// Another request, as it would be hidden in a value.
const HIDDEN: &str = " HTTP/1.1\r\nHost: h\r\n\r\nGET /smuggled";

fn heads() -> Vec<Request> {
    let mut requests = vec![
        of(usual(), Status(200)),
        // Values (RFC 9113 §8.2.1, RFC 9110 §5.5).
        with(&[("x", "a\tb \u{e9}")], Status(200)),
        with(&[("x", "")], Status(200)),
        with(&[("x", " a")], MALFORMED),
        with(&[("x", "a ")], MALFORMED),
        with(&[("x", "\ta")], MALFORMED),
        with(&[("x", "a\t")], MALFORMED),
        // Names.
        with(&[("X-Upper", "a")], Closed(code::PROTOCOL_ERROR)),
        with(&[("a\"b", "1")], MALFORMED),
        // Fields about the connection (RFC 9113 §8.2.2).
        with(&[("connection", "close")], MALFORMED),
        with(&[("connection", "x")], MALFORMED),
        with(&[("keep-alive", "timeout=5")], MALFORMED),
        with(&[("proxy-connection", "close")], MALFORMED),
        with(&[("transfer-encoding", "chunked")], MALFORMED),
        with(&[("transfer-encoding", "identity")], MALFORMED),
        with(&[("upgrade", "websocket")], MALFORMED),
        with(&[("te", "gzip")], MALFORMED),
        with(&[("te", "trailers, gzip")], MALFORMED),
        with(&[("te", "trailers")], Status(200)),
        with(&[("transfer_encoding", "chunked")], Status(200)),
        with(&[("http2-settings", "AAMAAABkAAQAAP__")], Status(200)),
        // Cookies in pieces are one (RFC 9113 §8.2.3).
        with(&[("cookie", "a=b"), ("x", "1"), ("cookie", "c=d")], Status(200)),
        // Lengths (RFC 9113 §8.1.1).
        with(&[("content-length", "0")], Status(200)),
        with(&[("content-length", "5")], MALFORMED),
        with(&[("content-length", "+0")], MALFORMED),
        with(&[("content-length", "0x0")], MALFORMED),
        with(&[("content-length", "0, 0")], MALFORMED),
        with(&[("content-length", "99999999999999999999")], MALFORMED),
        // Pseudo-header fields (RFC 9113 §8.3).
        without(":method", MALFORMED),
        without(":scheme", MALFORMED),
        without(":path", MALFORMED),
        without(":authority", Status(400)),
        with(&[(":method", "GET")], MALFORMED),
        with(&[(":path", "/smuggled")], MALFORMED),
        with(&[(":authority", "other.test")], MALFORMED),
        with(&[(":scheme", "https")], MALFORMED),
        with(&[("x", "1"), (":path", "/smuggled")], MALFORMED),
        with(&[(":status", "200")], MALFORMED),
        with(&[(":protocol", "websocket")], MALFORMED),
        // The path.
        instead(":path", "", MALFORMED),
        instead(":path", "smuggled", MALFORMED),
        instead(":path", "?smuggled", MALFORMED),
        instead(":path", "*", MALFORMED),
        instead(":path", "http://other.test/smuggled", MALFORMED),
        instead(":path", format!("{{}}{HIDDEN}"), MALFORMED),
        instead(":path", "{} HTTP/1.1", MALFORMED),
        instead(":path", "{}\r\nx: y", MALFORMED),
        instead(":path", "{}\0", MALFORMED),
        instead(":path", "{}\t", MALFORMED),
        instead(":path", " {}", MALFORMED),
        // The method.
        instead(":method", "G T", Closed(code::PROTOCOL_ERROR)),
        instead(":method", format!("GET /smuggled{HIDDEN}"), Closed(code::PROTOCOL_ERROR)),
        instead(":method", "GET\r\n", Closed(code::PROTOCOL_ERROR)),
        instead(":method", "", Closed(code::PROTOCOL_ERROR)),
        instead(":method", "get", Status(200)),
        // The scheme.
        instead(":scheme", "http\r\n", MALFORMED),
        instead(":scheme", "https://other.test/smuggled?", MALFORMED),
        instead(":scheme", "http ", MALFORMED),
        instead(":scheme", "", MALFORMED),
        // The authority, and Host (RFC 9113 §8.3.1).
        instead(":authority", "user@gateway.test", Status(400)),
        instead(":authority", "user:password@gateway.test", Status(400)),
        instead(":authority", "gateway.test/smuggled", MALFORMED),
        instead(":authority", "gateway.test?x", MALFORMED),
        instead(":authority", "gateway.test other", MALFORMED),
        instead(":authority", "gateway.test,other.test", Status(400)),
        instead(":authority", "gateway.test:port", Status(400)),
        instead(":authority", "gateway.test\r\nx: y", MALFORMED),
        instead(":authority", "", MALFORMED),
        with(&[("host", "gateway.test")], Status(200)),
        with(&[("host", "GATEWAY.test:80")], Status(200)),
        with(&[("host", "other.test")], MALFORMED),
        with(&[("host", "")], MALFORMED),
        with(&[("host", "gateway.test"), ("host", "other.test")], Status(400)),
        // CONNECT (RFC 9113 §8.5), and RFC 8441 where it is not offered.
        instead(":method", "CONNECT", MALFORMED),
    ];
    for (byte, outcome) in [
        (b'\r', Closed(code::PROTOCOL_ERROR)),
        (b'\n', Closed(code::PROTOCOL_ERROR)),
        (0, Closed(code::PROTOCOL_ERROR)),
    ] {
        let mut value = usual();
        value.push(field("x", [&[b'a', byte][..], b"GET /smuggled"].concat()));
        requests.push(of(value, outcome));
        let mut name = usual();
        name.push(field([&[b'x', byte][..], b"y"].concat(), "a"));
        requests.push(of(name, outcome));
    }
    for name in ["a:b", "a b", "a\t", " a", ":", ":x", "transfer-encoding:chunked\r\nx"] {
        requests.push(with(&[(name, "a")], Closed(code::PROTOCOL_ERROR)));
    }
    requests
}

fn bodies() -> Vec<Request> {
    let data = |bytes: &str| Frame::data(1, bytes).ending();
    vec![
        post(&[], vec![data("hello")], Status(200)),
        post(&[("content-length", "5")], vec![data("hello")], Status(200)),
        post(&[("content-length", "3")], vec![data("hello")], MALFORMED),
        post(&[("content-length", "9")], vec![data("hello")], MALFORMED),
        post(&[("content-length", "5"), ("content-length", "3")], vec![data("hello")], MALFORMED),
        post(&[("content-length", "5"), ("content-length", "5")], vec![data("hello")], Status(400)),
        post(&[("content-length", "0")], vec![data("GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")], MALFORMED),
        post(&[], vec![data("0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")], Status(200)),
        post(&[("transfer-encoding", "chunked")], vec![data("0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n")], MALFORMED),
        post(
            &[],
            vec![Frame::data(1, "a"), trailers(&[("sum", "1"), ("host", "h"), ("content-length", "9")])],
            Status(200),
        ),
        post(&[], vec![trailers(&[("sum", "1"), ("transfer-encoding", "chunked")])], MALFORMED),
        post(&[], vec![Frame::data(1, "a"), trailers(&[("sum", "1 ")])], MALFORMED),
        post(&[], vec![Frame::data(1, "a"), trailers(&[("Sum", "1")])], Closed(code::PROTOCOL_ERROR)),
        post(&[], vec![Frame::data(1, "a"), trailers(&[("sum", "1\r\nGET /smuggled")])], Closed(code::PROTOCOL_ERROR)),
        post(&[], vec![Frame::data(1, "a"), Frame::headers(1, block(&[("sum", "1")]))], MALFORMED),
        post(&[("content-length", "9")], vec![Frame::data(1, "a"), trailers(&[("sum", "1")])], MALFORMED),
        post(&[], vec![Frame::data(1, "a"), trailers(&[(":method", "GET"), ("sum", "1")])], MALFORMED),
        post(&[], vec![Frame::data(1, "a"), trailers(&[(":path", "/smuggled")])], MALFORMED),
        post(&[], vec![Frame::data(1, "a"), trailers(&[("sum", "1"), (":path", "/smuggled")])], MALFORMED),
    ]
}

/// The first thing that says what came of the request on stream 1.
async fn outcome(frames: &mut Frames) -> Outcome {
    let decides = |frame: &Frame| {
        (frame.stream == 1 && [kind::HEADERS, kind::RST_STREAM].contains(&frame.kind)) || frame.kind == kind::GOAWAY
    };
    match frames.next_that(decides).await {
        Some(frame) => match (frame.kind, frame.code()) {
            (kind::RST_STREAM, Some(code)) => Reset(code),
            (kind::GOAWAY, Some(code)) => Closed(code),
            _ => Status(status(&frame.payload).unwrap()),
        },
        None => Closed(code::NO_ERROR),
    }
}

/// Sends each request on a connection of its own, and compares what came of it. The path of each, and whether it went
/// through.
async fn send_all(gateway: &Gateway, requests: Vec<Request>) -> Vec<(String, Outcome, String)> {
    let mut sent = Vec::new();
    let mut wrong = Vec::new();
    for (number, request) in requests.into_iter().enumerate() {
        let path = format!("/case-{number}");
        let fill = |(name, value): &Field| {
            let text = String::from_utf8_lossy(value).replace("{}", &path);
            let value = if value.windows(2).any(|window| window == b"{}") { text.into_bytes() } else { value.clone() };
            (name.clone(), value)
        };
        let fields: Vec<_> = request.fields.iter().map(fill).collect();
        let shown = fields.iter().map(|(name, value)| format!("{}: {}, ", name.escape_ascii(), value.escape_ascii()));
        let shown: String = shown.collect();
        let mut frames = Frames::client(gateway.connect().await, &[]).await;
        let head = Frame::headers(1, block(&fields));
        let head = if request.behind.is_empty() { head.with(flag::END_STREAM) } else { head };
        let all: Vec<u8> = [head].iter().chain(&request.behind).flat_map(Frame::bytes).collect();
        frames.write(&all).await;
        let found = outcome(&mut frames).await;
        if found != request.outcome {
            wrong.push(format!("{shown}: expected {:?}, found {found:?}", request.outcome));
        }
        sent.push((path, found, shown));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    sent
}

#[tokio::test]
async fn an_endpoint_in_http1_gets_one_request_or_none() {
    let recorded = Recorded::default();
    let origin = recorded.endpoint().start().await;
    let gateway = Gateway::before(&origin).await;

    let sent = send_all(&gateway, heads().into_iter().chain(bodies()).collect()).await;

    let mut targets = recorded.targets();
    for (path, outcome, shown) in &sent {
        let times = targets.remove(path).unwrap_or_default();
        match outcome {
            Status(200) => assert_eq!(times, 1, "{shown}"),
            // It may have begun before what is wrong with its body had come.
            _ => assert!(times <= usize::from(shown.contains("POST")), "{shown}: {outcome:?}"),
        }
    }
    assert!(targets.is_empty(), "nobody has asked for {targets:?}");
    for request in recorded.requests() {
        let body = request.text.split_once("\r\n\r\n").map_or("", |(_head, body)| body);
        let trailers = body.split_once("\r\n0\r\n").map_or("", |(_data, trailers)| trailers);
        assert!(!trailers.contains("host") && !trailers.contains("content-length"), "{request:?}");
        assert!(!request.text.contains("cookie: ") || request.text.contains("cookie: a=b; c=d\r\n"), "{request:?}");
    }
}

#[tokio::test]
async fn an_endpoint_in_http2_gets_one_request_or_none() {
    let origin = Origin::named("a").http2().start().await;
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n\
        [cluster.pool]\nendpoints = [\"http://{a}\"]\nprotocol = \"h2\"\n";
    let gateway = Gateway::configure(text).origin(&origin).start().await;

    let sent = send_all(&gateway, heads().into_iter().chain(bodies()).collect()).await;

    let mut seen: Vec<_> = origin.seen();
    for (path, outcome, shown) in &sent {
        let before = seen.len();
        seen.retain(|request| request.target != *path);
        assert_eq!(before - seen.len(), usize::from(*outcome == Status(200)), "{shown}");
    }
    assert!(seen.is_empty(), "nobody has asked for {seen:?}");
}

#[tokio::test]
async fn what_names_no_protocol_is_never_switched_to() {
    let recorded = Recorded::default();
    let plain = recorded.endpoint().start().await;
    let multiplexed = Origin::named("h2").http2().start().await;
    let text = "[[route]]\npath = \"/h2/\"\nto = \"balancer://pool\"\nupgrade = [\"any\"]\n\
        [[route]]\npath = \"/\"\nto = \"http://{plain}\"\nupgrade = [\"any\"]\n\
        [cluster.pool]\nendpoints = [\"http://{h2}\"]\nprotocol = \"h2\"\n";
    let gateway = Gateway::configure(text).put("plain", plain.address()).put("h2", multiplexed.address()).start().await;
    let names: [&[u8]; 14] = [
        b"foo\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: admin\r\nx: 1",
        b"websocket\r\nx: y",
        b"foo\nx: y",
        b"foo\0",
        b"foo bar",
        b" foo",
        b"foo ",
        b"foo\t",
        b"foo, bar",
        b"foo;q=1",
        "caf\u{e9}".as_bytes(),
        b"foo/",
        b"foo/1/2",
        b"",
    ];
    let connect = |path: &str, protocol: &[u8]| {
        let usual = usual().into_iter().filter(|(name, _)| name != b":method" && name != b":path");
        let asked = [field(":method", "CONNECT"), field(":protocol", protocol), field(":path", path)];
        asked.into_iter().chain(usual).collect::<Vec<_>>()
    };

    for prefix in ["/", "/h2/"] {
        for name in names {
            let mut frames = Frames::client(gateway.connect().await, &[]).await;
            frames.send(&Frame::headers(1, block(&connect(&format!("{prefix}switch"), name)))).await;
            assert_eq!(outcome(&mut frames).await, MALFORMED, "{prefix}: {}", name.escape_ascii());
        }
    }
    assert_eq!(recorded.requests().len(), 0, "{:?}", recorded.requests());
    assert_eq!(multiplexed.seen().len(), 0, "{:?}", multiplexed.seen());

    // A name is passed on as it is.
    let mut frames = Frames::client(gateway.connect().await, &[]).await;
    frames.send(&Frame::headers(1, block(&connect("/switch", b"Foo/1.0")))).await;
    outcome(&mut frames).await;
    let requests = recorded.requests();
    assert!(requests.len() == 1 && requests[0].text.contains("\r\nupgrade: Foo/1.0\r\n"), "{requests:?}");
}
