//! What an endpoint may answer to an upgrade.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use tidegate_tests::{Gateway, Origin, eventually, get, upgrade_request};
use tokio_tungstenite::tungstenite::Error;

#[tokio::test]
async fn a_refusal_is_passed_on_as_the_response_it_is() {
    for status in [400_u16, 401, 403, 426, 503] {
        let refusal = move || {
            let response =
                Response::builder().status(status).header("x-why", "not today").header("upgrade", "websocket");
            response.body(Full::<Bytes>::from("a body that says why")).unwrap()
        };
        let origin = Origin::named("a").answering(move |_| Some(refusal())).start().await;
        let gateway = Gateway::before(&origin).await;

        let error = gateway.try_websocket(upgrade_request("/")).await.unwrap_err();

        let Error::Http(response) = error else { panic!("{error:?}") };
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["x-why"], "not today");
        assert_eq!(response.headers()["content-length"], "20");
        let body = response.body().as_deref().unwrap_or_default();
        assert!(b"a body that says why".starts_with(body), "{body:?}");
        eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
    }
}

#[tokio::test]
async fn after_a_refusal_the_connection_serves_the_next_request() {
    let refuse = |seen: &tidegate_tests::Seen| {
        let refusal = Response::builder().status(403).body(Full::<Bytes>::from("no")).unwrap();
        seen.header("upgrade").map(|_| refusal)
    };
    let origin = Origin::named("a").answering(refuse).start().await;
    let gateway = Gateway::before(&origin).await;
    let mut client = gateway.http().await;
    let mut upgrade = get("/");
    for (name, value) in upgrade_request("/").headers() {
        upgrade.headers_mut().insert(name, value.clone());
    }

    let refused = client.send(upgrade).await;
    let next = client.send(get("/next")).await;

    assert_eq!((refused.status.as_u16(), refused.text().as_str()), (403, "no"));
    assert_eq!(next.seen().target, "/next");
}

#[tokio::test]
async fn a_switch_to_something_else_is_502() {
    for fields in [
        "Connection: Upgrade\r\nUpgrade: other\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket, other\r\n",
        "Connection: Upgrade\r\n",
        "",
    ] {
        let origin =
            Origin::saying(format!("HTTP/1.1 101 Switching Protocols\r\n{fields}\r\nstray bytes")).start().await;
        let gateway = Gateway::before(&origin).await;

        let error = gateway.try_websocket(upgrade_request("/")).await.unwrap_err();

        let Error::Http(response) = error else { panic!("{fields}: {error:?}") };
        assert_eq!(response.status(), 502, "{fields}");
        eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
        assert!(gateway.metric("tidegate_tunnels_open") == 0.0);
    }
}

#[tokio::test]
async fn a_switch_that_nobody_asked_for_is_502() {
    let reply = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nstray bytes";
    let origin = Origin::saying(reply).start().await;
    let gateway = Gateway::before(&origin).await;
    let mut client = gateway.http().await;

    let plain = client.send(get("/")).await;
    let again = client.send(get("/")).await;

    assert_eq!(plain.status, 502);
    assert_eq!(again.status, 502, "the client's connection is still in step");
    assert!(!plain.text().contains("stray"), "{}", plain.text());
}

#[tokio::test]
async fn the_answer_to_an_upgrade_is_mapped_back_too() {
    let reply = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Location: http://inner.example/app/x\r\nSet-Cookie: a=1; Path=/app/y\r\n\r\n";
    let origin = Origin::saying(reply).start().await;
    let gateway = Gateway::configure(
        r#"
        [[route]]
        path = "/pub"
        to = "balancer://pool/app"
        response_headers = { set = { X-Via = "tidegate" } }
        [cluster.pool]
        endpoints = ["ws://{raw}", { url = "ws://inner.example", state = "maint" }]
    "#,
    )
    .origin(&origin)
    .start()
    .await;
    let mut raw = gateway.raw().await;

    raw.write(b"GET /pub HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n").await;
    let answer = raw.read_answer().await.unwrap();

    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("location"), "http://h/pub/x");
    assert_eq!(answer.header("set-cookie"), "a=1; Path=/pub/y");
    assert_eq!(answer.header("x-via"), "tidegate");
    assert_eq!(answer.header("connection"), "Upgrade");
}

#[tokio::test]
async fn interim_answers_do_not_disturb_an_upgrade() {
    let reply = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\
                 Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let origin = Origin::saying(reply).start().await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;

    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n").await;
    let mut answer = raw.read_answer().await.unwrap();
    if answer.status == 103 {
        answer = raw.read_answer().await.unwrap();
    }

    assert_eq!(answer.status, 101);
}
