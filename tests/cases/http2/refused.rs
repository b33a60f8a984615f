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
    pool_with(origins, "").await
}

/// The same with `more` keys of its cluster.
async fn pool_with(origins: &[&Origin], more: &str) -> Gateway {
    let urls: Vec<_> = origins.iter().map(|origin| format!("\"http://{}\"", origin.address())).collect();
    let text = format!(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nprotocol = \"h2\"\nendpoints = [{}]\n{more}",
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
async fn one_that_is_alone_is_asked_once_more_whatever_the_method() {
    for method in [Method::GET, Method::POST, Method::DELETE] {
        let (refuses, asked) = refusing(1);
        let origin = refuses.start().await;
        let gateway = pool(&[&origin]).await;

        let request = Request::builder().method(method).uri("/").header("host", "x").body("short".into()).unwrap();
        let response = gateway.send(request).await;

        assert_eq!((response.status.as_u16(), response.text().as_str()), (200, "taken"));
        assert_eq!((asked.load(Relaxed), origin.connections()), (2, 1));
        assert_eq!(gateway.metric("tidegate_upstream_http2_refused_total"), 1.0);
        eventually("the lease to be given back", || gateway.in_flight(&origin) == 0).await;
    }
}

#[tokio::test]
async fn one_that_is_alone_and_refuses_again_is_left_in_peace() {
    for (retry, expected) in [("", 2), ("retry = { on = [] }\n", 1), ("retry = { attempts = 1 }\n", 1)] {
        let (refuses, asked) = refusing(usize::MAX);
        let origin = refuses.start().await;
        let gateway = pool_with(&[&origin], retry).await;

        assert_eq!(gateway.get("/").await.status, 503, "{retry}");

        assert_eq!(asked.load(Relaxed), expected, "{retry}");
    }
}

/// What is asked once more counts as a request that is sent again: an endpoint with too much to do gets no twice as much.
#[tokio::test]
async fn asking_again_is_paid_for_by_the_budget_of_retries() {
    let (refuses, asked) = refusing(usize::MAX);
    let origin = refuses.start().await;
    let gateway = pool(&[&origin]).await;
    let mut client = gateway.http2().await;

    // Ten in a second are free.
    for _ in 0..10_000 {
        let before = asked.load(Relaxed);
        assert_eq!(client.send(get("/")).await.status, 503);
        if asked.load(Relaxed) == before + 1 {
            return;
        }
    }
    panic!("each of them was asked twice");
}

#[tokio::test]
async fn one_whose_neighbour_is_not_there_is_asked_once_more() {
    // Bound, so that nobody else gets the port, and not listening.
    let gone = tokio::net::TcpSocket::new_v4().unwrap();
    gone.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let gone_address = gone.local_addr().unwrap();
    for _ in 0..4 {
        let (refuses, _) = refusing(1);
        let origin = refuses.start().await;
        let text = format!(
            "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nprotocol = \"h2\"\n\
             endpoints = [\"http://{}\", \"http://{gone_address}\"]\n",
            origin.address()
        );
        let gateway = Gateway::configure(&text).start().await;

        assert_eq!(gateway.get("/").await.text(), "taken");
    }
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
    let (refuses, _) = refusing_those(|number| matches!(number, 1 | 2));
    let origin = refuses.start().await;
    let gateway = pool(&[&origin]).await;
    let mut client = gateway.http2().await;

    assert_eq!(client.send(get("/")).await.text(), "taken");
    // It has room, and is asked once more, for there is no other.
    assert_eq!(client.send(get("/")).await.status, 503);
    origin.go_away();

    let metric = |name: &str| gateway.metric(&format!("tidegate_upstream_http2_{name}"));
    assert_eq!((metric("refused_total"), metric("repeats_total")), (2.0, 0.0));
    assert_eq!(metric("connections_total"), 1.0);
    eventually("GOAWAYs", || metric("goaways_total") >= 1.0).await;
    eventually("the ends", || (metric("connections_open"), metric("streams_open")) == (0.0, 0.0)).await;
    let labels = format!("cluster=\"pool\",endpoint=\"http://{}\"", origin.address());
    assert_eq!(gateway.metric(&format!("tidegate_endpoint_http2{{{labels}}}")), 1.0);
}
