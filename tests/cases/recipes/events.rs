//! Server-sent events: each arrives when it is sent, and a client that comes back gets what follows.

use std::process::Command;

use hyper::Request;
use tidegate_tests::{Gateway, Http2Exchange, Raw};

use super::app::App;
use super::{at, host, setup, tools};
use crate::running::plain;

/// A stream of events, read as far as has been asked for.
enum Events {
    Http1(Raw),
    Http2(Box<Http2Exchange>),
}

impl Events {
    /// Opens one over HTTP/1.1 as an `EventSource` does that has seen events up to `last`.
    async fn http1(gateway: &Gateway, last: u32) -> Self {
        let mut raw = gateway.raw().await;
        let head = format!("GET /events HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n", host(gateway));
        raw.write(format!("{head}Last-Event-ID: {last}\r\n\r\n").as_bytes()).await;
        let head = raw.read_head().await.unwrap();
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("text/event-stream"), "{head}");
        Self::Http1(raw)
    }

    /// The same over HTTP/2, as browsers do with TLS.
    async fn http2(gateway: &Gateway, last: u32) -> Self {
        let request = Request::get("/events").header("host", host(gateway)).header("last-event-id", last);
        let mut exchange = gateway.http2().await.try_begin(request.body(()).unwrap(), true).await.unwrap();
        let head = exchange.head().await.unwrap();
        assert_eq!(head.status(), 200);
        assert_eq!(head.headers()["content-type"], "text/event-stream");
        Self::Http2(Box::new(exchange))
    }

    /// What comes next, up to and with `end`. Fails if anything comes behind it: nothing has been sent that could.
    async fn next(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.trim_end_matches("\r\n").ends_with(end) {
            let bytes = match self {
                Self::Http1(raw) => raw.read_some().await.into(),
                Self::Http2(exchange) => exchange.data().await.unwrap().unwrap_or_default(),
            };
            assert!(!bytes.is_empty(), "the end, behind {text:?}");
            text.push_str(str::from_utf8(&bytes).unwrap());
        }
        text
    }

    /// The address of the server at the other end, which it says first.
    async fn server(&mut self) -> String {
        let hello = self.next("\n\n").await;
        hello.split("hello from ").nth(1).unwrap().trim().to_owned()
    }
}

/// Has the server send one more event.
async fn step(server: &str) {
    let mut raw = Raw::new(plain(server.parse().unwrap()).await);
    raw.write(b"POST /step HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await;
    assert!(raw.read_head().await.unwrap().starts_with("HTTP/1.1 204 "));
}

#[tokio::test]
async fn each_event_arrives_when_it_is_sent_and_a_client_that_returns_gets_what_follows() {
    let Some(python) = tools::of_system("server-sent events", "python3") else { return };
    let server = || App::start(Command::new(&python).arg(tools::source("events/app.py")));
    let (mut one, mut two) = (server(), server());
    let (first, second) = (at(one.address().await), at(two.address().await));
    let edits = [("10.0.0.1:8000", first.as_str()), ("10.0.0.2:8000", &second)];
    let gateway = setup("events", &edits).start().await;

    let mut stream = Events::http1(&gateway, 0).await;
    let mut beside = Events::http2(&gateway, 40).await;
    let (server, other) = (stream.server().await, beside.server().await);
    for count in 1..=3 {
        step(&server).await;
        stream.next(&format!("id: {count}\ndata: number {count}\n\n")).await;
        step(&other).await;
        beside.next(&format!("id: {0}\ndata: number {0}\n\n", 40 + count)).await;
    }
    assert_ne!(server, other, "an open stream is busy");

    drop(stream);
    let mut stream = Events::http2(&gateway, 3).await;
    let server = stream.server().await;
    step(&server).await;
    stream.next("id: 4\ndata: number 4\n\n").await;
}
