//! Exchanges with endpoints that respond byte for byte as a test says, over real sockets.

mod handshake;
mod trailers;
mod unreadable;
mod uploads;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::SEC_WEBSOCKET_ACCEPT;
use ::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::super::tests::{Seen, SlowRequest, body, empty, head, slow_body, slow_requests};
use super::super::timer::LazyTimer;
use super::super::{
    Broken, ExchangeCause, ExchangeError, FaultOf, HeadLimits, RequestHead, ResendableBody, ResponseContent, Sent,
    Unreadable,
};
use super::Connection;
use super::connection::ReturnTo;
use crate::http::{Fields, Offer};
use crate::net::{Socket, Stream};

const SOON: Duration = Duration::from_secs(5);

const LIMITS: HeadLimits = HeadLimits { bytes: 64 * 1024, fields: 200 };

/// Keeps what comes back.
#[derive(Debug, Default)]
struct Shelf(Mutex<Vec<Connection>>);

impl ReturnTo for Shelf {
    fn put_back(self: Arc<Self>, connection: Connection) {
        self.0.lock().push(connection);
    }
}

/// A connection, and the endpoint's end of it.
fn open() -> (Connection, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (Connection::new(Stream::Plain(Socket::Unix(ours)), LazyTimer::new(SOON), LIMITS), theirs)
}

/// What an endpoint that sends `pieces`, and closes if `closes`, comes to: the response, with its trailers beside it,
/// its body or what was wrong with it, and whether the connection may be used again.
async fn exchange(
    method: Method,
    pieces: Vec<Vec<u8>>,
    closes: bool,
) -> Result<(Response<()>, Result<Vec<u8>, Broken>, bool), ExchangeError> {
    let (connection, mut theirs) = open();
    let endpoint = tokio::spawn(async move {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(theirs.read_u8().await.unwrap());
        }
        for piece in pieces {
            theirs.write_all(&piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        (!closes).then_some(theirs)
    });
    let shelf = Arc::new(Shelf::default());
    let fields = one_field();
    let head = head(&method, "/", &fields);
    let response = connection.send(head, &mut empty(), SOON, &shelf, &mut Seen::default()).await?;
    let (mut parts, content) = response.into_parts();
    let body = match content {
        ResponseContent::Whole(bytes, _) => Ok(bytes.to_vec()),
        ResponseContent::Stream(download) => download.collect().await.map(|body| {
            parts.extensions.extend(body.trailers().cloned().map(one_extension).unwrap_or_default());
            body.to_bytes().to_vec()
        }),
        ResponseContent::Duplex(_, early) => Ok(early.to_vec()),
    };
    let _open = endpoint.await.unwrap();
    let kept = !shelf.0.lock().is_empty();
    Ok((Response::from_parts(parts, ()), body, kept))
}

fn one_extension(trailers: HeaderMap) -> Extensions {
    let mut extensions = Extensions::new();
    extensions.insert(trailers);
    extensions
}

fn one_field() -> Fields<'static> {
    let mut fields = Fields::default();
    fields.push(Cow::Owned(HeaderName::from_static("a")), Cow::Owned(HeaderValue::from_static("b")));
    fields
}

async fn response_to(method: Method, text: &str, closes: bool) -> (Response<()>, Result<Vec<u8>, Broken>, bool) {
    exchange(method, vec![text.as_bytes().to_vec()], closes).await.unwrap()
}

