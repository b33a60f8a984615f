//! Endpoints that refuse streams or go away: what they have not acted on is sent again.

use bytes::Bytes;
use h2::Reason;
use hyper::{Method, Request, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tidegate_tests::{Ca, Gateway, Origin, OriginSetup, eventually, get};

use super::endpoints::before;

/// Refuses its first `times` streams, and counts all of them.
fn refusing(times: usize) -> (OriginSetup, Arc<AtomicUsize>) {
    refusing_those(move |number| number < times)
}

/// Refuses streams by their number from 0 on, and counts all of them.
fn refusing_those(which: impl Fn(usize) -> bool + Send + Sync + 'static) -> (OriginSetup, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let setup = Origin::streams(move |_request, mut respond| {
        let is_refused = which(counted.fetch_add(1, Relaxed));
        async move {
            if is_refused {
                respond.send_reset(Reason::REFUSED_STREAM);
            } else {
                let mut send = respond.send_response(Response::new(()), false).unwrap();
                send.send_data(Bytes::from_static(b"taken"), true).unwrap();
            }
        }
    });
    (setup, count)
}

async fn pool(origins: &[&Origin]) -> Gateway {
    let urls: Vec<_> = origins.iter().map(|origin| format!("\"http://{}\"", origin.address())).collect();
    let text = format!(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nprotocol = \"h2\"\nendpoints = [{}]\n",
        urls.join(", ")
    );
    Gateway::configure(&text).start().await
}

#[tokio::test]
async fn a_refused_request_goes_elsewhere_whatever_its_method() {
    let (refuses, refused) = refusing(usize::MAX);
    let (takes, _) = refusing(0);
    let (refuses, takes) = (refuses.start().await, takes.start().await);
    let gateway = pool(&[&refuses, &takes]).await;

    for method in [Method::GET, Method::POST, Method::POST, Method::DELETE] {
        let request = Request::builder().method(method).uri("/").header("host", "x").body(Default::default()).unwrap();
        let response = gateway.send(request).await;
        assert_eq!((response.status.as_u16(), response.text().as_str()), (200, "taken"));
    }

    assert!(refused.load(Relaxed) > 0, "it was asked");
    eventually("leases to be given back", || gateway.in_flight(&refuses) + gateway.in_flight(&takes) == 0).await;
}

#[tokio::test]
async fn a_body_that_is_gone_is_not_sent_again() {
    let (refuses, _) = refusing(usize::MAX);
    let (takes, taken) = refusing(0);
    let (refuses, takes) = (refuses.start().await, takes.start().await);
    let gateway = pool(&[&refuses, &takes]).await;

    let mut statuses = Vec::new();
    for _ in 0..6 {
        let request = Request::post("/").header("host", "x").body("x".repeat(200_000).into()).unwrap();
        statuses.push(gateway.send(request).await.status.as_u16());
    }

    let served = statuses.iter().filter(|status| **status == 200).count();
    assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    assert_eq!(taken.load(Relaxed), served, "what the other one was asked, it served");
}

#[tokio::test]
async fn an_endpoint_that_goes_away_finishes_and_is_connected_to_anew() {
    let origin = Origin::named("a").http2().start().await;
    let gateway = pool(&[&origin]).await;
    let mut websocket = gateway.websocket("/").await;

    origin.go_away();
    let before = origin.connections();
    for _ in 0..4 {
        assert_eq!(gateway.get("/").await.status, 200);
        websocket.echo("still there").await;
    }

    eventually("new connections", || origin.connections() > before).await;
    websocket.close().await;
}

/// Wants to be asked over HTTP/1.1, by whatever stream it is asked.
fn wanting_http1() -> OriginSetup {
    Origin::streams(|_request, mut respond| async move { respond.send_reset(Reason::HTTP_1_1_REQUIRED) }).http1_too()
}

#[tokio::test]
async fn what_an_endpoint_takes_over_http1_alone_goes_over_that_where_it_has_the_choice() {
    let ca = Ca::new();
    let origin = wanting_http1().tls(&ca.issue(&["localhost"])).start().await;

    let gateway = before(&origin, "auto", Some(&ca)).start().await;
    for method in [Method::GET, Method::POST, Method::DELETE] {
        let request = Request::builder().method(method).uri("/").header("host", "x").body(Default::default()).unwrap();
        assert_eq!(gateway.send(request).await.seen().version, "HTTP/1.1");
    }
    let mut websocket = gateway.websocket("/").await;
    websocket.echo("hello").await;
    websocket.close().await;

    let gateway = before(&origin, "h2", Some(&ca)).start().await;
    for _ in 0..2 {
        let response = gateway.get("/").await;
        assert_eq!(response.status, 502, "{}", response.text());
        assert!(response.text().contains("over HTTP/1.1 alone"), "{}", response.text());
    }
}

#[tokio::test]
async fn what_endpoints_refuse_and_the_connections_to_them_are_counted() {
    let (refuses, _) = refusing_those(|number| number == 1);
    let origin = refuses.start().await;
    let gateway = pool(&[&origin]).await;
    let mut client = gateway.http2().await;

    assert_eq!(client.send(get("/")).await.text(), "taken");
    // It has room, and there is no other to ask.
    assert_eq!(client.send(get("/")).await.status, 503);
    origin.go_away();

    let metric = |name: &str| gateway.metric(&format!("tidegate_upstream_http2_{name}"));
    assert_eq!((metric("refused_total"), metric("repeats_total")), (1.0, 0.0));
    assert_eq!(metric("connections_total"), 1.0);
    eventually("GOAWAYs", || metric("goaways_total") >= 1.0).await;
    eventually("the ends", || (metric("connections_open"), metric("streams_open")) == (0.0, 0.0)).await;
    let labels = format!("cluster=\"pool\",endpoint=\"http://{}\"", origin.address());
    assert_eq!(gateway.metric(&format!("tidegate_endpoint_http2{{{labels}}}")), 1.0);
}
