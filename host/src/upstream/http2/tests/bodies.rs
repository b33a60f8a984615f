//! Heads, bodies and trailers, both ways.

use std::borrow::Cow;

use ::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TE};
use ::http::{HeaderValue, Method, Response, StatusCode, Version};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};

use super::super::super::tests::{Seen, SlowRequest, body, empty, head, slow_body, slow_requests};
use super::super::super::{
    Broken, ExchangeCause, HeadLimits, RequestHead, ResendableBody, ResponseContent, Unreadable,
};
use super::endpoint::{Endpoint, SOON, begin, drive, finish, next, send, send_head, text, trailers};
use crate::http::{Fields, RequestBody, RequestBodyError};

fn frames(frames: Vec<Result<Frame<Bytes>, RequestBodyError>>) -> ResendableBody {
    let body = StreamBody::new(futures_util::stream::iter(frames));
    ResendableBody::new(RequestBody::Boxed { body: Box::pin(body), expects_continue: false }, None)
}

/// Responds to a request, and returns it.
async fn say_hello(endpoint: &Endpoint) -> ::http::Request<h2::RecvStream> {
    let mut served = endpoint.accept().await;
    let (request, mut respond) = next(&mut served).await;
    finish(&mut respond, "hello");
    drive(served);
    request
}

#[tokio::test]
async fn what_the_library_takes_in_no_query_is_escaped() {
    let endpoint = Endpoint::new();
    let serve = say_hello(&endpoint);
    let (method, fields, target) = (Method::GET, Fields::default(), "/a?x=<y>&\"z\"={`|}");
    let (mut seen, mut nothing) = (Seen::default(), empty());
    let sending = send_head(&endpoint.upstream, head(&method, target, &fields), &mut nothing, &mut seen);

    let (request, response) = tokio::join!(serve, sending);

    assert!(response.is_ok());
    assert_eq!(request.uri().path_and_query().unwrap(), "/a?x=%3Cy%3E&%22z%22={`|}");
}

#[tokio::test]
async fn a_head_says_all_that_http2_asks_for() {
    let endpoint = Endpoint::new();
    let serve = say_hello(&endpoint);
    let mut headers = ::http::HeaderMap::new();
    headers.insert(TE, "gzip, trailers".parse().unwrap());
    headers.insert("x-a", "b".parse().unwrap());
    let (method, fields) = (Method::POST, Fields::end_to_end(&headers));
    let (mut seen, mut nothing) = (Seen::default(), empty());
    let sending = send_head(&endpoint.upstream, head(&method, "/a?b", &fields), &mut nothing, &mut seen);

    let (request, response) = tokio::join!(serve, sending);
    let response = response.unwrap();

    assert_eq!(request.uri().to_string(), "http://endpoint/a?b");
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.headers().len(), 3, "{:?}", request.headers());
    assert_eq!(
        (&request.headers()[TE], &request.headers()["x-a"]),
        (&"trailers".parse().unwrap(), &"b".parse().unwrap())
    );
    assert_eq!(request.headers()[CONTENT_LENGTH], "0", "a POST says that it has no body");
    assert_eq!((response.status(), response.version()), (StatusCode::OK, Version::HTTP_11));
    assert_eq!(text(response).await, "hello");
}

#[tokio::test]
async fn bodies_and_trailers_go_both_ways_and_more_than_any_window() {
    let endpoint = Endpoint::new();
    let large = Bytes::from(vec![b'x'; 300_000]);
    let sent =
        vec![Ok(Frame::data(large.clone())), Ok(Frame::data("yz".into())), Ok(Frame::trailers(trailers("t", "1")))];
    let serve = async {
        let mut served = endpoint.accept().await;
        let (request, mut respond) = next(&mut served).await;
        drive(served);
        let mut recv = request.into_body();
        let mut length = 0;
        while let Some(data) = recv.data().await {
            let data = data.unwrap();
            recv.flow_control().release_capacity(data.len()).unwrap();
            length += data.len();
        }
        let came = recv.trailers().await.unwrap();
        let mut send = begin(&mut respond, &[]);
        send.reserve_capacity(large.len());
        send.send_data(large.clone(), false).unwrap();
        send.send_trailers(trailers("sum", "3")).unwrap();
        (length, came)
    };
    let exchange = async {
        let response = send(&endpoint.upstream, Method::POST, &mut frames(sent), &mut Seen::default()).await.unwrap();
        let ResponseContent::Stream(stream) = response.into_body() else { panic!("a body that is still coming") };
        stream.collect().await.unwrap()
    };

    let ((length, came), body) = tokio::join!(serve, exchange);

    assert_eq!((length, came), (300_002, Some(trailers("t", "1"))));
    assert_eq!(body.trailers(), Some(&trailers("sum", "3")));
    assert_eq!(body.to_bytes(), large);
}

