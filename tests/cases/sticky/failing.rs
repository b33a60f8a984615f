//! Clients whose endpoint is gone.

use super::{asked, websocket};
use tidegate_tests::{Gateway, Origin, Setup, get, upgrade_request};
use tokio_tungstenite::tungstenite::Error;

/// Nobody is at `gone`; b and c are there.
async fn setup(lines: &str, redirect: &str) -> ([Origin; 2], tidegate_tests::Reserved, Setup) {
    let gone = Origin::reserved();
    let origins = [Origin::named("b").start().await, Origin::named("c").start().await];
    let text = format!(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nsticky = {{ cookie = \"R\"{lines} }}\n\
         endpoints = [{{ url = \"http://{{b}}\", route = \"b\" }}, {{ url = \"http://{{c}}\", route = \"c\" }}, \
         {{ url = \"http://{{gone}}\", route = \"gone\"{redirect} }}]\n"
    );
    let setup = origins.iter().fold(Gateway::configure(&text), Setup::origin).put("gone", gone.address());
    (origins, gone, setup)
}

#[tokio::test]
async fn another_endpoint_takes_over_and_the_cookie_follows() {
    let (_origins, _gone, setup) = setup(", issue = {}", "").await;
    let gateway = setup.start().await;

    let mut tunnel = websocket(&gateway, "/", "R=.gone").await;

    tunnel.echo("through").await;
    let cookie = tunnel.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with(&format!("R=.{};", tunnel.endpoint())), "{cookie}");
    assert_eq!(gateway.metric("tidegate_sticky_requests_total{outcome=\"broken\"}"), 1.0);
    assert_eq!(gateway.metric("tidegate_retries_total{reason=\"connect\"}"), 1.0);
}

#[tokio::test]
async fn the_redirect_says_who_takes_over() {
    let (_origins, _gone, setup) = setup("", ", redirect = \"c\"").await;
    let gateway = setup.start().await;
    let _busy = websocket(&gateway, "/", "R=.c").await;

    for _ in 0..3 {
        assert_eq!(asked(&gateway, "/", &[("cookie", "R=.gone")]).await, "c", "b is less busy");
    }
}

#[tokio::test]
async fn without_failover_it_is_503_until_the_endpoint_is_back() {
    let (origins, gone, setup) = setup(", failover = false", "").await;
    let gateway = setup.start().await;
    let ask = async || {
        let mut request = get("/");
        request.headers_mut().insert("cookie", "R=.gone".parse().unwrap());
        gateway.send(request).await.status
    };

    assert_eq!(ask().await, 503);
    assert_eq!(ask().await, 503, "while it is left alone");
    let mut request = upgrade_request("/");
    request.headers_mut().insert("cookie", "R=.gone".parse().unwrap());
    let refused = gateway.try_websocket(request).await.unwrap_err();
    assert!(matches!(&refused, Error::Http(response) if response.status() == 503), "{refused:?}");
    assert!(origins.iter().all(|origin| origin.seen().is_empty()), "nobody else is asked");
    assert_eq!(asked(&gateway, "/", &[("cookie", "R=.unknown")]).await, "b", "an unknown route is balanced");

    let _back = Origin::named("gone").on(gone).start().await;
    let limit = std::time::Instant::now() + tidegate_tests::LIMIT;
    while ask().await != 200 {
        assert!(std::time::Instant::now() < limit, "it is back, and nobody asks");
    }
}
