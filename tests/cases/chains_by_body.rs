//! Routers that decide by the beginning of a body: that of the gateway, and those of routes.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tidegate_tests::guests::{BODY_ROUTER_FILE, PREVIEWS_FILE};
use tidegate_tests::{Answer, Gateway, Origin, eventually};

const PLAIN: &str = "";
const BY_BODY: &str = "balancer = \"chooses\"";

/// A gateway with the clusters `one` and `two` of an endpoint each, the second chosen as `second` says; `rest` are routes and
/// plugins.
async fn gateway(one: &Origin, two: &Origin, second: &str, rest: &str) -> Gateway {
    let text = format!(
        "{rest}\n[cluster.one]\nendpoints = [\"http://{{one}}\"]\n\
         [cluster.two]\nendpoints = [\"http://{{two}}\"]\n{second}\n\
         [plugin.chooses]\nfile = {{chooses}}\n"
    );
    let setup = Gateway::configure(&text).put("one", one.address()).put("two", two.address());
    setup.put("file", format!("{BODY_ROUTER_FILE:?}")).put("chooses", format!("{PREVIEWS_FILE:?}")).start().await
}

async fn origins() -> (Origin, Origin) {
    (Origin::named("one").start().await, Origin::named("two").start().await)
}

/// The route to `one`, which asks a router that sees 64 bytes and then one that sees 200; and another that asks nobody.
const CHAIN: &str = "[[route]]\npath = \"/plain\"\nto = \"balancer://one\"\n\
                     [[route]]\npath = \"/\"\nto = \"balancer://one\"\nplugins = [\"short\", \"long\"]\n\
                     [plugin.short]\nfile = {file}\nconfig = { bytes = 64 }\n\
                     [plugin.long]\nfile = {file}\nconfig = { bytes = 200 }";

fn post(path: &str, body: &str) -> Request<Full<Bytes>> {
    let request = Request::post(path).header("host", "gateway.test");
    request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap()
}

fn seen(answer: &Answer) -> Vec<&str> {
    answer.headers.get_all("x-seen").iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn plugins_of_a_route_decide_by_the_body_and_each_sees_what_it_asked_for() {
    let (one, two) = origins().await;
    let gateway = gateway(&one, &two, PLAIN, CHAIN).await;
    let long = format!("{{\"cluster\":1,\"text\":\"{}\"}}", "x".repeat(100_000));
    let late = format!("{{\"text\":\"{}\",\"cluster\":1}}", "x".repeat(100));
    let hidden = format!("{{\"text\":\"{}\",\"cluster\":1}}", "x".repeat(200));
    for (body, endpoint, bytes) in [
        (long.as_str(), "two", &["64"][..]),
        (&late, "two", &["64", "123"]),
        (&hidden, "one", &["64", "200"]),
        ("{\"cluster\":1}", "two", &["13"]),
        ("cluster=1", "one", &["9", "9"]),
        ("", "one", &["0", "0"]),
    ] {
        let answer = gateway.send(post("/", body)).await;

        assert_eq!((answer.header("x-endpoint"), seen(&answer)), (endpoint, bytes.to_vec()), "{body:.40}");
        assert!(answer.seen().body == body, "{body:.40} arrives as it was");
    }
    let refused = gateway.send(post("/", "{\"status\":403,\"rest\":\"")).await;
    assert_eq!((refused.status.as_u16(), seen(&refused)), (403, vec!["22"]));
    assert!(seen(&gateway.send(post("/plain", &long)).await).is_empty(), "another route asks nobody");
}

#[tokio::test]
async fn what_was_decided_by_a_body_is_not_remembered_and_what_was_not_is() {
    let (one, two) = origins().await;
    let gateway = gateway(&one, &two, PLAIN, CHAIN).await;

    for _ in 0..3 {
        for (body, endpoint) in [("{\"cluster\":1}", "two"), ("{\"cluster\":0}", "one"), ("{}", "one")] {
            assert_eq!(gateway.send(post("/", body)).await.header("x-endpoint"), endpoint, "{body}");
        }
        assert_eq!(gateway.get("/").await.header("x-endpoint"), "one", "nothing was asked of it");
    }
}

#[tokio::test]
async fn the_gateways_router_decides_by_the_body_and_a_balancer_behind_it_sees_more() {
    let (one, two) = origins().await;
    let router = "[router]\nplugin = \"routes\"\n[plugin.routes]\nfile = {file}\nconfig = { last = true, bytes = 64 }";
    let gateway = gateway(&one, &two, BY_BODY, router).await;
    let asks = format!("{{\"cluster\":1,\"text\":\"{}\",\"ask\":\"bytes\"}}", "x".repeat(300));

    let refused = gateway.send(post("/", &asks)).await;
    let first = gateway.send(post("/", "{\"text\":1}")).await;
    let mut http2 = gateway.http2().await;
    let second = http2.send(post("/", "{\"cluster\":1}")).await;

    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, asks.len().to_string().as_str()));
    assert_eq!(seen(&first), ["10"]);
    assert_eq!(first.header("x-endpoint"), "one");
    assert_eq!(second.header("x-endpoint"), "two", "over HTTP/2");
    assert_eq!(gateway.get("/").await.header("x-endpoint"), "one", "no body");
}

#[tokio::test]
async fn a_client_that_stops_is_decided_on_by_what_it_sent_and_all_wait_together_but_once() {
    let (one, two) = origins().await;
    let gateway = gateway(&one, &two, BY_BODY, CHAIN).await;
    let mut raw = gateway.raw().await;

    raw.write(b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 400\r\n\r\n").await;
    assert!(raw.read_head().await.unwrap().starts_with("HTTP/1.1 100"));
    raw.write(b"{\"cluster\":1,").await;
    eventually("a decision by what has come", || gateway.in_flight(&two) == 1).await;
    raw.write(" ".repeat(400 - 13 - 1).as_bytes()).await;
    raw.write(b"}").await;
    let answer = raw.read_answer().await.unwrap();

    assert_eq!((answer.header("x-endpoint"), seen(&answer)), ("two", vec!["13"]));
    assert_eq!(answer.seen().body.len(), 400);
}

#[tokio::test]
async fn websockets_wait_for_no_body() {
    let (one, two) = origins().await;
    let gateway = gateway(&one, &two, BY_BODY, CHAIN).await;

    let _open = gateway.websocket("/").await;
    let _over_http2 = gateway.http2().await.websocket("/").await;
}