#[tokio::test]
async fn interim_responses_are_seen_and_a_body_is_held_until_it_is_asked_for() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut served = endpoint.accept().await;
        let (request, mut respond) = next(&mut served).await;
        drive(served);
        assert_eq!(request.headers()["expect"], "100-continue");
        for status in [StatusCode::EARLY_HINTS, StatusCode::CONTINUE] {
            let mut interim = Response::new(());
            *interim.status_mut() = status;
            respond.send_informational(interim).unwrap();
        }
        let data = request.into_body().data().await.unwrap().unwrap();
        finish(&mut respond, "done");
        data
    };
    let mut seen = Seen::default();
    let (method, fields) = (Method::PUT, Fields::default());
    let head = super::super::super::RequestHead { expects_continue: true, ..head(&method, "/", &fields) };
    let mut body = body("abc");

    let (data, response) = tokio::join!(serve, send_head(&endpoint.upstream, head, &mut body, &mut seen));

    assert_eq!((&data[..], &text(response.unwrap()).await[..]), (&b"abc"[..], &b"done"[..]));
    assert_eq!(seen.interim, [(StatusCode::EARLY_HINTS, ::http::HeaderMap::new())]);
}

#[tokio::test]
async fn a_response_that_comes_before_the_body_is_through_is_one() {
    let endpoint = Endpoint::new();
    let (give, more) = tokio::sync::mpsc::unbounded_channel::<Result<Frame<Bytes>, RequestBodyError>>();
    let stream =
        StreamBody::new(futures_util::stream::unfold(more, |mut more| async { Some((more.recv().await?, more)) }));
    let mut body = ResendableBody::new(RequestBody::Boxed { body: Box::pin(stream), expects_continue: false }, None);
    give.send(Ok(Frame::data("ab".into()))).unwrap();
    let serve = async {
        let mut served = endpoint.accept().await;
        let (request, mut respond) = next(&mut served).await;
        let mut send = begin(&mut respond, &[]);
        send.send_data("early".into(), false).unwrap();
        drive(served);
        (request.into_body(), send)
    };
    let mut seen = Seen::default();

    let ((mut recv, mut stream), response) =
        tokio::join!(serve, send(&endpoint.upstream, Method::POST, &mut body, &mut seen));
    let ResponseContent::Stream(download) = response.unwrap().into_body() else { panic!("a body still coming") };
    assert_eq!(recv.data().await.unwrap().unwrap(), "ab");
    give.send(Ok(Frame::data("cd".into()))).unwrap();
    drop(give);

    assert_eq!(recv.data().await.unwrap().unwrap(), "cd", "sent while nobody reads the response");
    stream.send_data(" end".into(), true).unwrap();
    assert_eq!(download.collect().await.unwrap().to_bytes(), "early end");
}