#[tokio::test]
async fn bodies_end_where_the_rfc_says() {
    for (method, text, closes, expected, kept) in [
        (Method::GET, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, "hello", true),
        (
            Method::GET,
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5, 5\r\n\r\nhello",
            false,
            "hello",
            true,
        ),
        (Method::GET, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, "", true),
        (Method::GET, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", false, "hello", false),
        (Method::GET, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1", false, "hello", false),
        (Method::GET, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, "hello", false),
        (
            Method::GET,
            "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nhello",
            false,
            "hello",
            true,
        ),
        (
            Method::GET,
            "HTTP/1.1 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 0\r\n\r\n",
            false,
            "",
            false,
        ),
        (Method::GET, "HTTP/1.1 200 OK\r\n\r\nuntil the end", true, "until the end", false),
        (Method::HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, "", true),
        (Method::HEAD, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, "", true),
        (Method::GET, "HTTP/1.1 204 No Content\r\n\r\n", false, "", true),
        (Method::GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false, "", true),
        (
            Method::GET,
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            false,
            "hello",
            // Who says both is not to be trusted with another.
            false,
        ),
        (Method::GET, "\r\n\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, "ok", true),
        (
            Method::GET,
            "HTTP/1.1 100 Continue\r\n\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            false,
            "ok",
            true,
        ),
        (
            Method::GET,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            false,
            "ok",
            true,
        ),
        (Method::GET, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nearly", false, "early", false),
    ] {
        let (_, body, was_kept) = response_to(method.clone(), text, closes).await;
        assert_eq!(String::from_utf8(body.unwrap()).unwrap(), expected, "{method} {text:?}");
        assert_eq!(was_kept, kept, "{method} {text:?}");
    }
}

#[tokio::test]
async fn responses_come_through_in_whatever_pieces() {
    let text = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 418 Short and stout\r\nX-A: 1\r\nx-a: 2\r\nTransfer-Encoding: chunked\r\n\r\n\
        5;x=y\r\nhello\r\n1\r\n!\r\n0;z\r\nSum: 1\r\nsum:  2 \r\nTrailer: t\r\n\r\n";
    for size in [1, 2, 3, 7, 50, text.len()] {
        let pieces = text.chunks(size).map(<[u8]>::to_vec).collect();
        let (response, body, kept) = exchange(Method::GET, pieces, false).await.unwrap();
        let trailers = response.extensions().get::<HeaderMap>().unwrap();
        assert_eq!(trailers.get_all("sum").iter().collect::<Vec<_>>(), ["1", "2"], "in pieces of {size}");
        assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
        let reason = response.extensions().get::<hyper::ext::ReasonPhrase>().unwrap();
        assert_eq!(reason.as_bytes(), b"Short and stout");
        let values: Vec<_> = response.headers().get_all("x-a").iter().collect();
        assert_eq!(values, ["1", "2"]);
        assert_eq!(body.unwrap(), b"hello!", "in pieces of {size}");
        assert!(kept);
    }
}

#[tokio::test]
async fn interim_responses_are_reported_but_for_the_one_that_asks_for_the_body() {
    let (connection, mut theirs) = open();
    let text =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    theirs.write_all(text.as_bytes()).await.unwrap();
    let (fields, shelf, mut seen) = (Fields::default(), Arc::new(Shelf::default()), Seen::default());

    let head = head(&Method::GET, "/", &fields);
    let response = connection.send(head, &mut empty(), SOON, &shelf, &mut seen).await.unwrap();

    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let [(status, fields)] = &seen.interim[..] else { panic!("{seen:?}") };
    assert_eq!((*status, &fields["link"]), (StatusCode::EARLY_HINTS, &HeaderValue::from_static("a")));
}

#[tokio::test]
async fn bodies_that_break_off_are_errors_and_their_connections_gone() {
    for text in [
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ] {
        let (_, body, kept) = response_to(Method::GET, text, true).await;
        assert!(matches!(body, Err(Broken::Cut | Broken::Short(45))), "{text:?}: {body:?}");
        assert!(!kept, "{text:?}");
    }
}

#[tokio::test]
async fn requests_are_written_as_the_rfc_has_them() {
    for (method, expected) in [
        (Method::GET, "GET /a?b HTTP/1.1\r\nhost: endpoint\r\na: b\r\n\r\n"),
        (Method::POST, "POST /a?b HTTP/1.1\r\nhost: endpoint\r\ncontent-length: 0\r\na: b\r\n\r\n"),
    ] {
        let (connection, mut theirs) = open();
        let (fields, shelf) = (one_field(), Arc::new(Shelf::default()));
        let (mut body, mut seen) = (empty(), Seen::default());
        let head = head(&method, "/a?b", &fields);
        let (sent, ()) = tokio::join!(connection.send(head, &mut body, SOON, &shelf, &mut seen), async {
            let mut read = vec![0; expected.len()];
            theirs.read_exact(&mut read).await.unwrap();
            assert_eq!(String::from_utf8(read).unwrap(), expected);
            drop(theirs);
        });
        let error = sent.unwrap_err();
        assert_eq!((error.fault, error.sent), (FaultOf::Endpoint, Sent::Maybe));
        assert!(matches!(error.cause, ExchangeCause::Broken(Broken::Closed)), "{error:?}");
    }
}

/// A request with `body`, and what came of it.
async fn post_body(
    connection: Connection,
    body: &mut ResendableBody,
    shelf: &Arc<Shelf>,
) -> Result<(Response<()>, ResponseContent), ExchangeError> {
    let fields = Fields::default();
    let head = head(&Method::POST, "/", &fields);
    let (parts, content) = connection.send(head, body, SOON, shelf, &mut Seen::default()).await?.into_parts();
    Ok((Response::from_parts(parts, ()), content))
}

/// A request with a body of `length` bytes, all of them there.
async fn post(
    connection: Connection,
    length: usize,
    shelf: &Arc<Shelf>,
) -> Result<(Response<()>, ResponseContent), ExchangeError> {
    post_body(connection, &mut body(vec![b'x'; length]), shelf).await
}

/// More than a socket takes before anybody reads.
const LARGE: usize = 4 << 20;

#[tokio::test]
async fn nothing_is_sent_over_a_dead_connection_and_the_body_is_whole() {
    let (mut connection, theirs) = open();
    assert!(connection.is_reusable());
    drop(theirs);

    let mut body = body("xxx");
    let error = post_body(connection, &mut body, &Arc::new(Shelf::default())).await.unwrap_err();

    assert_eq!((error.fault, error.sent), (FaultOf::Endpoint, Sent::Nothing), "{error:?}");
    assert_eq!(http_body::Body::size_hint(&body).exact(), Some(3));
    assert_eq!(body.collect().await.unwrap().to_bytes(), "xxx");
}

#[tokio::test]
async fn an_endpoint_that_responds_early_gets_the_rest_and_can_be_used_again() {
    let (connection, mut theirs) = open();
    let shelf = Arc::new(Shelf::default());
    theirs.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await.unwrap();

    let (response, content) = post(connection, LARGE, &shelf).await.unwrap();

    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let ResponseContent::Whole(body, Some(unsent)) = content else { panic!("{content:?}") };
    assert_eq!(body, "no");
    assert!(shelf.0.lock().is_empty(), "not while the request goes out");
    unsent.finish_in_background();
    let head = format!("POST / HTTP/1.1\r\nhost: endpoint\r\ncontent-length: {LARGE}\r\n\r\n");
    let mut request = vec![0; head.len() + LARGE];
    theirs.read_exact(&mut request).await.unwrap();
    assert!(request.starts_with(head.as_bytes()));
    while shelf.0.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(shelf.0.lock()[0].is_reusable());
}

#[tokio::test]
async fn the_rest_of_a_request_that_is_given_up_is_not_sent() {
    let (connection, mut theirs) = open();
    theirs.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").await.unwrap();

    let (_, content) = post(connection, LARGE, &Arc::new(Shelf::default())).await.unwrap();
    drop(content);

    let mut request = Vec::new();
    theirs.read_to_end(&mut request).await.unwrap();
    assert!(request.len() < LARGE, "{}", request.len());
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_takes_nothing_is_not_a_client_that_sends_nothing() {
    let (connection, _theirs) = open();

    let error = post(connection, LARGE, &Arc::new(Shelf::default())).await.unwrap_err();

    assert!(matches!(error.cause, ExchangeCause::TimedOut(SOON)), "{error:?}");
}

#[tokio::test]
async fn what_is_passed_on_has_our_version_and_one_length() {
    let text = "HTTP/1.0 200 OK\r\nContent-Length: 5, 5\r\nContent-Length: 5\r\n\r\nhello";

    for (method, expected) in [(Method::GET, &b"hello"[..]), (Method::HEAD, b"")] {
        let (response, body, _) = response_to(method, text, false).await;

        assert_eq!(body.unwrap(), expected);
        assert_eq!(response.version(), ::http::Version::HTTP_11);
        let lengths: Vec<_> = response.headers().get_all("content-length").iter().collect();
        assert_eq!(lengths, ["5"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_sends_nothing_runs_out_of_time() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let connection = Connection::new(Stream::Plain(Socket::Unix(ours)), LazyTimer::new(Duration::from_secs(1)), LIMITS);
    let fields = Fields::default();
    let head = head(&Method::GET, "/", &fields);
    let began = tokio::time::Instant::now();

    let shelf = Arc::new(Shelf::default());
    let error = connection.send(head, &mut empty(), SOON, &shelf, &mut Seen::default()).await.unwrap_err();

    assert!(matches!(error.cause, ExchangeCause::TimedOut(SOON)), "{error:?}");
    assert_eq!(began.elapsed(), SOON);
    drop(theirs);
}

#[tokio::test(start_paused = true)]
async fn time_for_a_response_begins_with_the_last_piece_of_the_request() {
    for SlowRequest { expects_continue, waits, time } in slow_requests(SOON) {
        let (connection, theirs) = open();
        let mut body = slow_body(waits);
        let fields = Fields::default();
        let head = RequestHead { expects_continue, ..head(&Method::POST, "/", &fields) };
        let began = tokio::time::Instant::now();

        let shelf = Arc::new(Shelf::default());
        let error = connection.send(head, &mut body, SOON, &shelf, &mut Seen::default()).await.unwrap_err();

        assert!(matches!(error.cause, ExchangeCause::TimedOut(SOON)), "{error:?}");
        assert_eq!(began.elapsed(), time, "{expects_continue}, a piece after {waits:?}");
        drop(theirs);
    }
}
