//! Endpoints whose frames are written by hand, for what the library would not do.

use std::time::Duration;

use ::http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::Instant;

use super::super::super::tests::{Seen, empty, head};
use super::super::super::{Broken, ExchangeCause, ExchangeLimits, GivenUp, ResponseContent};
use super::super::keepalive::{PATIENCE, SILENCE};
use super::endpoint::{Endpoint, send};
use crate::http::Fields;
use crate::telemetry::Counter;

const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;

/// The endpoint's end of a connection.
struct Hand(UnixStream);

impl Hand {
    /// Accepts one, reads the preface, and says SETTINGS with this payload.
    async fn accept(endpoint: &Endpoint, settings: &[u8]) -> Self {
        let (mut stream, _) = endpoint.listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 24]).await.unwrap();
        let mut hand = Self(stream);
        hand.settings(settings).await;
        hand
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    async fn settings(&mut self, payload: &[u8]) {
        let length = u8::try_from(payload.len()).unwrap();
        self.write(&[&[0, 0, length, SETTINGS, 0, 0, 0, 0, 0], payload].concat()).await;
    }

    /// Reads frames up to one of this type, stream and flags: its payload.
    async fn read_to(&mut self, kind: u8, stream: u8, flags: u8) -> Vec<u8> {
        loop {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).await.unwrap();
            let [a, b, c, read, has, _, _, _, id] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            self.0.read_exact(&mut payload).await.unwrap();
            if (read, id, has & flags) == (kind, stream, flags) {
                return payload;
            }
        }
    }

    /// Waits for a request.
    async fn request(&mut self, stream: u8) {
        self.read_to(1, stream, 0).await;
    }

    /// Says `:status: 200` and the end of the stream (RFC 7541 appendix A).
    async fn respond(&mut self, stream: u8) {
        self.write(&[0, 0, 1, 1, 5, 0, 0, 0, stream, 0x88]).await;
    }

    /// Says that so many streams may be open, and waits until that is acknowledged.
    async fn allow(&mut self, streams: u8) {
        self.settings(&[0, 3, 0, 0, 0, streams]).await;
        self.read_to(SETTINGS, 0, ACK).await;
    }
}

/// A request that is waited for until its connection is given up.
async fn waiting(endpoint: &Endpoint) -> Broken {
    match ended(endpoint).await {
        ExchangeCause::Broken(broken) => broken,
        other => panic!("{other:?}"),
    }
}

/// A request that is waited for for long.
async fn ended(endpoint: &Endpoint) -> ExchangeCause {
    let limits = ExchangeLimits { connect: SILENCE, response: SILENCE * 100 };
    let (method, fields) = (Method::GET, Fields::default());
    let sent =
        endpoint.upstream.exchange(head(&method, "/", &fields), &mut empty(), limits, &mut Seen::default()).await;
    sent.unwrap_err().cause
}

fn code(goaway: &[u8]) -> u8 {
    *goaway.get(7).unwrap()
}

