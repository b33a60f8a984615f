//! Choices by the beginning of a body, which arrives whole and as it was.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tidegate_tests::guests::PREVIEWS_FILE;
use tidegate_tests::{Answer, Gateway, Origin, OriginSetup, eventually};

/// A gateway before two origins, balanced by the guest that chooses by the body's JSON.
struct Previewed {
    gateway: Gateway,
    a: Origin,
    b: Origin,
}

impl Previewed {
    async fn start() -> Self {
        Self::before(Origin::named("a"), Origin::named("b"), "").await
    }

    async fn before(a: OriginSetup, b: OriginSetup, settings: &str) -> Self {
        let (a, b) = (a.start().await, b.start().await);
        let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n\
                    [cluster.pool]\nbalancer = \"guest\"\nendpoints = [\"http://{one}\", \"http://{two}\"]\n{settings}\n\
                    [plugin.guest]\nfile = {file}\n";
        let setup = Gateway::configure(text).put("one", a.address()).put("two", b.address());
        let setup = setup.put("settings", settings).put("file", format!("{PREVIEWS_FILE:?}"));
        Self { gateway: setup.start().await, a, b }
    }

    async fn post(&self, body: &str) -> Answer {
        self.gateway.send(posting(body)).await
    }

    /// What it refuses with, as a number.
    async fn told(&self, body: &str) -> u32 {
        self.post(body).await.header("retry-after").parse().unwrap()
    }
}

fn posting(body: &str) -> Request<Full<Bytes>> {
    let request = Request::post("/").header("host", "gateway.test");
    request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap()
}

/// A body that names its endpoint, `size` bytes long.
fn naming(id: u32, size: usize) -> String {
    let head = format!("{{\"to\":\"{id}\",\"text\":\"");
    let fill = "0123456789".chars().cycle().take(size.saturating_sub(head.len() + 2)).collect::<String>();
    format!("{head}{fill}\"}}")
}

#[tokio::test]
async fn a_field_of_the_body_chooses_and_the_body_arrives_as_it_was() {
    let pool = Previewed::start().await;
    for size in [40, 4095, 4096, 4097, 100_000, 3_000_000] {
        for (id, name) in [(0, "a"), (1, "b")] {
            let body = naming(id, size);

            let answer = pool.post(&body).await;

            assert_eq!(answer.header("x-endpoint"), name, "{size} bytes");
            assert!(answer.seen().body == body, "{size} bytes arrive as they were");
        }
    }
}

#[tokio::test]
async fn the_same_over_http_2() {
    let pool = Previewed::start().await;
    let mut http2 = pool.gateway.http2().await;
    for size in [40, 4097, 300_000] {
        let body = naming(1, size);

        let answer = http2.send(posting(&body)).await;

        assert_eq!(answer.header("x-endpoint"), "b", "{size} bytes");
        assert!(answer.seen().body == body, "{size} bytes arrive as they were");
    }
}

#[tokio::test]
async fn no_more_is_seen_than_was_asked_for_and_only_whole_blocks_are_hashed() {
    let pool = Previewed::start().await;
    let asking = |what: &str, size: usize| format!("{{\"ask\":\"{what}\",{}}}", " ".repeat(size - 11 - what.len()));
    for (size, bytes, blocks) in [(100, 100, 1), (128, 128, 2), (4096, 4096, 64), (10_000, 4096, 64)] {
        assert_eq!(pool.told(&asking("bytes", size)).await, bytes, "of {size}");
        assert_eq!(pool.told(&asking("blocks", size)).await, blocks, "of {size}");
    }
    let alike = format!("{{\"ask\":\"hash\",\"text\":\"{}", "x".repeat(64));
    let hashes = [pool.told(&format!("{alike}1\"}}")).await, pool.told(&format!("{alike}2\"}}")).await];
    assert_eq!(hashes[0], hashes[1], "they differ behind the first block");
}

