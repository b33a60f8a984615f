//! Endpoints that cannot be reached, and those that fail half-way.

use hyper::Request;
use std::time::Instant;
use tidegate_tests::{Gateway, LIMIT, Origin, Setup, eventually, upgrade_request};
use tokio_tungstenite::tungstenite::Error;

fn pool(first: impl ToString, second: impl ToString) -> Setup {
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n\
                [cluster.pool]\nendpoints = [\"http://{first}\", \"http://{second}\"]\n";
    Gateway::configure(text).put("first", first.to_string()).put("second", second.to_string())
}

#[tokio::test]
async fn when_a_connect_is_refused_the_next_gets_the_request_and_its_body() {
    let nobody = Origin::reserved();
    let origin = Origin::named("b").start().await;
    for size in [0, 8, 100_000] {
        let gateway = pool(nobody.address(), origin.address()).start().await;
        let body = "0123456789".repeat(size / 10 + 1)[..size].to_owned();
        let request = Request::post("/up").header("host", "h").body(body.clone().into()).unwrap();

        let answer = gateway.send(request).await;

        let seen = answer.seen();
        assert!(seen.body == body, "{size} bytes must arrive as they were");
        assert_eq!((seen.target.as_str(), seen.endpoint.as_str()), ("/up", "b"));
        assert!(gateway.metric("tidegate_retries_total{reason=\"connect\"}") >= 1.0, "the first was tried");
    }
}

#[tokio::test]
async fn a_chunked_body_survives_too() {
    let nobody = Origin::reserved();
    let origin = Origin::named("b").start().await;
    let gateway = pool(nobody.address(), origin.address()).start().await;
    let mut raw = gateway.raw().await;

    raw.write(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n5\r\npedia\r\n0\r\n\r\n")
        .await;

    assert_eq!(raw.read_answer().await.unwrap().seen().body, "wikipedia");
}

#[tokio::test]
async fn a_websocket_finds_the_next_endpoint_too() {
    let nobody = Origin::reserved();
    let origin = Origin::named("b").start().await;
    let gateway = pool(nobody.address(), origin.address()).start().await;

    let mut websocket = gateway.websocket("/").await;

    websocket.echo("through").await;
    assert_eq!(gateway.in_flight(&origin), 1, "only the endpoint that answered is busy");
}

#[tokio::test]
async fn when_all_are_down_it_is_503() {
    let (one, other) = (Origin::reserved(), Origin::reserved());
    let gateway = pool(one.address(), other.address()).start().await;

    let answer = gateway.get("/").await;
    let refused = gateway.try_websocket(upgrade_request("/")).await.unwrap_err();
    let again = gateway.get("/").await;

    assert_eq!(answer.status, 503);
    assert!(!answer.text().contains("127.0.0.1"), "addresses from inside are nobody's business: {}", answer.text());
    assert!(matches!(&refused, Error::Http(response) if response.status() == 503), "{refused:?}");
    assert_eq!(again.status, 503, "and it is tried again");
    let all = gateway.inner().registry().all();
    assert!(all.iter().flat_map(|(_, lives)| lives).all(|live| live.in_flight() == 0));
}

#[tokio::test]
async fn an_only_endpoint_that_returns_is_used_at_once() {
    let place = Origin::reserved();
    let gateway =
        Gateway::configure("[[route]]\npath = \"/\"\nto = \"http://{a}\"\n").put("a", place.address()).start().await;
    for _ in 0..3 {
        assert_eq!(gateway.get("/").await.status, 503);
    }

    let _origin = Origin::named("a").on(place).start().await;

    assert_eq!(gateway.get("/").await.status, 200, "pauses are ignored where there is nobody else");
}

#[tokio::test]
async fn an_endpoint_that_returns_is_used_again() {
    let place = Origin::reserved();
    let other = Origin::named("b").start().await;
    let gateway = pool(place.address(), other.address()).start().await;
    for _ in 0..3 {
        assert_eq!(gateway.get("/").await.header("x-endpoint"), "b");
    }

    let origin = Origin::named("a").on(place).start().await;

    let limit = Instant::now() + LIMIT;
    while gateway.get("/").await.header("x-endpoint") != "a" {
        assert!(Instant::now() < limit, "a is back, and nobody asks");
    }
    assert!(!origin.seen().is_empty());
}

#[tokio::test]
async fn a_cluster_out_of_work_is_503() {
    let origin = Origin::named("a").start().await;
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\n\
                endpoints = [{ url = \"http://{a}\", state = \"drain\" }]\n";
    let gateway = Gateway::configure(text).origin(&origin).start().await;

    let answer = gateway.get("/").await;

    assert_eq!(answer.status, 503);
    assert_eq!(origin.connections(), 0);
}

#[tokio::test]
async fn an_endpoint_that_breaks_off_is_502_and_nothing_is_sent_twice() {
    let origin = Origin::raw(|mut raw| async move {
        raw.read_head().await;
    })
    .start()
    .await;
    let other = Origin::named("b").start().await;
    for method in ["GET", "POST"] {
        let gateway = pool(origin.address(), other.address()).start().await;
        let before = origin.connections();
        let request = Request::builder().method(method).uri("/").header("host", "h").body("body".into()).unwrap();

        let answer = gateway.send(request).await;

        assert_eq!(answer.status, 502, "{method}");
        assert_eq!(origin.connections(), before + 1, "{method} may have been acted on");
        assert!(other.seen().is_empty(), "{method}");
        eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_502() {
    for reply in ["SSH-2.0-OpenSSH_9.6\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"] {
        let origin = Origin::saying(reply).start().await;
        let gateway = Gateway::before(&origin).await;

        let answer = gateway.get("/").await;

        assert_eq!(answer.status, 502, "{reply}");
    }
}
