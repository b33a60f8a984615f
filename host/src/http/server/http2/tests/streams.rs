//! Requests, bodies, responses and tunnels, each on its stream.

use super::*;

#[tokio::test]
async fn requests_are_served_beside_each_other() {
    let (go_on, gate) = tokio::sync::watch::channel(false);
    let mut stage = serve(LIMITS, move |request| {
        let mut gate = gate.clone();
        async move {
            let request = request.request.unwrap();
            if request.uri().path() == "/slow" {
                gate.wait_for(|open| *open).await.unwrap();
            }
            assert_eq!(request.headers().get("host").unwrap(), "h.example");
            whole("hello")
        }
    })
    .await;

    let (slow, _) = stage.client.send_request(get("/slow"), true).unwrap();
    let (fast, _) = stage.client.send_request(get("/fast"), true).unwrap();

    let response = fast.await.unwrap();
    assert_eq!(response.headers().get("content-length").unwrap(), "5");
    assert_eq!(body_of(response).await.0, "hello");
    go_on.send(true).unwrap();
    assert_eq!(body_of(slow.await.unwrap()).await.0, "hello");
}

#[tokio::test]
async fn bodies_and_trailers_go_both_ways() {
    let mut stage = serve(LIMITS, |request| async move {
        let body = request.request.unwrap().into_body().collect().await.unwrap();
        let trailers = body.trailers().cloned().unwrap();
        let frames = [Ok(http_body::Frame::data(body.to_bytes())), Ok(http_body::Frame::trailers(trailers))];
        let body =
            StreamBody::new(futures_util::stream::iter::<[Result<_, crate::http::ResponseBodyError>; 2]>(frames));
        (Response::new(ResponseBody::stream(body)), None)
    })
    .await;

    let request = Request::builder().method(Method::POST).uri("http://h/").body(()).unwrap();
    let (response, mut send) = stage.client.send_request(request, false).unwrap();
    let sent = Bytes::from(vec![7; 300_000]);
    let expected = sent.clone();
    let sending = tokio::spawn(async move {
        let mut rest = sent;
        while !rest.is_empty() {
            send.reserve_capacity(rest.len());
            let room = std::future::poll_fn(|cx| send.poll_capacity(cx)).await.unwrap().unwrap();
            send.send_data(rest.split_to(room.min(rest.len())), false).unwrap();
        }
        send.send_trailers(HeaderMap::from_iter([("sum".parse().unwrap(), HeaderValue::from_static("7"))])).unwrap();
    });

    let (body, trailers) = body_of(response.await.unwrap()).await;
    sending.await.unwrap();
    assert_eq!(body, expected);
    assert_eq!(trailers.unwrap().get("sum").unwrap(), "7");
}

#[tokio::test]
async fn heads_alone_end_the_stream_and_connection_fields_stay_behind() {
    let mut stage = serve(LIMITS, |request| async move {
        let status = request.request.unwrap().uri().path().trim_start_matches('/').parse().unwrap();
        let response =
            Response::builder().status::<u16>(status).header("connection", "close, x-hop").header("x-hop", "1");
        (response.body(ResponseBody::whole("never sent")).unwrap(), None)
    })
    .await;
    for (method, path) in [(Method::HEAD, "/200"), (Method::GET, "/204"), (Method::GET, "/304")] {
        let request = Request::builder().method(method).uri(format!("http://h{path}")).body(()).unwrap();

        let response = stage.client.send_request(request, true).unwrap().0.await.unwrap();

        assert!(response.body().is_end_stream(), "{path}");
        assert!(!response.headers().contains_key("connection") && !response.headers().contains_key("x-hop"));
    }
}

#[tokio::test]
async fn a_body_that_breaks_is_no_end_and_what_was_there_of_it_arrives() {
    let mut stage = serve(LIMITS, |_request| async {
        let error = crate::http::ResponseBodyError {
            by: crate::http::BrokenBy::Endpoint,
            kind: "cut",
            remedy: "none",
            source: "it is cut".into(),
        };
        let frames = [Ok(http_body::Frame::data(Bytes::from_static(b"half"))), Err(error)];
        (Response::new(ResponseBody::stream(StreamBody::new(futures_util::stream::iter(frames)))), None)
    })
    .await;

    let mut body = stage.client.send_request(get("/"), true).unwrap().0.await.unwrap().into_body();

    assert_eq!(body.data().await.unwrap().unwrap(), "half");
    let error = body.data().await.expect("no end").unwrap_err();
    assert_eq!(error.reason(), Some(Reason::INTERNAL_ERROR));
}