#[tokio::test]
async fn what_has_no_fields_is_chosen_for_all_the_same() {
    let pool = Previewed::start().await;
    for body in ["", "to=1", "{\"to\":1", "[1]", "{\"to\":\"\u{fffd}", "{\"deep\":{\"to\":\"1\"}}"] {
        let answer = pool.post(body).await;
        assert_eq!((answer.header("x-endpoint"), answer.seen().body.as_str()), ("a", body));
    }
    let late = format!("{{\"text\":\"{}\",\"to\":\"1\"}}", "x".repeat(5000));
    assert_eq!(pool.post(&late).await.header("x-endpoint"), "a", "it stands behind what is seen");
    assert_eq!(pool.gateway.get("/").await.header("x-endpoint"), "a", "no body at all");
}

#[tokio::test]
async fn a_body_in_pieces_of_unknown_length_arrives_whole() {
    let pool = Previewed::start().await;
    let body = naming(1, 20_000);
    let mut raw = pool.gateway.raw().await;

    raw.write(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    for piece in body.as_bytes().chunks(7) {
        raw.write(format!("{:x}\r\n{}\r\n", piece.len(), str::from_utf8(piece).unwrap()).as_bytes()).await;
    }
    raw.write(b"0\r\n\r\n").await;
    let answer = raw.read_answer().await.unwrap();

    assert_eq!(answer.header("x-endpoint"), "b");
    assert!(answer.seen().body == body);
}

#[tokio::test]
async fn a_client_that_waits_to_be_asked_is_asked_once() {
    let pool = Previewed::start().await;
    let body = naming(1, 500);
    let mut raw = pool.gateway.raw().await;

    let head = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n", body.len());
    raw.write(head.as_bytes()).await;
    assert!(raw.read_head().await.unwrap().starts_with("HTTP/1.1 100"));
    raw.write(body.as_bytes()).await;
    let answer = raw.read_answer().await.unwrap();

    assert_eq!((answer.status.as_u16(), answer.header("x-endpoint")), (200, "b"));
    assert!(answer.seen().body == body);
}

#[tokio::test]
async fn a_slow_client_is_waited_for_only_so_long_and_its_body_goes_on() {
    let pool = Previewed::start().await;
    let mut raw = pool.gateway.raw().await;

    raw.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\n{\"to\":\"1\",").await;
    eventually("a choice by what has come", || pool.gateway.in_flight(&pool.b) == 1).await;
    assert_eq!(pool.gateway.in_flight(&pool.a), 0);
    raw.write(b"\"rest\": 1}").await;
    let answer = raw.read_answer().await.unwrap();

    assert_eq!((answer.header("x-endpoint"), answer.seen().body.as_str()), ("b", "{\"to\":\"1\",\"rest\": 1}"));
}

#[tokio::test]
async fn a_client_that_leaves_before_the_choice_costs_no_endpoint_anything() {
    let pool = Previewed::start().await;
    let mut raw = pool.gateway.raw().await;
    raw.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n{\"to\":\"1\",").await;
    drop(raw);

    assert_eq!(pool.post("{\"to\":\"1\"}").await.header("x-endpoint"), "b");
    eventually("nothing to be held", || (pool.gateway.in_flight(&pool.a), pool.gateway.in_flight(&pool.b)) == (0, 0))
        .await;
}

#[tokio::test]
async fn a_body_that_was_looked_at_can_be_sent_again() {
    let gone = || Origin::raw(|mut raw| async move { drop(raw.read_head().await) });
    let pool = Previewed::before(Origin::named("a"), gone(), "retry = { on = [\"broken\"], methods = \"all\" }").await;
    for size in [40, 10_000, 60_000] {
        let body = naming(1, size);

        let answer = pool.post(&body).await;

        assert_eq!(answer.header("x-endpoint"), "a", "{size} bytes");
        assert!(answer.seen().body == body, "{size} bytes arrive as they were");
    }
    assert!(pool.b.connections() > 0, "it was sent where it belongs first");
}
