//! Websockets over HTTP/2 (RFC 8441).

use std::io;

use ::http::header::{SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use ::http::{HeaderMap, Method, Response, StatusCode};
use h2::ext::Protocol;
use h2::server::Builder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::super::tests::{Seen, empty, head};
use super::super::super::{ExchangeCause, RequestHead, ResponseContent, Unsendable};
use super::endpoint::{Endpoint, begin, drive, finish, next, send_head, text};
use crate::http::{Fields, Offer};
use crate::net::{Duplex, ResetReason};

fn announcing() -> Builder {
    let mut settings = Builder::new();
    settings.enable_connect_protocol();
    settings
}

/// A tunnel through `fields`, and the endpoint's end of it.
async fn open(
    endpoint: &Endpoint,
    fields: &HeaderMap,
) -> (Response<()>, Duplex, h2::SendStream<bytes::Bytes>, h2::RecvStream) {
    let serve = async {
        let mut served = endpoint.accept_with(&announcing()).await;
        let (request, mut respond) = next(&mut served).await;
        assert_eq!(request.method(), Method::CONNECT);
        assert_eq!(request.extensions().get::<Protocol>().map(Protocol::as_str), Some("websocket"));
        assert_eq!((request.uri().path(), request.headers().get(SEC_WEBSOCKET_KEY)), ("/chat", None));
        let stream = begin(&mut respond, &[("sec-websocket-protocol", "b"), ("sec-websocket-accept", "nonsense")]);
        drive(served);
        (stream, request.into_body())
    };
    let (offer, method, fields) = (Offer::of(["websocket"]).unwrap(), Method::GET, Fields::end_to_end(fields));
    let head = RequestHead { offer: Some(&offer), ..head(&method, "/chat", &fields) };
    let (mut nothing, mut seen) = (empty(), Seen::default());
    let ((send, recv), response) = tokio::join!(serve, send_head(&endpoint.upstream, head, &mut nothing, &mut seen));
    let (parts, content) = response.unwrap().into_parts();
    let ResponseContent::Duplex(duplex, early) = content else { panic!("no switch") };
    assert!(early.is_empty());
    (Response::from_parts(parts, ()), *duplex, send, recv)
}

#[tokio::test]
async fn a_2xx_is_a_switch_with_the_words_that_the_client_waits_for() {
    let endpoint = Endpoint::new();
    let mut fields = HeaderMap::new();
    fields.insert(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==".parse().unwrap());

    let (response, mut duplex, mut send, mut recv) = open(&endpoint, &fields).await;
    duplex.write_all(b"to").await.unwrap();
    send.send_data("fro".into(), false).unwrap();
    let mut came = [0; 3];
    duplex.read_exact(&mut came).await.unwrap();

    assert_eq!((&came, &recv.data().await.unwrap().unwrap()[..]), (b"fro", &b"to"[..]));
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(response.headers()[UPGRADE], "websocket");
    assert_eq!(response.headers()[SEC_WEBSOCKET_PROTOCOL], "b");
    assert_eq!(response.headers()[SEC_WEBSOCKET_ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "RFC 6455 §1.3");
}

#[tokio::test]
async fn a_client_without_a_key_gets_none_back() {
    let endpoint = Endpoint::new();
    let (response, ..) = open(&endpoint, &HeaderMap::new()).await;
    assert!(!response.headers().contains_key(SEC_WEBSOCKET_ACCEPT));
}

#[tokio::test]
async fn ends_and_resets_are_told_apart_both_ways() {
    let endpoint = Endpoint::new();
    let (_, mut duplex, mut send, mut recv) = open(&endpoint, &HeaderMap::new()).await;
    duplex.shutdown().await.unwrap();
    assert!(recv.data().await.is_none_or(|last| last.unwrap().is_empty()) && recv.is_end_stream(), "END_STREAM");
    send.send_data("still".into(), true).unwrap();
    let mut rest = Vec::new();
    duplex.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"still");

    let endpoint = Endpoint::new();
    let (_, mut duplex, _send, mut recv) = open(&endpoint, &HeaderMap::new()).await;
    duplex.reset(ResetReason::PeerBroke);
    drop(duplex);
    assert_eq!(recv.data().await.unwrap().unwrap_err().reason(), Some(h2::Reason::CONNECT_ERROR));

    let endpoint = Endpoint::new();
    let (_, mut duplex, mut send, _recv) = open(&endpoint, &HeaderMap::new()).await;
    send.send_reset(h2::Reason::CANCEL);
    let error = duplex.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_refusal_stays_what_it_is() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut served = endpoint.accept_with(&announcing()).await;
        let (_request, mut respond) = next(&mut served).await;
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::FORBIDDEN;
        respond.send_response(response, false).unwrap().send_data("no".into(), true).unwrap();
        drive(served);
    };
    let (offer, method, fields) = (Offer::of(["websocket"]).unwrap(), Method::GET, Fields::default());
    let head = RequestHead { offer: Some(&offer), ..head(&method, "/", &fields) };
    let (mut nothing, mut seen) = (empty(), Seen::default());

    let ((), response) = tokio::join!(serve, send_head(&endpoint.upstream, head, &mut nothing, &mut seen));

    let response = response.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(text(response).await, "no");
}

#[tokio::test]
async fn an_endpoint_that_announces_no_tunnels_is_not_asked_for_one() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut served = endpoint.accept().await;
        let (_request, mut respond) = next(&mut served).await;
        finish(&mut respond, "a request");
        drive(served);
    };
    let requests = async {
        let (offer, method, fields) = (Offer::of(["websocket"]).unwrap(), Method::GET, Fields::default());
        let mut seen = Seen::default();
        for _ in 0..2 {
            let head = RequestHead { offer: Some(&offer), ..head(&method, "/", &fields) };
            let error = send_head(&endpoint.upstream, head, &mut empty(), &mut seen).await.unwrap_err();
            assert!(matches!(error.cause, ExchangeCause::Unsendable(Unsendable::Websocket)), "{error:?}");
        }
        let head = head(&method, "/", &fields);
        let response = send_head(&endpoint.upstream, head, &mut empty(), &mut seen).await.unwrap();
        assert_eq!(text(response).await, "a request", "by the connection that is there");
    };

    tokio::join!(serve, requests);
}