#[tokio::test]
async fn a_response_that_breaks_off_says_how() {
    type Case = (&'static [(&'static str, &'static str)], fn(&mut h2::SendStream<Bytes>), &'static str);
    let cases: [Case; 3] = [
        (&[], |send| send.send_reset(h2::Reason::INTERNAL_ERROR), "reset"),
        (&[("content-length", "9")], |send| send.send_data("ab".into(), true).unwrap(), "malformed"),
        (&[("content-length", "1")], |send| send.send_data("ab".into(), true).unwrap(), "malformed"),
    ];
    for (fields, break_off, kind) in cases {
        let endpoint = Endpoint::new();
        let serve = async {
            let mut served = endpoint.accept().await;
            let (_request, mut respond) = next(&mut served).await;
            let send = begin(&mut respond, fields);
            let driven = drive(served);
            (send, driven)
        };
        let mut nothing = empty();
        let mut seen = Seen::default();
        let ((mut stream, _driven), response) =
            tokio::join!(serve, send(&endpoint.upstream, Method::GET, &mut nothing, &mut seen));
        let ResponseContent::Stream(download) = response.unwrap().into_body() else { panic!("a body still coming") };

        break_off(&mut stream);
        let broken = download.collect().await.unwrap_err();

        assert_eq!(broken.kind(), kind, "{broken}");
    }
}

#[tokio::test]
async fn heads_that_cannot_be_passed_on_are_refused() {
    type Case = (Vec<(&'static str, String)>, fn(&Unreadable) -> bool);
    let cases: [Case; 4] = [
        ((0..11).map(|_| ("a", "b".to_owned())).collect(), |why| matches!(why, Unreadable::Fields { found: 11, .. })),
        (vec![("a", "b".repeat(4096))], |why| matches!(why, Unreadable::LongHead(4096))),
        (vec![("a", " b".to_owned())], |why| matches!(why, Unreadable::Malformed(_))),
        (vec![("content-length", "x".to_owned())], |why| matches!(why, Unreadable::Malformed(_))),
    ];
    for (fields, is_expected) in cases {
        let endpoint = Endpoint::with(HeadLimits { bytes: 4096, fields: 10 });
        let serve = async {
            let mut served = endpoint.accept().await;
            let (_request, mut respond) = next(&mut served).await;
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let send = begin(&mut respond, &fields);
            (send, drive(served))
        };
        let (mut nothing, mut seen) = (empty(), Seen::default());

        let (_held, response) = tokio::join!(serve, send(&endpoint.upstream, Method::GET, &mut nothing, &mut seen));

        let error = response.unwrap_err();
        let ExchangeCause::Unreadable(why) = &error.cause else { panic!("{error:?}") };
        assert!(is_expected(why), "{why:?}");
    }
}

#[tokio::test]
async fn a_body_that_is_shorter_than_was_said_is_the_clients_fault() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut served = endpoint.accept().await;
        let (request, respond) = next(&mut served).await;
        drive(served);
        (request.into_body().data().await, respond)
    };
    let (mut seen, mut broken) = (Seen::default(), frames(vec![Err(RequestBodyError::Stalled)]));

    let ((came, _respond), sent) = tokio::join!(serve, send(&endpoint.upstream, Method::POST, &mut broken, &mut seen));

    assert_eq!(came.unwrap().unwrap_err().reason(), Some(h2::Reason::CANCEL), "and the endpoint sees no end of it");
    assert!(matches!(sent.unwrap_err().cause, ExchangeCause::BodyStalled));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_goes_silent_within_a_body_is_waited_for_that_long() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut served = endpoint.accept().await;
        let (_request, mut respond) = next(&mut served).await;
        let send = begin(&mut respond, &[]);
        (send, drive(served))
    };
    let (mut nothing, mut seen) = (empty(), Seen::default());
    let (_held, response) = tokio::join!(serve, send(&endpoint.upstream, Method::GET, &mut nothing, &mut seen));
    let ResponseContent::Stream(download) = response.unwrap().into_body() else { panic!("a body still coming") };

    let broken = download.collect().await.unwrap_err();

    assert!(matches!(broken, Broken::Stalled(_)), "{broken}");
}

