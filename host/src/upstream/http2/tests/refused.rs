//! What an endpoint has not acted on may be sent again.

use ::http::Method;
use bytes::Bytes;
use h2::Reason;
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::super::super::tests::{Seen, body, empty};
use super::super::super::{ExchangeCause, ResendableBody, Sent};
use super::endpoint::{Endpoint, drive, finish, next, send, text};
use crate::http::{RequestBody, RequestBodyError};
use crate::telemetry::Counter;

#[tokio::test]
async fn a_request_that_is_refused_is_not_asked_again_of_an_endpoint_that_has_room() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut served = endpoint.accept().await;
        let (_request, mut respond) = next(&mut served).await;
        finish(&mut respond, "one");
        let (_request, mut respond) = next(&mut served).await;
        respond.send_reset(Reason::REFUSED_STREAM);
        drive(served);
        drop(endpoint.accept().await);
    };
    let requests = async {
        let mut seen = Seen::default();
        let response = send(&endpoint.upstream, Method::POST, &mut empty(), &mut seen).await.unwrap();
        assert_eq!(text(response).await, "one");
        let error = send(&endpoint.upstream, Method::POST, &mut body("ab"), &mut seen).await.unwrap_err();
        assert!(matches!(error.cause, ExchangeCause::Refused), "{error:?}");
        (error.sent, seen.connected, seen.reused)
    };

    tokio::select! {
        () = serve => panic!("another connection"),
        seen = requests => assert_eq!(seen, (Sent::Nothing, 1, 1)),
    }
}

#[tokio::test]
async fn a_request_that_is_refused_because_the_limit_of_streams_fell_goes_out_by_another_connection() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut stream = raw(&endpoint).await;
        await_headers(&mut stream, 1).await;
        await_headers(&mut stream, 3).await;
        // SETTINGS: MAX_CONCURRENT_STREAMS is 1. RST_STREAM of the second with REFUSED_STREAM.
        stream.write_all(&[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1]).await.unwrap();
        stream.write_all(&[0, 0, 4, 3, 0, 0, 0, 0, 3, 0, 0, 0, 7]).await.unwrap();
        let mut another = endpoint.accept().await;
        let (_request, mut respond) = next(&mut another).await;
        finish(&mut respond, "two");
        drive(another);
        respond_to(&mut stream, 1).await;
        stream
    };
    let first = async {
        send(&endpoint.upstream, Method::POST, &mut empty(), &mut Seen::default()).await.unwrap();
    };
    let second = async {
        let response = send(&endpoint.upstream, Method::POST, &mut body("ab"), &mut Seen::default()).await.unwrap();
        assert_eq!(text(response).await, "two");
    };

    tokio::join!(serve, first, second);

    assert_eq!(endpoint.upstream.metrics().total(Counter::UpstreamRepeated), 1);
}

#[tokio::test]
async fn as_many_connections_are_asked_as_take_some_of_the_requests_before_they_go_away() {
    const REQUESTS: usize = 50;
    const TAKEN: u8 = 5;
    let endpoint = Endpoint::new();
    let serve = async {
        let mut held = Vec::new();
        for _ in 0..REQUESTS / usize::from(TAKEN) {
            let mut stream = raw(&endpoint).await;
            let last = 2 * TAKEN - 1;
            await_headers(&mut stream, last).await;
            for id in (1..=last).step_by(2) {
                respond_to(&mut stream, id).await;
            }
            stream.write_all(&[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, last, 0, 0, 0, 0]).await.unwrap();
            held.push(stream);
        }
        held
    };
    let requests = (0..REQUESTS).map(|_| async {
        send(&endpoint.upstream, Method::POST, &mut body("short"), &mut Seen::default()).await.unwrap();
    });

    tokio::join!(serve, futures_util::future::join_all(requests));
}

#[tokio::test]
async fn a_new_connection_that_refuses_says_that_nothing_was_sent_only_if_the_body_is_whole() {
    let kept = || {
        let body = StreamBody::new(futures_util::stream::iter([
            Ok::<_, RequestBodyError>(Frame::data(Bytes::from_static(b"ab"))),
            Ok(Frame::data(Bytes::from_static(b"cd"))),
        ]));
        RequestBody::Boxed { body: Box::pin(body), expects_continue: false }
    };
    let cases: [(ResendableBody, Sent); 5] = [
        (empty(), Sent::Nothing),
        (body("short"), Sent::Nothing),
        (body(vec![b'x'; 20_000]), Sent::Maybe),
        (ResendableBody::new(kept(), None), Sent::Nothing),
        (ResendableBody::new(kept(), Some(10)), Sent::Nothing),
    ];
    for (mut body, expected) in cases {
        let endpoint = Endpoint::new();
        let serve = async {
            let mut served = endpoint.accept().await;
            let (request, mut respond) = next(&mut served).await;
            let mut recv = request.into_body();
            if !recv.is_end_stream() {
                let reading = async { while let Some(Ok(_)) = recv.data().await {} };
                tokio::select! {
                    () = reading => {}
                    _ = served.accept() => {}
                }
            }
            respond.send_reset(Reason::REFUSED_STREAM);
            drive(served);
        };
        let mut seen = Seen::default();

        let ((), sent) = tokio::join!(serve, send(&endpoint.upstream, Method::POST, &mut body, &mut seen));

        let error = sent.unwrap_err();
        assert!(matches!(error.cause, ExchangeCause::Refused), "{error:?}");
        assert_eq!(error.sent, expected, "{body:?}");
    }
}

#[tokio::test]
async fn a_request_above_the_last_that_a_goaway_names_goes_out_anew_whatever_its_method() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut stream = raw(&endpoint).await;
        await_headers(&mut stream, 1).await;
        respond_to(&mut stream, 1).await;
        await_headers(&mut stream, 3).await;
        // GOAWAY: NO_ERROR, the last was stream 1.
        stream.write_all(&[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]).await.unwrap();
        let mut another = endpoint.accept().await;
        let (_request, mut respond) = next(&mut another).await;
        finish(&mut respond, "again");
        drive(another);
        stream
    };
    let requests = async {
        let (upstream, mut seen) = (&endpoint.upstream, Seen::default());
        for expected in ["", "again"] {
            let response = send(upstream, Method::POST, &mut empty(), &mut seen).await.unwrap();
            assert_eq!(text(response).await, expected);
        }
        (seen.connected, seen.reused)
    };

    let (_held, seen) = tokio::join!(serve, requests);

    assert_eq!(seen, (2, 1));
}

/// The next connection, behind its preface, and SETTINGS that say nothing.
async fn raw(endpoint: &Endpoint) -> UnixStream {
    let (mut stream, _) = endpoint.listener.accept().await.unwrap();
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    stream.read_exact(&mut [0; 24]).await.unwrap();
    stream
}

/// HEADERS with END_STREAM and END_HEADERS, `:status: 200` (RFC 7541 appendix A).
async fn respond_to(socket: &mut UnixStream, stream: u8) {
    socket.write_all(&[0, 0, 1, 1, 5, 0, 0, 0, stream, 0x88]).await.unwrap();
}

/// Reads frames until the head of `stream` has come.
async fn await_headers(socket: &mut UnixStream, stream: u8) {
    loop {
        let mut head = [0; 9];
        socket.read_exact(&mut head).await.unwrap();
        let [_, _, length, kind, .., id] = head;
        let mut payload = vec![0; length.into()];
        socket.read_exact(&mut payload).await.unwrap();
        if (kind, id) == (1, stream) {
            return;
        }
    }
}
