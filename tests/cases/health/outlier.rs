//! Endpoints that answer, but badly.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use tidegate::cluster::{Health, Live};
use tidegate_tests::{Gateway, Origin, OriginSetup};

use super::{place, reason, standing};

fn failing(name: &str) -> OriginSetup {
    Origin::named(name).answering(|_| Some(Response::builder().status(500).body(Full::<Bytes>::default()).unwrap()))
}

async fn three(endpoints: [&Origin; 3], rest: &str) -> Gateway {
    let [a, b, c] = endpoints.map(place);
    let text = format!(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\n\
         endpoints = [\"http://{a}\", \"http://{b}\", \"http://{c}\"]\n{rest}\n"
    );
    Gateway::configure(&text).start().await
}

#[tokio::test]
async fn an_endpoint_that_answers_5xx_is_left_out_and_others_are_not_beyond_the_share() {
    let (a, b) = (failing("a").start().await, failing("b").start().await);
    let c = Origin::named("c").start().await;
    let outlier = "outlier = { consecutive = 3, ejection = \"1h\", longest = \"1h\", share = 0.5 }";
    let gateway = three([&a, &b, &c], outlier).await;
    let mut statuses = Vec::new();

    for _ in 0..60 {
        statuses.push(gateway.get("/").await.status.as_u16());
    }

    let standings = [&a, &b, &c].map(|origin| standing(&gateway, &place(origin)));
    let ejected = standings.iter().filter(|standing| **standing == Health::Ejected).count();
    assert_eq!(ejected, 1, "of three, half is one: {standings:?}");
    assert_eq!(standings[2], Health::Healthy);
    let out = if standings[0] == Health::Ejected { &a } else { &b };
    assert_eq!(gateway.picks(out), 3, "no more than it took");
    assert_eq!(reason(&gateway, &place(out)), "3 failures in a row");
    assert_eq!(super::live(&gateway, &place(out), Live::ejections), 1);
    assert!(statuses.contains(&200) && statuses.contains(&500), "{statuses:?}");
    let labels = format!("{{cluster=\"pool\",endpoint=\"http://{}\"}}", place(out));
    assert!((gateway.metric(&format!("tidegate_endpoint_ejections_total{labels}")) - 1.0).abs() < 0.1);
    assert!(gateway.metric(&format!("tidegate_endpoint_healthy{labels}")).abs() < 0.1);
}

#[tokio::test]
async fn a_mixed_record_ejects_too_and_breaking_off_counts() {
    let a = Origin::raw(|mut raw| async move {
        raw.read_head().await;
        raw.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome").await;
    })
    .start()
    .await;
    let (b, c) = (Origin::named("b").start().await, Origin::named("c").start().await);
    let outlier = "outlier = { consecutive = 1000, minimum = 4, rate = 1.0, window = \"1h\", ejection = \"1h\", longest = \"1h\" }";
    let gateway = three([&a, &b, &c], outlier).await;

    for _ in 0..30 {
        let mut raw = gateway.raw().await;
        raw.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
        raw.read_to_end().await;
    }

    super::stands(&gateway, &place(&a), Health::Ejected).await;
    assert_eq!(reason(&gateway, &place(&a)), "4 of 4 failed within the window");
    assert_eq!(standing(&gateway, &place(&b)), Health::Healthy);
}

#[tokio::test]
async fn without_a_rule_nobody_is_ejected() {
    let a = failing("a").start().await;
    let (b, c) = (Origin::named("b").start().await, Origin::named("c").start().await);
    let gateway = three([&a, &b, &c], "").await;

    for _ in 0..30 {
        gateway.get("/").await;
    }

    assert_eq!(standing(&gateway, &place(&a)), Health::Healthy);
    assert!(gateway.picks(&a) >= 10);
}