#[tokio::test]
async fn a_client_that_resets_ends_the_handling() {
    let (begun, mut begins) = mpsc::unbounded_channel();
    let (held, gone) = oneshot::channel::<()>();
    let held = Arc::new(parking_lot::Mutex::new(Some(held)));
    let mut stage = serve(LIMITS, move |_request| {
        let (begun, held) = (begun.clone(), held.lock().take());
        async move {
            begun.send(()).unwrap();
            std::future::pending::<()>().await;
            drop(held);
            whole("never")
        }
    })
    .await;
    let (_response, mut send) = stage.client.send_request(get("/"), false).unwrap();
    begins.recv().await.unwrap();

    send.send_reset(Reason::CANCEL);

    gone.await.unwrap_err();
}

#[tokio::test]
async fn a_body_is_asked_for_with_100_and_interim_responses_go_before_the_response() {
    let mut stage = serve(LIMITS, |mut request| async move {
        request.interim.as_mut().unwrap().send(StatusCode::EARLY_HINTS, &HeaderMap::new());
        let body = request.request.unwrap().into_body();
        assert!(body.expects_continue());
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abc");
        whole("ok")
    })
    .await;
    let request = Request::builder()
        .method(Method::PUT)
        .uri("http://h/")
        .header("expect", "100-continue")
        .header("content-length", "3")
        .body(())
        .unwrap();
    let (mut response, mut send) = stage.client.send_request(request, false).unwrap();

    let mut interim =
        async || std::future::poll_fn(|cx| response.poll_informational(cx)).await.unwrap().unwrap().status();
    assert_eq!(interim().await, StatusCode::EARLY_HINTS);
    assert_eq!(interim().await, StatusCode::CONTINUE);
    send.send_data(Bytes::from_static(b"abc"), true).unwrap();
    assert_eq!(body_of(response.await.unwrap()).await.0, "ok");
}

#[tokio::test]
async fn a_body_that_does_not_come_has_stalled_while_the_response_is_awaited() {
    let limits = ClientLimits { body_timeout: SHORT, ..LIMITS };
    let mut stage = serve(limits, |request| async move {
        match request.request.unwrap().into_body().collect().await {
            Err(RequestBodyError::Stalled) => whole("stalled"),
            other => panic!("{other:?}"),
        }
    })
    .await;
    let (response, _send) = stage.client.send_request(get("/"), false).unwrap();

    assert_eq!(body_of(response.await.unwrap()).await.0, "stalled");
}

#[tokio::test]
async fn a_client_that_takes_nothing_loses_its_stream_and_no_other() {
    let limits = ClientLimits { idle_timeout: SHORT, ..LIMITS };
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(10);
    let mut stage = serve_to(builder, limits, |request| async move {
        match request.request.unwrap().uri().path() {
            "/long" => whole("longer than the window"),
            _ => whole("short"),
        }
    })
    .await;

    let response = stage.client.send_request(get("/long"), true).unwrap().0.await.unwrap();
    let mut body = response.into_body();
    assert_eq!(body.data().await.unwrap().unwrap(), "longer tha");
    let error = body.data().await.unwrap().unwrap_err();

    assert_eq!(error.reason(), Some(Reason::CANCEL));
    let response = stage.client.send_request(get("/short"), true).unwrap().0.await.unwrap();
    assert_eq!(body_of(response).await.0, "short");
}

#[tokio::test]
async fn a_body_as_long_as_the_window_ends_without_another_window() {
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(10);
    let mut stage = serve_to(builder, LIMITS, |_request| async {
        let (send, receive) = mpsc::unbounded_channel();
        send.send(Ok::<_, crate::http::ResponseBodyError>(http_body::Frame::data(Bytes::from_static(b"0123456789"))))
            .unwrap();
        let body =
            futures_util::stream::unfold(receive, |mut receive| async { Some((receive.recv().await?, receive)) });
        (Response::new(ResponseBody::stream(StreamBody::new(body))), None)
    })
    .await;

    let response = stage.client.send_request(get("/"), true).unwrap().0.await.unwrap();
    let mut body = response.into_body();

    assert_eq!(body.data().await.unwrap().unwrap(), "0123456789");
    let end = body.data().await.map(Result::unwrap);
    assert!(end.is_none_or(|end| end.is_empty()), "no window was opened");
}

