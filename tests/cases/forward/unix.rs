//! Endpoints on unix sockets.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use tidegate_tests::{Gateway, Origin};

#[tokio::test]
async fn requests_and_websockets_reach_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.sock");
    let origin = Origin::named("u").unix(&path).start().await;
    let gateway = Gateway::configure(
        r#"
        [[route]]
        path = "/app"
        to = "unix:{path}|http://inner.example/base"
        [[route]]
        path = "/"
        to = "balancer://pool"
        [cluster.pool]
        endpoints = ["unix:{path}"]
    "#,
    )
    .put("path", path.display())
    .start()
    .await;

    let named = gateway.get("/app/x").await.seen();
    let pooled = gateway.get("/y").await.seen();
    let mut websocket = gateway.websocket("/app").await;
    websocket.echo("over a unix socket").await;

    assert_eq!((named.target.as_str(), named.header("host")), ("/base/x", Some("inner.example")));
    assert_eq!((pooled.target.as_str(), pooled.header("host")), ("/y", Some("localhost")));
    assert_eq!(origin.open(), 1);
}

#[tokio::test]
async fn what_a_unix_socket_says_of_itself_is_mapped_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.sock");
    let answer = |seen: &tidegate_tests::Seen| {
        let me = format!("http://{}{}", seen.header("host").unwrap_or_default(), seen.target);
        let response = Response::builder().status(302).header("location", me);
        Some(
            response.header("set-cookie", format!("a=1; Path={}", seen.target)).body(Full::<Bytes>::default()).unwrap(),
        )
    };
    let _origin = Origin::named("u").unix(&path).answering(answer).start().await;
    let gateway = Gateway::configure(
        r#"
        [[route]]
        path = "/named"
        to = "unix:{path}|http://inner.example/base"
        [[route]]
        path = "/bare"
        to = "balancer://pool/in"
        [cluster.pool]
        endpoints = ["unix:{path}"]
    "#,
    )
    .put("path", path.display())
    .start()
    .await;

    for path in ["/named/x", "/bare/x"] {
        let mut request = tidegate_tests::get(path);
        request.headers_mut().insert("host", "front.example".parse().unwrap());
        let answer = gateway.send(request).await;

        assert_eq!(answer.header("location"), format!("http://front.example{path}"));
        assert_eq!(answer.header("set-cookie"), format!("a=1; Path={path}"));
    }
}

#[tokio::test]
async fn a_unix_socket_that_is_not_there_is_503() {
    let gateway = Gateway::configure("[[route]]\npath = \"/\"\nto = \"unix:/nowhere/app.sock\"\n").start().await;

    let answer = gateway.get("/").await;

    assert_eq!(answer.status, 503);
}
