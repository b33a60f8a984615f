//! Stopping, and staying, with connections of HTTP/2 open.

use std::time::Duration;

use h2::Reason;
use tidegate_tests::{Ending, Gateway, Origin, eventually, get};

const PATIENCE: Duration = Duration::from_secs(60);

/// The last stream that a first GOAWAY names: any that the client may still have sent (RFC 9113 §6.8).
const ANY_STREAM: u32 = 0x7fff_ffff;

#[tokio::test]
async fn requests_finish_and_websockets_get_close_1001() {
    let (slow, go_on) = Origin::gated(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
    let slow = slow.start().await;
    let echo = Origin::named("echo").start().await;
    let gateway = Gateway::configure(
        "[[route]]\npath = \"/slow\"\nto = \"http://{slow}\"\n[[route]]\npath = \"/\"\nto = \"http://{echo}\"\n",
    )
    .put("slow", slow.address())
    .origin(&echo)
    .start()
    .await;
    let mut client = gateway.http2().await;
    let mut websockets = Vec::new();
    for _ in 0..5 {
        websockets.push(client.websocket("/").await);
    }
    let under_way = client.begin(get("/slow").map(drop)).await;
    eventually("the request to arrive", || gateway.in_flight(&slow) == 1).await;

    let stopping = tokio::spawn(gateway.stop(PATIENCE));
    for websocket in &mut websockets {
        assert_eq!(websocket.ended().await, Some(1001));
    }
    go_on.send(true).unwrap();
    let answer = under_way.answer().await.unwrap();
    let stopped = stopping.await.unwrap();

    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "done"));
    assert_eq!(stopped.cut, 0, "everybody left by themselves");
    eventually("the endpoint to hear of it", || echo.endings().len() == 5).await;
    assert!(echo.endings().iter().all(|ending| *ending == Ending::Closed(Some(1001))), "{:?}", echo.endings());
    let goaways = client.frames().goaways();
    assert_eq!(goaways.first(), Some(&(ANY_STREAM, Reason::NO_ERROR)), "{goaways:?}");
    assert!(goaways.len() > 1 && goaways[1].0 < ANY_STREAM, "{goaways:?}");
}

#[tokio::test]
async fn a_connection_without_a_request_ends_at_once() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut client = gateway.http2().await;
    client.send(get("/")).await;

    let stopped = gateway.stop(PATIENCE).await;

    assert_eq!(stopped.cut, 0);
    eventually("the connection to end", || client.is_closed()).await;
}

#[tokio::test]
async fn a_reload_says_nothing_to_connections() {
    let origin = Origin::named("a").start().await;
    let text = format!("[[route]]\npath = \"/\"\nto = \"http://{}\"\n", origin.address());
    let mut gateway = Gateway::configure(&text).start().await;
    let mut client = gateway.http2().await;
    let mut websocket = client.websocket("/").await;

    gateway.rewrite(&text.replace("path = \"/\"", "path = \"/new\""));
    gateway.inner().reload().unwrap();

    websocket.echo("still there").await;
    assert_eq!(client.send(get("/")).await.status, 404, "the new routes");
    assert_eq!(client.send(get("/new")).await.status, 200);
    assert!(client.frames().goaways().is_empty());
}
