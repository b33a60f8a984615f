//! Answers that are not taken for an answer.

use tidegate_tests::{Origin, eventually, upgrade_request};

use super::{failing, pool, request};

const RETRY: &str = "retry = { on = [\"connect\", 502, 503] }";

#[tokio::test]
async fn a_status_leads_to_the_next_endpoint() {
    let (bad, good) = (failing("bad", 503).start().await, Origin::named("good").start().await);
    let gateway = pool(&bad, &good, RETRY).start().await;

    for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
        let before = bad.seen().len();
        while bad.seen().len() == before {
            let answer = gateway.send(request(method, "body")).await;
            assert_eq!(answer.seen().endpoint, "good", "{method}");
        }
    }
    assert!(gateway.metric("tidegate_retries_total{reason=\"status\"}") >= 4.0);
    eventually("all to be given back", || gateway.in_flight(&bad) + gateway.in_flight(&good) == 0).await;
}

#[tokio::test]
async fn a_websocket_finds_the_next_endpoint_too() {
    let (bad, good) = (failing("bad", 503).start().await, Origin::named("good").start().await);
    let gateway = pool(&bad, &good, RETRY).start().await;
    let mut held = Vec::new();
    while bad.seen().is_empty() {
        held.push(gateway.websocket("/").await);
        assert_eq!(held.last().unwrap().endpoint(), "good");
    }
    held.last_mut().unwrap().echo("through").await;
    assert_eq!(gateway.in_flight(&bad), 0);
    drop(upgrade_request("/"));
}

#[tokio::test]
async fn the_last_answer_is_delivered() {
    let (one, other) = (failing("one", 503).start().await, failing("other", 502).start().await);
    for (lines, asked) in [(RETRY, 2), ("retry = { on = [502, 503], attempts = 1 }", 1)] {
        let gateway = pool(&one, &other, lines).start().await;
        let before = one.seen().len() + other.seen().len();

        let answer = gateway.get("/").await;

        assert!([502, 503].contains(&answer.status.as_u16()), "{answer:?}");
        assert_eq!(answer.text(), "it failed", "the endpoint's own words");
        assert_eq!(one.seen().len() + other.seen().len(), before + asked, "{lines}");
    }
}

#[tokio::test]
async fn what_is_not_idempotent_is_sent_once_unless_all_methods_are_allowed() {
    let (bad, good) = (failing("bad", 503).start().await, Origin::named("good").start().await);
    let gateway = pool(&bad, &good, RETRY).start().await;
    while bad.seen().is_empty() {
        let answer = gateway.send(request("POST", "body")).await;
        assert_eq!(answer.status == 503, !bad.seen().is_empty(), "{answer:?}");
    }
    assert_eq!(gateway.metric("tidegate_retries_total{reason=\"status\"}"), 0.0);

    let gateway = pool(&bad, &good, "retry = { on = [503], methods = \"all\" }").start().await;
    let before = bad.seen().len();
    while bad.seen().len() == before {
        assert_eq!(gateway.send(request("POST", "body")).await.seen().body, "body");
    }
}

#[tokio::test]
async fn fail_on_delivers_the_answer_and_leaves_the_endpoint_alone() {
    let (bad, good) = (failing("bad", 500).start().await, Origin::named("good").start().await);
    let gateway = pool(&bad, &good, "fail_on = [500]").start().await;
    while bad.seen().is_empty() {
        let answer = gateway.get("/").await;
        assert_eq!(answer.status == 500, !bad.seen().is_empty(), "delivered as it is");
    }

    for _ in 0..4 {
        assert_eq!(gateway.get("/").await.header("x-endpoint"), "good", "bad is paused");
    }
}
