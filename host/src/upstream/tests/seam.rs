//! A protocol beside HTTP/1.1 needs no more than the seam has: bodies, trailers, interim responses, switches, errors,
//! reuse.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Method, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use super::super::{
    Address, Broken, ConnectFault, EndpointProtocol, ExchangeCause, ExchangeError, ExchangeLimits, FaultOf, HeadLimits,
    PoolLimits, ResponseContent, Sent, Upstream, UpstreamSettings,
};
use super::*;
use crate::http::{Offer, RequestBodyError};

const SOON: Duration = Duration::from_secs(5);

/// An endpoint that is known by its socket, and what listens there.
fn endpoint() -> (Arc<Upstream>, UnixListener, TempDir) {
    endpoint_of(EndpointProtocol::Throwaway)
}

fn endpoint_of(protocol: EndpointProtocol) -> (Arc<Upstream>, UnixListener, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("endpoint");
    let listener = UnixListener::bind(&path).unwrap();
    let settings = UpstreamSettings {
        url: "throwaway://endpoint".into(),
        known_as: "throwaway://endpoint".into(),
        address: Address::Unix(path),
        tls: None,
        authority: HOST.clone(),
        base_path: String::new(),
        pool: PoolLimits { size: 10, idle: Duration::from_secs(60) },
        head: HeadLimits { bytes: 1024, fields: 10 },
        protocol,
        metrics: crate::telemetry::Metrics::new(NonZeroUsize::MIN),
    };
    (Upstream::new(settings, NonZeroUsize::MIN), listener, folder)
}

/// A websocket's offer.
fn offer() -> Offer {
    Offer::of(["websocket"]).unwrap()
}

async fn send(
    upstream: &Arc<Upstream>,
    method: Method,
    body: &mut ResendableBody,
    offer: Option<&Offer>,
    seen: &mut Seen,
) -> Result<Response<ResponseContent>, ExchangeError> {
    let fields = Fields::default();
    let head = RequestHead { offer, ..head(&method, "/a", &fields) };
    upstream.exchange(head, body, ExchangeLimits { connect: SOON, response: SOON }, seen).await
}

/// Reads a request to its end, and sends `response` for it.
async fn respond(stream: &mut UnixStream, response: &str) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\n.\n") {
        request.push(stream.read_u8().await.unwrap());
    }
    stream.write_all(response.as_bytes()).await.unwrap();
    String::from_utf8(request).unwrap()
}

/// A request's body of these frames.
fn frames(frames: Vec<Result<Frame<Bytes>, RequestBodyError>>) -> ResendableBody {
    let body = Box::pin(StreamBody::new(futures_util::stream::iter(frames)));
    ResendableBody::new(RequestBody::Boxed { body, expects_continue: false }, None)
}

fn trailers(name: &'static str, value: &'static str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert(name, HeaderValue::from_static(value));
    trailers
}

#[tokio::test]
async fn whole_bodies_and_streams_with_trailers_go_both_ways_over_one_connection() {
    let (upstream, listener, _folder) = endpoint();
    let mut seen = Seen::default();
    let endpoint = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let first = respond(&mut stream, "200 hello\n").await;
        let second = respond(&mut stream, "103\n201\n=2\nhi=1\n!+sum 3\n.\n").await;
        (first, second)
    });

    let response = send(&upstream, Method::GET, &mut empty(), None, &mut seen).await.unwrap();
    let ResponseContent::Whole(whole, None) = response.into_body() else { panic!("a body that is all there") };
    assert_eq!(whole, "hello");

    let sent = vec![Ok(Frame::data("ab".into())), Ok(Frame::data("c".into())), Ok(Frame::trailers(trailers("t", "1")))];
    let response = send(&upstream, Method::POST, &mut frames(sent), None, &mut seen).await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    let ResponseContent::Stream(stream) = response.into_body() else { panic!("a body that is still coming") };
    let body = stream.collect().await.unwrap();

    assert_eq!(body.trailers(), Some(&trailers("sum", "3")));
    assert_eq!(body.to_bytes(), "hi!");
    let (first, second) = endpoint.await.unwrap();
    assert_eq!((first.as_str(), second.as_str()), ("GET /a -\n.\n", "POST /a -\n=2\nab=1\nc+t 1\n.\n"));
    assert_eq!((seen.connected, seen.reused), (1, 1), "the connection has waited in the pool");
    assert_eq!(seen.interim, [(StatusCode::EARLY_HINTS, HeaderMap::new())]);
}

#[tokio::test]
async fn a_switch_leads_to_bytes_both_ways() {
    let (upstream, listener, _folder) = endpoint();
    let endpoint = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = respond(&mut stream, "101\nearly").await;
        let byte = stream.read_u8().await.unwrap();
        (request, byte)
    });

    let offer = offer();
    let response = send(&upstream, Method::GET, &mut empty(), Some(&offer), &mut Seen::default()).await.unwrap();
    let ResponseContent::Duplex(mut duplex, early) = response.into_body() else { panic!("no switch") };
    duplex.write_all(b"x").await.unwrap();
    let mut rest = vec![0; "early".len() - early.len()];
    duplex.read_exact(&mut rest).await.unwrap();

    assert_eq!([&early[..], &rest].concat(), b"early");
    assert_eq!(endpoint.await.unwrap(), ("GET /a websocket\n.\n".to_owned(), b'x'));
}

