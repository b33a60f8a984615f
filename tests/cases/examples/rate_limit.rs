//! So many requests for a key, of whichever worker.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tidegate::config;
use tidegate_tests::{Answer, Http, Origin, get, upgrade_request};
use tokio_tungstenite::tungstenite::Error;

use crate::examples::setup;
use crate::running::replace;

/// Next to nothing a second, so that no token comes back while a test runs.
const SLOW: [(&str, &str); 2] = [
    ("k-77c1 = { rate = 0.5, burst = 5 }", "k-77c1 = { rate = 0.000001, burst = 5 }"),
    ("anonymous = { rate = 1, burst = 10 }", "anonymous = { rate = 0, burst = 3 }"),
];

fn with_key(key: &str) -> Request<Full<Bytes>> {
    let mut request = get("/");
    request.headers_mut().insert("x-api-key", key.parse().unwrap());
    request
}

fn is_refused(answer: &Answer) -> bool {
    match answer.status.as_u16() {
        200 => false,
        429 => true,
        _ => panic!("{answer:?}"),
    }
}

#[tokio::test]
async fn a_key_has_one_bucket_for_all_workers_and_connections() {
    let origin = Origin::named("a").start().await;
    let gateway = setup("rate-limit", &[&origin], &SLOW).start().await;
    let mut refusals = Vec::new();

    // A connection each, which the two workers take as they come.
    for number in 0..20 {
        let answer = match number % 2 {
            0 => gateway.send(with_key("k-77c1")).await,
            _ => gateway.get("/?a=b&api_key=k-77c1").await,
        };
        refusals.extend(is_refused(&answer).then_some(answer));
    }

    assert_eq!((refusals.len(), origin.seen().len()), (15, 5));
    for refusal in refusals {
        assert_eq!(refusal.text(), "too many requests\n");
        let seconds: u32 = refusal.header("retry-after").parse().unwrap();
        assert!((1..=1_000_000).contains(&seconds), "{seconds}");
    }
    assert_eq!(gateway.send(with_key("k-3f9a")).await.status, 200, "another key");
    assert_eq!(gateway.get("/").await.status, 200, "and nobody's");
    let series = "tidegate_plugin_count_total{plugin=\"rate-limit\",name=\"refused\",label=\"key\"}";
    assert_eq!(gateway.metric(series), 15.0);
}

#[tokio::test]
async fn who_has_no_key_or_a_made_up_one_is_known_by_the_address() {
    let origin = Origin::named("a").start().await;
    let gateway = setup("rate-limit", &[&origin], &SLOW).start().await;

    let mut passed = 0;
    for number in 0..10 {
        let answer = gateway.send(with_key(&format!("made-up-{number}"))).await;
        passed += u32::from(!is_refused(&answer));
        assert!(!is_refused(&answer) || answer.headers.get("retry-after").is_none(), "there never will be a token");
    }

    assert_eq!(passed, 3);
    assert_eq!(gateway.get("/").await.status, 429);
    let io = gateway.connect_from([127, 0, 0, 2].into()).await;
    assert_eq!(Http::new(io).await.send(get("/")).await.status, 200, "another address");
}

#[tokio::test]
async fn a_websocket_takes_a_token_when_it_opens_and_a_swap_keeps_the_bucket() {
    let origin = Origin::named("a").start().await;
    let gateway = setup("rate-limit", &[&origin], &SLOW).start().await;
    let open = async || {
        let mut request = upgrade_request("/websocket");
        request.headers_mut().insert("x-api-key", "k-77c1".parse().unwrap());
        gateway.try_websocket(request).await
    };
    let mut held = Vec::new();

    for _ in 0..5 {
        held.push(open().await.unwrap().greeted().await);
    }
    let file = gateway.folder().join("rate-limit.wasm");
    let mut content = std::fs::read(&file).unwrap();
    // An empty custom section: other bytes, the same plugin.
    content.extend([0, 2, 1, b'x']);
    let before = gateway.inner().generation().id();
    replace(&file, &content);
    gateway.inner().reload().unwrap();

    assert_ne!(gateway.inner().generation().id(), before);
    match open().await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 429),
        other => panic!("{other:?}"),
    }
    held[0].echo("goes on").await;
}

#[tokio::test]
async fn a_rate_that_is_none_is_refused_where_it_is_written() {
    let origin = Origin::named("a").start().await;
    for (rate, sentence) in [
        ("nan", "JSON has no `nan` and no `inf`"),
        ("inf", "JSON has no `nan` and no `inf`"),
        ("-1", "expected 0 to 1000000, found -1"),
        ("\"fast\"", "expected a number, found \"fast\""),
    ] {
        let edit = ("rate = 1,", format!("rate = {rate},"));
        let setup = setup("rate-limit", &[&origin], &[(edit.0, &edit.1)]);

        let refusal = match config::load(&setup.write()) {
            Err(faults) => faults.to_string(),
            Ok(_) => setup.try_start().await.unwrap_err().to_string(),
        };

        assert!(refusal.contains("tidegate.toml:") && refusal.contains(sentence), "{rate}: {refusal}");
    }
}
