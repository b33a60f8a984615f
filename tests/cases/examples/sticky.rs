//! Sessions that stay: by ids of clients, and by those that endpoints give.

use std::fs;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tidegate_tests::{Gateway, Origin, get};

use crate::examples::setup;

fn of(session: &str) -> Request<Full<Bytes>> {
    let mut request = get("/");
    request.headers_mut().insert("mcp-session-id", session.parse().unwrap());
    request
}

async fn endpoints(gateway: &Gateway, sessions: &[String]) -> Vec<String> {
    let mut endpoints = Vec::new();
    for session in sessions {
        endpoints.push(gateway.send(of(session)).await.seen().endpoint);
    }
    endpoints
}

#[tokio::test]
async fn an_endpoint_that_comes_takes_no_session_away_and_gets_the_new_ones() {
    let (a, b, c) =
        (Origin::named("a").start().await, Origin::named("b").start().await, Origin::named("c").start().await);
    let gateway = setup("sticky", &[&a, &b], &[]).start().await;
    let sessions: Vec<String> = (0..40).map(|session| format!("session-{session}")).collect();
    let before = endpoints(&gateway, &sessions).await;
    assert_eq!(before.iter().filter(|endpoint| *endpoint == "a").count(), 20, "in turns");
    assert_eq!(endpoints(&gateway, &sessions).await, before);
    let held = gateway.websocket("/?session=session-0").await;
    assert_eq!(held.endpoint(), before[0], "by the query, too");

    let file = gateway.folder().join("tidegate.toml");
    let text = fs::read_to_string(&file).unwrap();
    let last = format!("\"http://{}\"]", b.address());
    assert!(text.contains(&last), "{text}");
    fs::write(&file, text.replace(&last, &format!("\"http://{}\", \"http://{}\"]", b.address(), c.address()))).unwrap();
    gateway.inner().reload().unwrap();

    assert_eq!(endpoints(&gateway, &sessions).await, before, "a hash would have moved two of three");
    let new: Vec<String> = (0..3).map(|session| format!("new-{session}")).collect();
    assert!(endpoints(&gateway, &new).await.contains(&"c".to_owned()));
}

#[tokio::test]
async fn an_id_that_an_endpoint_gives_leads_back_to_it() {
    let saying =
        |id: &str| Origin::saying(format!("HTTP/1.1 200 OK\r\nMcp-Session-Id: {id}\r\nContent-Length: 0\r\n\r\n"));
    let (a, b) = (saying("of-a").start().await, saying("of-b").start().await);
    let gateway = setup("sticky", &[&a, &b], &[]).start().await;

    for _ in 0..2 {
        let id = gateway.get("/").await.header("mcp-session-id").to_owned();
        let (own, other) = if id.starts_with("of-a~") { (&a, &b) } else { (&b, &a) };
        let before = (gateway.picks(own), gateway.picks(other));
        for _ in 0..5 {
            assert_eq!(gateway.send(of(&id)).await.status, 200, "{id}");
        }
        assert_eq!((gateway.picks(own), gateway.picks(other)), (before.0 + 5, before.1), "{id}");
    }
}

#[tokio::test]
async fn the_endpoint_sees_the_id_that_it_gave() {
    let a = Origin::named("a").start().await;
    let gateway = setup("sticky", &[&a, &a], &[("\"http://127.0.0.1:9001\", ", "")]).start().await;

    let seen = gateway.send(of("of-a~0123abcd")).await.seen();

    assert_eq!(seen.header("mcp-session-id"), Some("of-a"));
}
