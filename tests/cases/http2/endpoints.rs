//! Clusters whose endpoints are spoken to in HTTP/2, by prior knowledge or ALPN.

use hyper::Request;
use tidegate_tests::{Ca, Ending, Gateway, Origin, Setup, eventually, get, upgrade_request};
use tokio_tungstenite::tungstenite::Error;

/// A gateway in front of `origin`, which has TLS if there is a `ca`.
pub(super) fn before(origin: &Origin, protocol: &str, ca: Option<&Ca>) -> Setup {
    let (scheme, tls) = match ca {
        Some(_) => ("https", "tls = { ca = \"ca.pem\", server_name = \"localhost\" }\n"),
        None => ("http", ""),
    };
    let text = format!(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\nwebsocket = true\n[cluster.pool]\n\
         endpoints = [\"{scheme}://{}\"]\nprotocol = \"{protocol}\"\n{tls}",
        origin.address()
    );
    let setup = Gateway::configure(&text.replace("websocket = true\n", ""));
    match ca {
        Some(ca) => setup.file("ca.pem", ca.pem()),
        None => setup,
    }
}

/// Status of the response where a websocket is refused.
async fn refused(gateway: &Gateway) -> u16 {
    match gateway.try_websocket(upgrade_request("/")).await {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn requests_of_http1_clients_share_a_connection_to_an_endpoint_of_http2() {
    let origin = Origin::named("a").http2().start().await;
    let gateway = before(&origin, "h2", None).start().await;

    let first = gateway.get("/one?two=3").await.seen();
    let request = Request::post("/two").header("host", "front.test").header("te", "trailers");
    let second = gateway.send(request.body("body".into()).unwrap()).await.seen();

    assert_eq!((first.version.as_str(), first.target.as_str()), ("HTTP/2.0", "/one?two=3"));
    let place = origin.address().to_string();
    assert_eq!((first.authority.as_deref(), first.scheme.as_deref()), (Some(place.as_str()), Some("http")));
    assert_eq!((second.body.as_str(), second.header("content-length")), ("body", Some("4")));
    assert_eq!(
        (second.header("te"), second.header("host"), second.header("connection")),
        (Some("trailers"), None, None)
    );
    assert!(origin.connections() <= 2, "one for each worker: {}", origin.connections());
}

#[tokio::test]
async fn websockets_go_over_http2_and_count_until_they_close() {
    let origin = Origin::named("a").http2().start().await;
    let gateway = before(&origin, "h2", None).start().await;

    let mut websocket = gateway.websocket("/chat").await;
    websocket.echo("x".repeat(300_000)).await;
    assert_eq!(gateway.in_flight(&origin), 1);
    websocket.close().await;

    eventually("the end", || origin.endings() == [Ending::Closed(None)]).await;
    eventually("the lease to be given back", || gateway.in_flight(&origin) == 0).await;
    let seen = origin.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.protocol.as_deref()), ("CONNECT", Some("websocket")));
    assert_eq!(seen.header("sec-websocket-key"), None);
}

#[tokio::test]
async fn an_endpoint_that_takes_no_websockets_over_http2_is_known_for_it() {
    let origin = Origin::named("a").http2_without_connect().start().await;
    let gateway = before(&origin, "h2", None).start().await;

    assert_eq!(refused(&gateway).await, 502);
    assert_eq!(gateway.get("/").await.seen().version, "HTTP/2.0", "and it is not left alone for that");
}

#[tokio::test]
async fn no_client_can_have_an_endpoint_left_alone_by_asking_it_for_a_websocket() {
    let ca = Ca::new();
    let identity = ca.issue(&["localhost"]);
    let one = Origin::named("a").http2_without_connect().tls(&identity).start().await;
    let two = Origin::named("b").http2_without_connect().tls(&identity).start().await;
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\n\
                endpoints = [\"https://{one}\", \"https://{two}\"]\nprotocol = \"auto\"\n\
                tls = { ca = \"ca.pem\", server_name = \"localhost\" }\nforce_recovery = false\n";
    let setup = Gateway::configure(text).put("one", one.address()).put("two", two.address());
    let gateway = setup.file("ca.pem", ca.pem()).start().await;

    for _ in 0..6 {
        assert_eq!(refused(&gateway).await, 502);
        assert_eq!(gateway.get("/").await.seen().version, "HTTP/2.0", "neither is left alone for that");
    }
    assert_eq!(gateway.metric("tidegate_upstream_connections_total{outcome=\"failed\"}"), 0.0);
}

#[tokio::test]
async fn alpn_chooses_and_what_http2_cannot_goes_over_http1() {
    let ca = Ca::new();
    let identity = ca.issue(&["localhost"]);
    let both = Origin::named("a").http2().http1_too().tls(&identity).start().await;
    let old = Origin::named("b").tls(&identity).start().await;
    let no_tunnels = Origin::named("c").http2_without_connect().http1_too().tls(&identity).start().await;

    for (origin, version, websocket) in
        [(&both, "HTTP/2.0", "HTTP/2.0"), (&old, "HTTP/1.1", "HTTP/1.1"), (&no_tunnels, "HTTP/2.0", "HTTP/1.1")]
    {
        let gateway = before(origin, "auto", Some(&ca)).start().await;
        for _ in 0..2 {
            assert_eq!(gateway.get("/").await.seen().version, version, "{}", origin.name());
            let mut open = gateway.websocket("/chat").await;
            open.echo("hello").await;
            open.close().await;
            let seen = origin.seen().into_iter().rfind(|seen| seen.target == "/chat").unwrap();
            assert_eq!(seen.version, websocket, "{}", origin.name());
        }
    }
}

#[tokio::test]
async fn an_endpoint_that_speaks_no_http2_is_named_with_the_remedy() {
    let ca = Ca::new();
    let plain = Origin::named("a").start().await;
    let by_tls = Origin::named("b").tls(&ca.issue(&["localhost"])).start().await;

    for (origin, ca) in [(&plain, None), (&by_tls, Some(&ca))] {
        let gateway = before(origin, "h2", ca).start().await;
        let response = gateway.get("/").await;
        assert_eq!(response.status, 503, "{}", response.text());
    }
}

#[tokio::test]
async fn a_burst_of_requests_shares_connections() {
    let origin = Origin::named("a").http2().start().await;
    let gateway = before(&origin, "h2", None).start().await;

    let requests = (0..100).map(|number| {
        let gateway = &gateway;
        async move { gateway.get(&format!("/{number}")).await.status }
    });
    let all = futures_util::future::join_all(requests).await;

    assert!(all.iter().all(|status| *status == 200), "{all:?}");
    assert!(origin.connections() <= 2, "one for each worker: {}", origin.connections());
}

#[tokio::test]
async fn an_endpoint_without_http2_still_gets_its_own() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;

    assert_eq!(gateway.send(get("/")).await.seen().version, "HTTP/1.1");
}