#[tokio::test]
async fn an_extended_connect_becomes_a_tunnel() {
    let mut stage = serve(LIMITS, |request| async move {
        let upgrade = request.upgrade.unwrap();
        assert_eq!(request.request.unwrap().method(), Method::GET);
        assert_eq!(upgrade.offer.spellings().collect::<Vec<_>>(), ["websocket"]);
        let tunnel: BoxedTunnel = Box::pin(async move {
            let (mut duplex, _early) = upgrade.client.into_duplex().await.unwrap();
            let mut bytes = [0; 5];
            duplex.read_exact(&mut bytes).await.unwrap();
            duplex.write_all(&bytes).await.unwrap();
            assert_eq!(duplex.read(&mut bytes).await.unwrap(), 0);
            duplex.shutdown().await.unwrap();
        });
        let response = Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-accept", "x")
            .header("sec-websocket-protocol", "chat");
        (response.body(ResponseBody::empty()).unwrap(), Some(tunnel))
    })
    .await;
    let mut request = get("/chat");
    *request.method_mut() = Method::CONNECT;
    request.extensions_mut().insert(h2::ext::Protocol::from_static("websocket"));
    // The setting comes with the connection's first frames.
    while !stage.client.is_extended_connect_protocol_enabled() {
        tokio::task::yield_now().await;
    }

    let (response, mut send) = stage.client.send_request(request, false).unwrap();
    let response = response.await.unwrap();

    assert_eq!(response.status(), StatusCode::OK);
    let names: Vec<_> = response.headers().keys().map(::http::HeaderName::as_str).collect();
    assert_eq!(names, ["sec-websocket-protocol"]);
    send.send_data(Bytes::from_static(b"hello"), true).unwrap();
    assert_eq!(body_of(response).await.0, "hello");
}

#[tokio::test]
async fn success_without_a_switch_is_none_for_an_extended_connect() {
    let mut stage = serve(LIMITS, |_request| async { whole("I know no websockets") }).await;
    let mut request = get("/chat");
    *request.method_mut() = Method::CONNECT;
    request.extensions_mut().insert(h2::ext::Protocol::from_static("websocket"));
    while !stage.client.is_extended_connect_protocol_enabled() {
        tokio::task::yield_now().await;
    }

    let (response, _send) = stage.client.send_request(request, false).unwrap();

    assert_eq!(response.await.unwrap().status(), StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn a_malformed_request_is_handled_for_its_line_and_reset() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let mut stage = serve(LIMITS, move |request| {
        seen.send(request.request.unwrap_err().violation).unwrap();
        async { whole("never seen") }
    })
    .await;
    let request = Request::builder().uri("http://a.example/").header("host", "b.example").body(()).unwrap();

    let error = stage.client.send_request(request, true).unwrap().0.await.unwrap_err();

    assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR));
    assert_eq!(requests.recv().await, Some(crate::http::Violation::Authorities));
}

#[tokio::test]
async fn a_request_in_small_pieces_that_nobody_reads_does_not_end_the_connection_that_it_shares() {
    const PIECES: usize = 60_000;
    let (go_on, gate) = tokio::sync::watch::channel(false);
    let mut stage = serve(LIMITS, move |request| {
        let mut gate = gate.clone();
        async move {
            let request = request.request.unwrap();
            if request.method() == Method::GET {
                return whole("behind them");
            }
            gate.wait_for(|open| *open).await.unwrap();
            let body = request.into_body().collect().await.unwrap().to_bytes();
            (Response::new(ResponseBody::whole(body)), None)
        }
    })
    .await;
    let request = Request::builder().method(Method::POST).uri("http://h/").body(()).unwrap();
    let (unread, mut send) = stage.client.send_request(request, false).unwrap();
    for number in 1..=PIECES {
        send.send_data(Bytes::from_static(b"x"), number == PIECES).unwrap();
    }

    let (response, _) = stage.client.send_request(get("/"), true).unwrap();
    assert_eq!(body_of(response.await.unwrap()).await.0, "behind them");

    go_on.send(true).unwrap();
    assert_eq!(body_of(unread.await.unwrap()).await.0.len(), PIECES);
}
