//! Bodies of every framing, both ways.

use hyper::Request;
use tidegate_tests::{Gateway, Origin, get};

#[tokio::test]
async fn a_get_arrives_and_its_answer_returns() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;

    let answer = gateway.get("/some/path?query=1").await;

    let seen = answer.seen();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/some/path?query=1"));
    assert_eq!(answer.header("x-endpoint"), "a");
}

#[tokio::test]
async fn a_websocket_echoes() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;

    let mut websocket = gateway.websocket("/").await;

    websocket.echo("text").await;
    websocket.close().await;
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut client = gateway.http().await;

    for number in 0..5 {
        let path = format!("/{number}");
        let answer = client.send(get(&path)).await;
        assert_eq!(answer.seen().target, path);
    }

    assert!(!client.is_closed());
    assert_eq!(origin.connections(), 1, "the connection to the endpoint is reused too");
}

#[tokio::test]
async fn a_body_arrives_whole_both_ways() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    for size in [0, 1, 8, 16 * 1024, 100 * 1024] {
        let body = "0123456789abcdef".repeat(size / 16 + 1)[..size].to_owned();
        let request = Request::post("/").header("host", "gateway.test").body(body.clone().into()).unwrap();

        let answer = gateway.send(request).await;

        let seen = answer.seen();
        assert!(seen.body == body, "{size} bytes up and back");
        assert_eq!(seen.header("content-length"), Some(size.to_string().as_str()));
    }
}