#[tokio::test]
async fn errors_say_whose_fault_it_is_and_what_may_have_been_sent() {
    type Case = (&'static str, fn() -> ResendableBody, (FaultOf, Sent), fn(&ExchangeCause) -> bool);
    let broken: fn() -> ResendableBody =
        || frames(vec![Err(RequestBodyError::Broken("connection reset".to_owned().into()))]);
    let cases: [Case; 6] = [
        ("", empty, (FaultOf::Endpoint, Sent::Maybe), |cause| matches!(cause, ExchangeCause::Broken(Broken::Closed))),
        ("what?\n", empty, (FaultOf::Endpoint, Sent::Maybe), |cause| matches!(cause, ExchangeCause::Unreadable(_))),
        ("refused\n", empty, (FaultOf::Endpoint, Sent::Nothing), |cause| match cause {
            ExchangeCause::Connect(error) => matches!(error.fault, ConnectFault::Closed(Broken::Closed)),
            _ => false,
        }),
        ("", broken, (FaultOf::Client, Sent::Maybe), |cause| matches!(cause, ExchangeCause::BodyBroken(_))),
        (
            "",
            || frames(vec![Err(RequestBodyError::Stalled)]),
            (FaultOf::Client, Sent::Maybe),
            |cause| matches!(cause, ExchangeCause::BodyStalled),
        ),
        (
            "",
            || frames(vec![Err(RequestBodyError::SentAgain)]),
            (FaultOf::Gateway, Sent::Maybe),
            |cause| matches!(cause, ExchangeCause::BodyBroken(_)),
        ),
    ];
    for (response, body, expected, is_expected) in cases {
        let (upstream, listener, _folder) = endpoint();
        let endpoint = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; "POST /a -\n.\n".len()];
            drop(stream.read_exact(&mut request).await);
            drop(stream.write_all(response.as_bytes()).await);
        });

        let sent = send(&upstream, Method::POST, &mut body(), None, &mut Seen::default()).await;

        let error = sent.unwrap_err();
        assert_eq!((error.fault, error.sent), expected, "{response:?}: {error:?}");
        assert!(is_expected(&error.cause), "{response:?}: {error:?}");
        endpoint.await.unwrap();
    }
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_was_sent_nothing() {
    let (upstream, listener, folder) = endpoint();
    drop((listener, folder));

    let error = send(&upstream, Method::POST, &mut empty(), None, &mut Seen::default()).await.unwrap_err();

    assert_eq!((error.fault, error.sent), (FaultOf::Endpoint, Sent::Nothing));
    assert!(matches!(error.cause, ExchangeCause::Connect(_)), "{error:?}");
}

#[tokio::test]
async fn a_request_that_is_safe_to_repeat_goes_out_anew_where_a_reused_connection_was_closed_in_silence() {
    let (upstream, listener, _folder) = endpoint();
    let mut seen = Seen::default();
    let endpoint = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        respond(&mut first, "200 one\n").await;
        respond(&mut first, "").await;
        drop(first);
        for response in ["200 two\n", "200 three\n"] {
            let (mut next, _) = listener.accept().await.unwrap();
            respond(&mut next, response).await;
            respond(&mut next, "").await;
        }
    });
    let get = async |expected: &str, seen: &mut Seen| {
        let response = send(&upstream, Method::GET, &mut empty(), None, seen).await.unwrap();
        let ResponseContent::Whole(whole, None) = response.into_body() else { panic!("a body that is all there") };
        assert_eq!(whole, expected);
    };

    get("one", &mut seen).await;
    for (expected, method) in [("two", Method::POST), ("three", Method::QUERY)] {
        get(expected, &mut seen).await;
        let error = send(&upstream, method.clone(), &mut empty(), None, &mut seen).await.unwrap_err();
        assert!(matches!(error.cause, ExchangeCause::Broken(Broken::Closed)), "{method} is not repeated: {error:?}");
    }
    assert_eq!((seen.connected, seen.reused), (3, 3));
    endpoint.await.unwrap();
}

#[tokio::test]
async fn requests_and_tunnels_share_a_connection_that_takes_many() {
    let (upstream, listener, _folder) = endpoint_of(EndpointProtocol::Multiplexed);
    let endpoint = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = tokio::io::BufReader::new(stream);
        stream.write_all(b"hello\n").await.unwrap();
        let mut requests = Vec::new();
        for response in ["first\n", "second\n", "refused\n"] {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            requests.push(line);
            stream.write_all(response.as_bytes()).await.unwrap();
        }
        (requests, stream, listener)
    });
    let mut seen = Seen::default();

    let offer = offer();
    let first = send(&upstream, Method::GET, &mut empty(), None, &mut seen).await.unwrap();
    let second = send(&upstream, Method::GET, &mut empty(), Some(&offer), &mut seen).await.unwrap();
    let refused = send(&upstream, Method::POST, &mut empty(), None, &mut seen).await.unwrap_err();

    for (response, expected) in [(first, "first"), (second, "second")] {
        let ResponseContent::Whole(whole, None) = response.into_body() else { panic!("a body that is all there") };
        assert_eq!(whole, expected);
    }
    assert!(matches!(refused, ExchangeError { sent: Sent::Nothing, cause: ExchangeCause::Refused, .. }), "{refused}");
    let (requests, ..) = endpoint.await.unwrap();
    assert_eq!(requests, ["GET /a\n", "GET /a\n", "POST /a\n"]);
    assert_eq!((seen.connected, seen.reused), (1, 2), "who has room and refuses is not asked again");
}
