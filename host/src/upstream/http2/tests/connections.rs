//! One connection for many, more where that has no room, and its end.

use std::time::Duration;

use ::http::Method;
use h2::server::Builder;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::super::tests::{Seen, body, empty};
use super::super::super::{Broken, ConnectFault, ExchangeCause, ResponseContent, Sent, Unsendable};
use super::super::keepalive::{PATIENCE, SILENCE};
use super::endpoint::{Endpoint, SOON, Served, begin, drive, finish, next, send, text};

#[tokio::test]
async fn requests_that_come_at_once_share_one_connection() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut served = endpoint.accept().await;
        let mut all = Vec::new();
        for _ in 0..20 {
            all.push(next(&mut served).await.1);
        }
        for respond in &mut all {
            finish(respond, "ok");
        }
        drive(served);
    };
    let requests = (0..20).map(|_| async {
        let mut seen = Seen::default();
        let response = send(&endpoint.upstream, Method::GET, &mut empty(), &mut seen).await.unwrap();
        assert_eq!(text(response).await, "ok");
        (seen.connected, seen.reused)
    });

    let ((), seen) = tokio::join!(serve, futures_util::future::join_all(requests));

    assert_eq!(seen.iter().filter(|seen| **seen == (1, 0)).count(), 1, "{seen:?}");
    assert_eq!(seen.iter().filter(|seen| **seen == (0, 1)).count(), 19, "{seen:?}");
}

#[tokio::test]
async fn another_connection_is_opened_where_the_endpoint_takes_no_more_streams() {
    let endpoint = Endpoint::new();
    let mut settings = Builder::new();
    settings.max_concurrent_streams(2);
    let serve = async {
        let mut all = Vec::new();
        for streams in [2, 2, 1] {
            let mut served = endpoint.accept_with(&settings).await;
            for _ in 0..streams {
                all.push(next(&mut served).await.1);
            }
            drive(served);
        }
        for respond in &mut all {
            finish(respond, "ok");
        }
    };
    let requests = (0..5).map(|_| async {
        let response = send(&endpoint.upstream, Method::GET, &mut empty(), &mut Seen::default()).await.unwrap();
        text(response).await
    });

    let ((), all) = tokio::join!(serve, futures_util::future::join_all(requests));

    assert_eq!(all, ["ok"; 5]);
}

#[tokio::test]
async fn a_connection_that_is_going_away_finishes_what_it_has_and_gets_nothing_new() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut served = endpoint.accept().await;
        let (_request, mut first) = next(&mut served).await;
        let mut stream = begin(&mut first, &[]);
        stream.send_data("be".into(), false).unwrap();
        served.graceful_shutdown();
        drive(served);
        let mut another = endpoint.accept().await;
        let (_request, mut second) = next(&mut another).await;
        finish(&mut second, "new");
        drive(another);
        stream.send_data("gun".into(), true).unwrap();
    };
    let requests = async {
        let (mut seen, upstream) = (Seen::default(), &endpoint.upstream);
        let first = send(upstream, Method::GET, &mut empty(), &mut seen).await.unwrap();
        let until_gone = async {
            while upstream.take_idle(super::super::super::session::ConnectionPurpose::Request).is_some() {
                tokio::task::yield_now().await;
            }
        };
        until_gone.await;
        let second = send(upstream, Method::POST, &mut empty(), &mut seen).await.unwrap();
        assert_eq!((text(second).await, text(first).await), ("new".into(), "begun".into()));
        (seen.connected, seen.reused)
    };

    let ((), seen) = tokio::join!(serve, requests);

    assert_eq!(seen, (2, 0));
}

