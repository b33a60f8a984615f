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

#[tokio::test]
async fn a_request_that_a_shared_connection_refuses_goes_out_by_a_new_one() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut served = endpoint.accept().await;
        let (_request, mut respond) = next(&mut served).await;
        finish(&mut respond, "one");
        let (_request, mut respond) = next(&mut served).await;
        respond.send_reset(Reason::REFUSED_STREAM);
        drive(served);
        let mut another = endpoint.accept().await;
        let (_request, mut respond) = next(&mut another).await;
        finish(&mut respond, "two");
        drive(another);
    };
    let requests = async {
        let mut seen = Seen::default();
        for expected in ["one", "two"] {
            let response = send(&endpoint.upstream, Method::POST, &mut empty(), &mut seen).await.unwrap();
            assert_eq!(text(response).await, expected);
        }
        (seen.connected, seen.reused)
    };

    let ((), seen) = tokio::join!(serve, requests);

    assert_eq!(seen, (2, 1));
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
    let cases: [(ResendableBody, Sent); 3] =
        [(empty(), Sent::Nothing), (body("gone"), Sent::Maybe), (ResendableBody::new(kept(), Some(10)), Sent::Nothing)];
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
        let (mut stream, _) = endpoint.listener.accept().await.unwrap();
        stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
        await_headers(&mut stream, 1).await;
        // HEADERS with END_STREAM and END_HEADERS, `:status: 200` (RFC 7541 appendix A), for the first.
        stream.write_all(&[0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88]).await.unwrap();
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

/// Reads frames until the head of `stream` has come.
async fn await_headers(socket: &mut UnixStream, stream: u8) {
    if stream == 1 {
        socket.read_exact(&mut [0; 24]).await.unwrap();
    }
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
