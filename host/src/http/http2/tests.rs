//! Streams of the library as bodies and as sides of tunnels, over connections in memory.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

use ::http::{HeaderMap, Request, Response};
use bytes::Bytes;
use futures_util::FutureExt as _;
use h2::{Reason, RecvStream, SendStream};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::*;
use crate::net::{DuplexStream as _, PeerGone, ResetReason, Socket, Stream};
use crate::telemetry::FloodKind;

/// Both ends of one stream. The connections are driven by tasks, and end with the streams.
struct Pair {
    client: (SendStream<Bytes>, RecvStream),
    server: (SendStream<Bytes>, RecvStream),
}

/// A wire that nothing passes.
fn unwatched() -> Arc<Wire> {
    Wire::new(tokio::time::Instant::now(), &FrameScanner::new(WireSide::Client))
}

fn duplex((send, recv): (SendStream<Bytes>, RecvStream)) -> Http2Duplex {
    Http2Duplex::new(send, recv, unwatched())
}

impl Pair {
    async fn new() -> Self {
        let (here, there) = tokio::io::duplex(1 << 20);
        let (client, server) = tokio::join!(
            h2::client::Builder::new().max_send_buffer_size(65_536).handshake::<_, Bytes>(here),
            h2::server::Builder::new().max_send_buffer_size(65_536).handshake::<_, Bytes>(there),
        );
        let ((requests, connection), mut server) = (client.unwrap(), server.unwrap());
        tokio::spawn(connection);
        let mut requests = requests.ready().await.unwrap();
        let (response, sent) = requests.send_request(Request::new(()), false).unwrap();
        let (request, mut respond) = server.accept().await.unwrap().unwrap();
        let answered = respond.send_response(Response::new(()), false).unwrap();
        tokio::spawn(async move { while server.accept().await.is_some() {} });
        let received = response.await.unwrap().into_body();
        Self { client: (sent, received), server: (answered, request.into_body()) }
    }

    async fn tunnel() -> (Http2Duplex, Http2Duplex) {
        let Self { client, server } = Self::new().await;
        (duplex(client), duplex(server))
    }
}

#[tokio::test]
async fn bytes_and_ends_of_each_direction_go_through() {
    let (mut here, mut there) = Pair::tunnel().await;

    here.write_all(b"question").await.unwrap();
    here.shutdown().await.unwrap();
    here.shutdown().await.unwrap();
    let mut got = Vec::new();
    there.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"question");
    there.write_all(b"the other direction is open").await.unwrap();
    there.shutdown().await.unwrap();
    drop(there);
    let mut got = Vec::new();
    here.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"the other direction is open", "what was dropped after both ends is no reset");
}

#[tokio::test]
async fn who_does_not_read_gets_one_window_and_then_all() {
    let (mut here, mut there) = Pair::tunnel().await;
    let bytes: Vec<u8> = (0..400_000_u32).map(|n| n.to_le_bytes()[0]).collect();

    let mut taken = 0;
    while let Some(Ok(now)) = here.write(&bytes[taken..]).now_or_never() {
        taken += now;
    }
    assert!((65_535..=200_000).contains(&taken), "{taken} taken of a reader who does not read");

    let rest = bytes[taken..].to_vec();
    let writer = tokio::spawn(async move {
        here.write_all(&rest).await.unwrap();
        here.shutdown().await.unwrap();
        here
    });
    let mut got = Vec::new();
    there.read_to_end(&mut got).await.unwrap();
    assert!(got == bytes);
    drop(writer.await.unwrap());
}

#[tokio::test]
async fn what_came_in_many_frames_is_read_at_once() {
    let (mut here, mut there) = Pair::tunnel().await;
    for byte in 0..100 {
        there.write_all(&[byte]).await.unwrap();
    }
    there.shutdown().await.unwrap();

    let (mut got, mut reads) = (Vec::new(), 0);
    while here.read_buf(&mut got).await.unwrap() > 0 {
        reads += 1;
    }

    assert_eq!(got, (0..100).collect::<Vec<_>>());
    assert!(reads < 10, "{reads} reads of 100 frames that came together");
}