#[tokio::test]
async fn an_endpoint_that_speaks_something_else_is_shown_with_what_it_said() {
    let plain = "is it https:// or wss://? If it speaks no HTTP/2, set protocol = \"h1\" for its cluster";
    for (said, shown, remedy) in [
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1 400 Bad Request\\r\\n\\r\\n", plain),
        ("220 mail ESMTP\r\n", "220 mail ESMTP\\r\\n", plain),
        ("\x15\x03\x03\x00\x02\x02\x46", "\\x15\\x03\\x03", "that is TLS: is it https:// or wss://?"),
        ("", "it closed the connection", plain),
    ] {
        let endpoint = Endpoint::new();
        let serve = async {
            let (mut stream, _) = endpoint.listener.accept().await.unwrap();
            let mut preface = [0; 24];
            stream.read_exact(&mut preface).await.unwrap();
            stream.write_all(said.as_bytes()).await.unwrap();
            (!said.is_empty()).then_some(stream)
        };
        let (mut nothing, mut seen) = (empty(), Seen::default());

        let (_held, sent) = tokio::join!(serve, send(&endpoint.upstream, Method::POST, &mut nothing, &mut seen));

        let error = sent.unwrap_err();
        assert_eq!(error.sent, Sent::Nothing);
        let ExchangeCause::Connect(connect) = &error.cause else { panic!("{error:?}") };
        let text = connect.to_string();
        assert!(matches!(connect.fault, ConnectFault::NoHttp2(..) | ConnectFault::NoSettings(_)), "{text}");
        assert!(text.contains(shown) && text.ends_with(remedy), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_says_nothing_is_waited_for_as_long_as_a_connection_may_take() {
    let endpoint = Endpoint::new();

    let error = send(&endpoint.upstream, Method::GET, &mut empty(), &mut Seen::default()).await.unwrap_err();

    let ExchangeCause::Connect(connect) = &error.cause else { panic!("{error:?}") };
    assert!(matches!(connect.fault, ConnectFault::TimedOut(_)), "{connect}");
}

#[tokio::test(start_paused = true)]
async fn silence_is_asked_about_and_then_ends_the_connection() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut served = endpoint.accept().await;
        let (_request, mut respond) = next(&mut served).await;
        let mut stream = begin(&mut respond, &[]);
        futures_util::future::poll_immediate(served.accept()).await;
        tokio::time::sleep(SILENCE / 3).await;
        stream.send_data("x".into(), false).unwrap();
        // Not driven any more: nothing is read, no ping is answered.
        futures_util::future::poll_immediate(served.accept()).await;
        (served, stream)
    };
    let began = tokio::time::Instant::now();
    let exchange = async {
        let limits = super::super::super::ExchangeLimits { connect: SILENCE, response: SILENCE * 10 };
        let (method, fields) = (Method::GET, crate::http::Fields::default());
        let head = super::super::super::tests::head(&method, "/", &fields);
        let response = endpoint.upstream.exchange(head, &mut empty(), limits, &mut Seen::default()).await.unwrap();
        let ResponseContent::Stream(download) = response.into_body() else { panic!("a body still coming") };
        download.collect().await.unwrap_err()
    };

    let (_held, broken) = tokio::join!(serve, exchange);

    assert!(matches!(broken, Broken::GivenUp(_)), "{broken}");
    let (took, said) = (began.elapsed(), SILENCE / 3);
    assert!(took >= said + SILENCE + PATIENCE && took < said + SILENCE + PATIENCE * 2, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_answers_pings_may_be_silent_for_long() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut served = endpoint.accept().await;
        let (_request, mut respond) = next(&mut served).await;
        drive(served);
        tokio::time::sleep(SILENCE * 20).await;
        finish(&mut respond, "late");
    };
    let exchange = async {
        let limits = super::super::super::ExchangeLimits { connect: SILENCE, response: Duration::from_secs(3600) };
        let (method, fields) = (Method::GET, crate::http::Fields::default());
        let head = super::super::super::tests::head(&method, "/", &fields);
        endpoint.upstream.exchange(head, &mut empty(), limits, &mut Seen::default()).await.unwrap()
    };

    let ((), response) = tokio::join!(serve, exchange);

    assert_eq!(text(response).await, "late");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_in_time_and_a_busy_one_is_not() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut served = endpoint.accept().await;
        let (_request, mut respond) = next(&mut served).await;
        let stream = begin(&mut respond, &[]);
        (drive(served), stream)
    };
    let (mut nothing, mut seen) = (empty(), Seen::default());
    let ((driven, mut stream), response) =
        tokio::join!(serve, send(&endpoint.upstream, Method::GET, &mut nothing, &mut seen));
    let ResponseContent::Stream(mut download) = response.unwrap().into_body() else { panic!("a body still coming") };
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_secs(4)).await;
        stream.send_data("x".into(), false).unwrap();
        assert!(download.frame().await.unwrap().is_ok(), "longer than the pool keeps what is idle");
    }
    assert!(!driven.is_finished());

    stream.send_data("end".into(), true).unwrap();
    assert_eq!(download.collect().await.unwrap().to_bytes(), "end");
    driven.await.unwrap();
}