#[tokio::test(start_paused = true)]
async fn time_for_a_response_begins_with_the_last_piece_of_the_request() {
    for SlowRequest { expects_continue, waits, time } in slow_requests(SOON) {
        let endpoint = Endpoint::new();
        let serve = async {
            let mut served = endpoint.accept().await;
            let held = next(&mut served).await;
            (held, drive(served))
        };
        let fields = Fields::default();
        let head = RequestHead { expects_continue, ..head(&Method::POST, "/", &fields) };
        let (mut body, mut seen) = (slow_body(waits), Seen::default());
        let began = tokio::time::Instant::now();

        let (_held, sent) = tokio::join!(serve, send_head(&endpoint.upstream, head, &mut body, &mut seen));

        let error = sent.unwrap_err();
        assert!(matches!(error.cause, ExchangeCause::TimedOut(SOON)), "{error:?}");
        assert_eq!(began.elapsed(), time, "{expects_continue}, a piece after {waits:?}");
    }
}

#[tokio::test]
async fn small_pieces_that_nobody_has_read_do_not_end_the_connection_that_they_share() {
    const PIECES: usize = 5000;
    let endpoint = Endpoint::new();
    let serve = async {
        let mut served = endpoint.accept().await;
        let (request, mut respond) = next(&mut served).await;
        let driven = drive(served);
        let mut body = request.into_body();
        while !body.is_end_stream() && !driven.is_finished() {
            // All of it comes before any of it is read.
            tokio::task::yield_now().await;
            if body.flow_control().used_capacity() == PIECES * 10 {
                break;
            }
        }
        let mut read = 0;
        while let Some(data) = body.data().await {
            read += data.unwrap().len();
        }
        finish(&mut respond, "all");
        read
    };
    let pieces = (0..PIECES).map(|_| Ok(Frame::data(Bytes::from_static(b"0123456789")))).collect();
    let (mut body, mut seen) = (frames(pieces), Seen::default());

    let (read, response) = tokio::join!(serve, send(&endpoint.upstream, Method::POST, &mut body, &mut seen));

    assert_eq!((read, text(response.unwrap()).await), (PIECES * 10, Bytes::from_static(b"all")));
}

#[tokio::test]
async fn calls_of_grpc_say_that_trailers_are_taken_whatever_their_client_says() {
    for (content, expected) in [("application/grpc+proto", true), ("application/json", false)] {
        let endpoint = Endpoint::new();
        let serve = async {
            let mut served = endpoint.accept().await;
            let (request, mut respond) = next(&mut served).await;
            finish(&mut respond, "");
            drive(served);
            request
        };
        let mut fields = Fields::default();
        fields.push(Cow::Owned(CONTENT_TYPE), Cow::Owned(HeaderValue::from_static(content)));
        let (mut body, mut seen) = (body("x"), Seen::default());

        let sending = send_head(&endpoint.upstream, head(&Method::POST, "/", &fields), &mut body, &mut seen);
        let (request, response) = tokio::join!(serve, sending);

        assert!(response.is_ok());
        assert_eq!(request.headers().get(TE).is_some_and(|te| te == "trailers"), expected, "{content}");
    }
}

/// The library counts them for all streams of the connection together.
#[tokio::test]
async fn a_response_in_small_pieces_that_nobody_reads_does_not_end_the_connection_that_it_shares() {
    const PIECES: usize = 60_000;
    let endpoint = Endpoint::new();
    let serve = async {
        let mut served = endpoint.accept().await;
        let (_request, mut respond) = next(&mut served).await;
        let mut stream = begin(&mut respond, &[]);
        for number in 1..=PIECES {
            stream.send_data(Bytes::from_static(b"x"), number == PIECES).unwrap();
        }
        let (_request, mut respond) = next(&mut served).await;
        finish(&mut respond, "behind them");
        drive(served);
        stream
    };
    let requests = async {
        let mut seen = Seen::default();
        let unread = send(&endpoint.upstream, Method::GET, &mut empty(), &mut seen).await.unwrap();
        let response = send(&endpoint.upstream, Method::GET, &mut empty(), &mut seen).await.unwrap();
        let behind = text(response).await;
        (behind, text(unread).await, seen.connected)
    };

    let (_stream, (behind, unread, connections)) = tokio::join!(serve, requests);

    assert_eq!((behind, unread.len(), connections), (Bytes::from_static(b"behind them"), PIECES, 1));
}
