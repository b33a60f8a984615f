//! What a connection comes to: idle, slow, drained, not taken.

use super::*;

#[tokio::test]
async fn a_connection_without_a_stream_ends_with_goaway() {
    let limits = ClientLimits { idle_timeout: SHORT, ..LIMITS };
    let mut stage = serve(limits, |_request| async { whole("ok") }).await;
    let response = stage.client.send_request(get("/"), true).unwrap().0.await.unwrap();
    body_of(response).await;

    stage.served.await.unwrap().unwrap();

    drop(stage.client);
    stage.driven.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_does_not_begin_is_left() {
    for bytes in [
        &b""[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x05\x01\0\0\0\0\x01\x82",
    ] {
        let limits = ClientLimits { head_timeout: SHORT, ..LIMITS };
        let (mut stream, served, _drain) = raw(limits, |_request| async { whole("never") }).await;
        stream.write_all(bytes).await.unwrap();

        let result = served.await.unwrap();

        assert!(matches!(result, Err(ServeError::SlowHead(_))), "{bytes:?}: {result:?}");
    }
}

#[tokio::test]
async fn half_a_frame_is_not_waited_for() {
    let limits = ClientLimits { body_timeout: SHORT, ..LIMITS };
    let (mut stream, served, _drain) = raw(limits, |_request| async { whole("never") }).await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x08\x06\0\0").await.unwrap();

    let result = served.await.unwrap();

    assert!(matches!(result, Err(ServeError::SlowFrame(_))), "{result:?}");
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.unwrap();
    assert!(said.windows(9).any(|frame| frame[..4] == [0, 0, 8, 7]), "GOAWAY: {said:?}");
}

#[tokio::test]
async fn a_drain_lets_what_is_under_way_finish() {
    let (go_on, gate) = tokio::sync::watch::channel(false);
    let mut stage = serve(LIMITS, move |_request| {
        let mut gate = gate.clone();
        async move {
            gate.wait_for(|open| *open).await.unwrap();
            whole("done")
        }
    })
    .await;
    let (response, _) = stage.client.send_request(get("/"), true).unwrap();
    let idle = serve(LIMITS, |_request| async { whole("never") }).await;

    stage.drain.begin();
    idle.drain.begin();

    idle.served.await.unwrap().unwrap();
    go_on.send(true).unwrap();
    assert_eq!(body_of(response.await.unwrap()).await.0, "done");
    stage.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_takes_nothing_at_all_loses_its_connection() {
    let limits = ClientLimits { idle_timeout: SHORT, ..LIMITS };
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(i32::MAX.unsigned_abs()).initial_connection_window_size(i32::MAX.unsigned_abs());
    let (stream, served, _drain) = raw(limits, |_request| async {
        let endless = futures_util::stream::repeat_with(|| {
            Ok::<_, crate::http::ResponseBodyError>(http_body::Frame::data(Bytes::from_static(&[0; 16 * 1024])))
        });
        (Response::new(ResponseBody::stream(StreamBody::new(endless))), None)
    })
    .await;
    let (client, mut connection) = builder.handshake::<_, Bytes>(stream).await.unwrap();
    let mut client = std::future::poll_fn(|cx| {
        assert!(Pin::new(&mut connection).poll(cx).is_pending());
        std::task::Poll::Ready(client.clone())
    })
    .await;
    let (response, _) = client.send_request(get("/"), true).unwrap();
    let mut response = std::pin::pin!(response);
    std::future::poll_fn(|cx| {
        assert!(Pin::new(&mut connection).poll(cx).is_pending());
        response.as_mut().poll(cx).map(drop)
    })
    .await;

    // From here on nobody drives the client's side.
    let result = served.await.unwrap();

    assert!(matches!(result, Err(ServeError::SlowReader(_))), "{result:?}");
}