#[tokio::test(start_paused = true)]
async fn half_a_header_block_ends_the_connection_in_time_however_it_drips() {
    for drips in [false, true] {
        let endpoint = Endpoint::new();
        let began = Instant::now();
        let serve = async {
            let mut hand = Hand::accept(&endpoint, &[]).await;
            hand.request(1).await;
            hand.write(&[0, 0, 1, 1, 0, 0, 0, 0, 1, 0x88]).await;
            let mut bytes = Vec::new();
            let (mut reads, mut writes) = hand.0.into_split();
            let dripping = async {
                let mut gone = !drips;
                while !gone {
                    tokio::time::sleep(Duration::from_secs(7)).await;
                    gone = writes.write_all(&[0, 0, 0, 9, 0, 0, 0, 0, 1]).await.is_err();
                }
                std::future::pending::<()>().await
            };
            tokio::select! {
                () = dripping => {}
                _ended = reads.read_to_end(&mut bytes) => {}
            }
            bytes
        };

        let (bytes, broken) = tokio::join!(serve, waiting(&endpoint));

        assert!(matches!(broken, Broken::GivenUp(GivenUp::Unfinished)), "{drips}: {broken}");
        assert!(began.elapsed() < SILENCE * 2 + PATIENCE, "{drips}: {:?}", began.elapsed());
        let goaway = [0, 0, 8, GOAWAY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(bytes.ends_with(&goaway), "{drips}: {}", bytes.escape_ascii());
        assert_eq!(endpoint.upstream.metrics().total(Counter::UpstreamUnfinished), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_no_longer_acknowledges_pings_is_left_with_a_word() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut hand = Hand::accept(&endpoint, &[]).await;
        hand.request(1).await;
        let asked = hand.read_to(PING, 0, 0).await;
        // One that is acknowledged, and one that is not.
        hand.write(&[&[0, 0, 8, PING, ACK, 0, 0, 0, 0], &asked[..]].concat()).await;
        hand.read_to(PING, 0, 0).await;
        hand.read_to(GOAWAY, 0, 0).await
    };
    let began = Instant::now();

    let (goaway, broken) = tokio::join!(serve, waiting(&endpoint));

    assert!(matches!(broken, Broken::GivenUp(GivenUp::Unresponsive)), "{broken}");
    assert_eq!(code(&goaway), 0);
    let took = began.elapsed();
    assert!(took > SILENCE * 2 && took < SILENCE * 4, "{took:?}");
    assert_eq!(endpoint.upstream.metrics().total(Counter::UpstreamUnresponsive), 1);
}

#[tokio::test]
async fn a_wrong_frame_of_an_endpoint_is_responded_to_with_its_code_and_counted() {
    let endpoint = Endpoint::new();
    let serve = async {
        let mut hand = Hand::accept(&endpoint, &[]).await;
        hand.request(1).await;
        // DATA for a stream that was never opened (RFC 9113 §5.1), which the library finds.
        hand.write(&[0, 0, 1, 0, 0, 0, 0, 0, 7, b'x']).await;
        hand.read_to(GOAWAY, 0, 0).await
    };

    let (goaway, cause) = tokio::join!(serve, ended(&endpoint));

    assert!(matches!(cause, ExchangeCause::Unreadable(_)), "{cause}");
    assert_eq!(code(&goaway), 1);
    let metrics = endpoint.upstream.metrics();
    for _ in 0..1000 {
        if metrics.total(Counter::UpstreamMalformed) == 1 {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("not counted");
}

#[tokio::test]
async fn a_limit_of_streams_that_changes_while_some_are_open_is_kept() {
    let endpoint = Endpoint::new();
    let request = async || {
        let mut seen = Seen::default();
        let response = send(&endpoint.upstream, Method::GET, &mut empty(), &mut seen).await.unwrap();
        assert!(matches!(response.into_body(), ResponseContent::Whole(..)));
        seen.connected
    };
    let mut first = None;
    let serve = async {
        let hand = first.insert(Hand::accept(&endpoint, &[0, 3, 0, 0, 0, 2]).await);
        hand.request(1).await;
        hand.request(3).await;
        hand.allow(1).await;
    };
    let (open, mut requests) = (serve, Box::pin(async { tokio::join!(request(), request()) }));
    tokio::select! {
        () = open => {}
        _ = &mut requests => panic!("nothing was responded"),
    }
    let mut hand = first.unwrap();

    // Two are open where one may be: the next goes by another connection.
    let serve_other = async {
        let mut other = Hand::accept(&endpoint, &[]).await;
        other.request(1).await;
        other.respond(1).await;
        other
    };
    let (other, connected) = tokio::join!(serve_other, request());
    assert_eq!(connected, 1);
    drop(other);

    let serve = async {
        hand.respond(1).await;
        hand.respond(3).await;
    };
    let ((one, two), ()) = tokio::join!(requests, serve);
    assert_eq!(one + two, 1, "both by one connection");

    // More again: the first connection takes what comes.
    hand.allow(3).await;
    let serve = async {
        hand.request(5).await;
        hand.respond(5).await;
    };
    let (connected, ()) = tokio::join!(request(), serve);
    assert_eq!(connected, 0);
}
