//! A share of visitors gets another release, and keeps it.

use std::collections::BTreeSet;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tidegate_tests::{Answer, Gateway, Origin, Websocket, get, upgrade_request};

use crate::examples::setup;

/// A gateway with this share of visitors in per cent.
async fn gateway(stable: &Origin, new: &Origin, share: &str) -> Gateway {
    setup("canary", &[stable, new], &[("share = 5", &format!("share = {share}"))]).start().await
}

fn with(name: &'static str, value: &str) -> Request<Full<Bytes>> {
    let mut request = get("/");
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

fn values(answer: &Answer, name: &str) -> Vec<String> {
    answer.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

/// The cookie that a response sets, without its attributes.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

async fn opened(gateway: &Gateway, name: &'static str, value: &str) -> Websocket {
    let mut request = upgrade_request("/websocket");
    request.headers_mut().insert(name, value.parse().unwrap());
    gateway.try_websocket(request).await.unwrap().greeted().await
}

#[tokio::test]
async fn visitors_are_drawn_at_first_and_stay_where_they_are() {
    let (stable, new) = (Origin::named("stable").start().await, Origin::named("new").start().await);
    let gateway = gateway(&stable, &new, "50").await;
    let http = &mut gateway.http().await;
    let mut seen = BTreeSet::new();

    // Each of both is missing after 100 draws in one of 2^99 runs.
    for _ in 0..100 {
        let first = http.send(get("/")).await;
        let (endpoint, cookie) = (first.seen().endpoint, cookie(&first));
        assert_eq!(values(&first, "cache-control"), ["private"]);
        for _ in 0..2 {
            let again = http.send(with("cookie", &format!("a=b; {cookie}"))).await;
            assert_eq!(again.seen().endpoint, endpoint, "{cookie}");
            assert!(values(&again, "set-cookie").is_empty() && values(&again, "cache-control").is_empty(), "{again:?}");
        }
        seen.insert(endpoint);
    }

    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["new", "stable"]);
}

#[tokio::test]
async fn the_endpoints_own_cookies_and_rules_for_caches_survive() {
    let own =
        "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nCache-Control: no-store\r\nContent-Length: 0\r\n\r\n";
    let (stable, new) = (Origin::saying(own).start().await, Origin::named("new").start().await);
    let gateway = gateway(&stable, &new, "0").await;

    let answer = gateway.get("/").await;

    let cookies = values(&answer, "set-cookie");
    assert_eq!(cookies[..2], ["a=1", "b=2"]);
    assert!(cookies[2].starts_with("release=") && cookies.len() == 3, "{cookies:?}");
    assert_eq!(values(&answer, "cache-control"), ["no-store", "private"]);
}

#[tokio::test]
async fn none_and_all_are_shares_whatever_cookies_say() {
    let (stable, new) = (Origin::named("stable").start().await, Origin::named("new").start().await);

    for (share, expected) in [("0", "stable"), ("0.0", "stable"), ("100", "new")] {
        let gateway = gateway(&stable, &new, share).await;
        for cookie in ["release=0", "release=9999", "release=canary", "release=99999999999", "=; release", "a=b"] {
            let answer = gateway.send(with("cookie", cookie)).await;
            assert_eq!(answer.seen().endpoint, expected, "{share} {cookie}");
        }
        for (word, endpoint) in [("always", "new"), ("never", "stable")] {
            let answer = gateway.send(with("x-canary", word)).await;
            assert_eq!(answer.seen().endpoint, endpoint, "{share} {word}");
            assert!(values(&answer, "set-cookie").is_empty(), "who was forced has drawn nothing");
        }
    }
}

#[tokio::test]
async fn a_share_that_changes_while_the_gateway_runs_moves_who_is_meant() {
    let (stable, new) = (Origin::named("stable").start().await, Origin::named("new").start().await);
    let mut gateway = gateway(&stable, &new, "5").await;
    let text = std::fs::read_to_string(gateway.folder().join("tidegate.toml")).unwrap();

    for (share, lots) in [("5", ["new", "stable", "stable"]), ("50", ["new", "new", "stable"]), ("0", ["stable"; 3])] {
        gateway.rewrite(&text.replace("share = 5", &format!("share = {share}")));
        gateway.inner().reload().unwrap();

        for (lot, expected) in ["499", "4999", "5000"].into_iter().zip(lots) {
            let answer = gateway.send(with("cookie", &format!("release={lot}"))).await;
            assert_eq!(answer.seen().endpoint, expected, "{share} {lot}");
        }
    }
}

#[tokio::test]
async fn websockets_are_drawn_forced_and_kept_as_requests_are() {
    let (stable, new) = (Origin::named("stable").start().await, Origin::named("new").start().await);
    let gateway = gateway(&stable, &new, "50").await;

    let mut first = opened(&gateway, "x-none", "").await;
    let endpoint = first.endpoint().to_owned();
    let cookie = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    first.echo("through").await;

    assert_eq!(opened(&gateway, "cookie", &cookie).await.endpoint(), endpoint);
    assert_eq!(gateway.send(with("cookie", &cookie)).await.seen().endpoint, endpoint);
    for (word, expected) in [("always", "new"), ("never", "stable")] {
        assert_eq!(opened(&gateway, "x-canary", word).await.endpoint(), expected);
    }
}
