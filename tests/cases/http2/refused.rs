//! Endpoints that refuse streams or go away: what they have not acted on is sent again.

use bytes::Bytes;
use h2::Reason;
use hyper::{Method, Request, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tidegate_tests::{Gateway, Origin, OriginSetup, eventually};

/// Refuses its first `times` streams, and counts all of them.
fn refusing(times: usize) -> (OriginSetup, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let setup = Origin::streams(move |_request, mut respond| {
        let number = counted.fetch_add(1, Relaxed);
        async move {
            if number < times {
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