#[tokio::test]
async fn responses_that_are_not_read_hold_nobody_up() {
    const UNREAD: usize = 150;
    let endpoint = Endpoint::new();
    let serve = async {
        // The library's settings: as many streams as anybody opens.
        let (listener, mut held) = (&endpoint.listener, Vec::new());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut served: Served = Builder::new().handshake(stream).await.unwrap();
            held.push(tokio::spawn(async move {
                while let Some(Ok((request, mut respond))) = served.accept().await {
                    let size = if *request.method() == Method::POST { 4 } else { 1_000_000 };
                    let mut stream = begin(&mut respond, &[]);
                    tokio::spawn(async move { stream.send_data(vec![b'x'; size].into(), true) });
                }
            }));
        }
    };
    let requests = async {
        let mut unread = Vec::new();
        for _ in 0..UNREAD {
            let response = send(&endpoint.upstream, Method::GET, &mut empty(), &mut Seen::default()).await.unwrap();
            unread.push(response);
        }
        let response = send(&endpoint.upstream, Method::POST, &mut empty(), &mut Seen::default()).await.unwrap();
        text(response).await
    };

    let answer = tokio::select! {
        () = serve => panic!("the endpoint serves on"),
        answer = tokio::time::timeout(SOON, requests) => answer.unwrap(),
    };

    assert_eq!(answer, "xxxx");
}

#[tokio::test]
async fn an_endpoint_that_takes_no_streams_is_an_error_at_once_and_one_connection() {
    let endpoint = Endpoint::new();
    let mut settings = Builder::new();
    settings.max_concurrent_streams(0);
    let serve = async {
        let served = endpoint.accept_with(&settings).await;
        drive(served);
        drop(endpoint.accept().await);
    };
    let requests = async {
        let mut seen = Seen::default();
        for _ in 0..3 {
            let error = send(&endpoint.upstream, Method::POST, &mut body("ab"), &mut seen).await.unwrap_err();
            assert_eq!(error.sent, Sent::Nothing);
            assert!(matches!(error.cause, ExchangeCause::Unsendable(Unsendable::Streams)), "{error:?}");
        }
    };

    tokio::select! {
        () = serve => panic!("another connection, which would take none either"),
        () = requests => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_endpoint_did_not_answer_in_time_takes_nothing_until_that_is_heard_of() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut silent = endpoint.accept().await;
        let _unanswered = next(&mut silent).await;
        let mut another = endpoint.accept().await;
        for _ in 0..2 {
            let (_request, mut respond) = next(&mut another).await;
            finish(&mut respond, "ok");
        }
        drive(another);
        // The ping is answered.
        drive(silent);
    };
    let requests = async {
        let (upstream, mut seen) = (&endpoint.upstream, Seen::default());
        let error = send(upstream, Method::GET, &mut empty(), &mut seen).await.unwrap_err();
        assert!(matches!(error.cause, ExchangeCause::TimedOut(_)), "{error:?}");
        for _ in 0..2 {
            let response = send(upstream, Method::GET, &mut empty(), &mut seen).await.unwrap();
            assert_eq!(text(response).await, "ok");
        }
        (seen.connected, seen.reused)
    };

    let ((), seen) = tokio::join!(serve, requests);

    assert_eq!(seen, (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_slow_response_says_nothing_against_a_connection_whose_endpoint_answers_pings() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut served = endpoint.accept().await;
        let slow = next(&mut served).await;
        let (_request, mut respond) = next(&mut served).await;
        finish(&mut respond, "ok");
        drive(served);
        slow
    };
    let requests = async {
        let (upstream, mut seen) = (&endpoint.upstream, Seen::default());
        send(upstream, Method::GET, &mut empty(), &mut seen).await.unwrap_err();
        while upstream.take_idle(super::super::super::session::ConnectionPurpose::Request).is_none() {
            tokio::task::yield_now().await;
        }
        let response = send(upstream, Method::GET, &mut empty(), &mut seen).await.unwrap();
        assert_eq!(text(response).await, "ok");
        (seen.connected, seen.reused)
    };

    let (_held, seen) = tokio::join!(serve, requests);

    assert_eq!(seen, (1, 1));
}