#[tokio::test]
async fn what_was_written_before_an_end_arrives_though_the_other_direction_is_dropped() {
    let (mut here, mut there) = Pair::tunnel().await;
    there.write_all(&[7; 50_000]).await.unwrap();
    there.shutdown().await.unwrap();
    drop(there);

    let mut got = Vec::new();
    here.read_to_end(&mut got).await.unwrap();

    assert!(got == [7; 50_000], "{} bytes", got.len());
}

#[tokio::test]
async fn a_reset_is_an_error_of_both_directions_whatever_its_code() {
    for code in [Reason::CANCEL, Reason::NO_ERROR, Reason::CONNECT_ERROR, Reason::from(99)] {
        let Pair { mut client, server } = Pair::new().await;
        let mut there = duplex(server);
        client.0.send_reset(code);

        let error = there.read(&mut [0; 9]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{code:?}");
        let error = there.write(b"x").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{code:?}");
        let error = there.shutdown().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{code:?}");
    }
}

#[tokio::test]
async fn whether_an_end_came_before_a_reset_is_known_to_who_does_not_read() {
    for ends in [false, true] {
        let Pair { mut client, server } = Pair::new().await;
        let mut there = duplex(server);
        client.0.send_data(Bytes::from_static(b"last words"), ends).unwrap();
        assert_eq!(there.read_u8().await.unwrap(), b'l');
        client.0.send_reset(Reason::CANCEL);

        let gone = poll_fn(|cx| there.poll_gone(cx)).await;

        assert!(matches!((&gone, ends), (PeerGone::Ended(_), true) | (PeerGone::Reset(_), false)), "{ends}: {gone:?}");
        let mut came = [0; 9];
        there.read_exact(&mut came).await.unwrap();
        assert_eq!(&came, b"ast words");
    }
}

#[tokio::test]
async fn trailers_are_no_end_of_a_tunnel() {
    for shut in [false, true] {
        let Pair { client: (mut sent, _received), server } = Pair::new().await;
        let mut there = duplex(server);
        if shut {
            there.shutdown().await.unwrap();
        }
        sent.send_data(Bytes::from_static(b"words"), false).unwrap();
        sent.send_trailers(HeaderMap::from_iter([("sum".parse().unwrap(), "7".parse().unwrap())])).unwrap();

        let mut got = Vec::new();
        let error = there.read_to_end(&mut got).await.unwrap_err();

        assert_eq!((error.kind(), &got[..]), (io::ErrorKind::ConnectionReset, &b"words"[..]));
    }
}

#[tokio::test]
async fn a_drop_before_both_ends_cancels_and_a_reset_says_why() {
    type End = fn(Http2Duplex);
    // A drop behind the end of this direction asks for no more of the other one.
    let ends: [(End, [Reason; 2]); 3] = [
        (drop, [Reason::CANCEL, Reason::NO_ERROR]),
        (|mut duplex| duplex.reset(ResetReason::Cancelled), [Reason::CANCEL; 2]),
        (|mut duplex| duplex.reset(ResetReason::PeerBroke), [Reason::CONNECT_ERROR; 2]),
    ];
    for (end, expected) in ends {
        for (shut, expected) in [false, true].into_iter().zip(expected) {
            let Pair { client, server } = Pair::new().await;
            let (mut sent, _received) = client;
            let mut there = duplex(server);
            if shut {
                there.shutdown().await.unwrap();
            }
            end(there);
            assert_eq!(poll_fn(|cx| sent.poll_reset(cx)).await.unwrap(), expected, "shut before: {shut}");
        }
    }
}

#[tokio::test]
async fn an_end_of_the_connection_is_no_end_of_its_streams() {
    let (here, there) = tokio::io::duplex(1 << 16);
    let (client, server) =
        tokio::join!(h2::client::handshake(here), h2::server::Builder::new().handshake::<_, Bytes>(there));
    let ((requests, connection), mut server) = (client.unwrap(), server.unwrap());
    let driver = tokio::spawn(connection);
    let mut requests = requests.ready().await.unwrap();
    let (response, sent) = requests.send_request(Request::new(()), false).unwrap();
    let (_request, mut respond) = server.accept().await.unwrap().unwrap();
    let _answered = respond.send_response(Response::new(()), false).unwrap();
    let serving = tokio::spawn(async move { while server.accept().await.is_some() {} });
    let mut here = duplex((sent, response.await.unwrap().into_body()));

    serving.abort();

    let error = here.read(&mut [0; 9]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}");
    drop(here);
    drop(driver.await);
}

#[tokio::test]
async fn a_body_has_data_then_trailers_and_opens_the_window_for_more() {
    let Pair { mut client, server } = Pair::new().await;
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "7".parse().unwrap());
    let expected = trailers.clone();
    let mut body = Http2Body::new(server.1, &unwatched());
    let writer = tokio::spawn(async move {
        client.0.send_data(Bytes::new(), false).unwrap();
        client.0.send_data(Bytes::from(vec![b'a'; 300_000]), false).unwrap();
        client.0.send_trailers(trailers).unwrap();
        client
    });

    let mut length = 0;
    let got = loop {
        let frame = body.frame().await.unwrap().unwrap();
        match frame.into_data() {
            Ok(data) => length += data.len(),
            Err(frame) => break frame.into_trailers().unwrap(),
        }
    };

    assert_eq!((length, got), (300_000, expected));
    assert!(body.is_end_stream() && body.frame().await.is_none());
    drop(writer.await);
}

