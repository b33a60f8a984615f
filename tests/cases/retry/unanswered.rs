//! Endpoints that break off or say nothing.

use tidegate_tests::{Origin, eventually};

use super::{breaking, pool, request};

#[tokio::test]
async fn a_break_leads_to_the_next_endpoint_where_that_is_safe() {
    let (bad, good) = (breaking().start().await, Origin::named("good").start().await);
    let gateway = pool(&bad, &good, "retry = { on = [\"broken\"] }").start().await;

    for method in ["GET", "PUT"] {
        let before = bad.connections();
        while bad.connections() == before {
            assert_eq!(gateway.send(request(method, "body")).await.seen().body, "body", "{method}");
        }
    }
    let before = bad.connections();
    while bad.connections() == before {
        let answer = gateway.send(request("POST", "body")).await;
        assert_eq!(answer.status == 502, bad.connections() != before, "a POST may have been acted on: {answer:?}");
    }
    assert!(good.seen().iter().filter(|seen| seen.method == "POST").count() <= 1 + before);
    eventually("all to be given back", || gateway.in_flight(&bad) == 0).await;
}

#[tokio::test]
async fn silence_leads_to_the_next_endpoint_where_that_is_safe() {
    let silent = Origin::raw(|mut raw| async move {
        raw.read_to_end().await;
    })
    .start()
    .await;
    let good = Origin::named("good").start().await;
    let lines = "timeouts = { response = \"300ms\" }\nretry = { on = [\"timeout\"] }";
    let gateway = pool(&silent, &good, lines).start().await;

    for method in ["GET", "PUT"] {
        let before = silent.connections();
        while silent.connections() == before {
            assert_eq!(gateway.send(request(method, "body")).await.seen().body, "body", "{method}");
        }
    }
    let before = silent.connections();
    while silent.connections() == before {
        let answer = gateway.send(request("POST", "body")).await;
        assert_eq!(answer.status == 504, silent.connections() != before, "{answer:?}");
    }
    eventually("all to be given back", || gateway.in_flight(&silent) == 0).await;
}