#[tokio::test]
async fn a_body_that_is_reset_is_an_error_that_says_so() {
    let Pair { mut client, server } = Pair::new().await;
    let mut body = Http2Body::new(server.1, &unwatched());
    client.0.send_reset(Reason::CANCEL);

    let error = body.frame().await.unwrap().unwrap_err();

    assert!(error.is_reset() && error.is_remote());
    assert_eq!(reset_word(&error), "the peer reset the stream with CANCEL");
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const EMPTY_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

fn watched(ahead: &'static [u8]) -> (UnixStream, WatchedStream, Arc<Wire>) {
    let (peer, here) = UnixStream::pair().unwrap();
    let (stream, wire) = WatchedStream::new(Stream::from(Socket::from(here)), ahead.into(), WireSide::Client);
    (peer, stream, wire)
}

#[tokio::test]
async fn what_was_read_ahead_comes_first_and_is_seen() {
    let (mut peer, mut stream, wire) = watched(&PREFACE[..20]);
    peer.write_all(&PREFACE[20..]).await.unwrap();
    peer.write_all(EMPTY_SETTINGS).await.unwrap();
    drop(peer);

    let mut got = Vec::new();
    stream.read_to_end(&mut got).await.unwrap();

    assert_eq!(got, [PREFACE, EMPTY_SETTINGS].concat());
    assert!(wire.has_settings());
    assert_eq!((wire.frames_read(), wire.unfinished(), wire.fault()), (1, None, None));
}

#[tokio::test]
async fn a_flood_below_the_library_can_be_ended_with_the_code_for_it() {
    let (mut peer, stream, wire) = watched(PREFACE);
    let serving = tokio::spawn(async move {
        let mut connection = h2::server::Builder::new().handshake::<_, Bytes>(stream).await.unwrap();
        let fault = poll_fn(|cx| {
            wire.register(cx.waker());
            assert!(connection.poll_accept(cx).is_pending());
            wire.fault().map_or(Poll::Pending, Poll::Ready)
        });
        let fault = fault.await;
        connection.abrupt_shutdown(fault.reason());
        drop(poll_fn(|cx| connection.poll_closed(cx)).await);
        fault
    });
    let (mut reader, mut writer) = peer.split();
    writer.write_all(EMPTY_SETTINGS).await.unwrap();
    let pings = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8].repeat(1001);

    let mut got = Vec::new();
    let (_, read) = tokio::join!(writer.write_all(&pings), reader.read_to_end(&mut got));
    read.unwrap();

    assert_eq!(serving.await.unwrap(), WireFault::Flood(FloodKind::Ping));
    let mut last = None;
    FrameScanner::new(WireSide::Endpoint).scan(&got, |frame| last = Some(frame));
    assert_eq!(last.unwrap().kind, FrameType::GoAway);
    assert_eq!(got[got.len() - 4..], 11_u32.to_be_bytes(), "ENHANCE_YOUR_CALM");
}
