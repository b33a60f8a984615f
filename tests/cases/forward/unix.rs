//! Endpoints on unix sockets.

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
async fn a_unix_socket_that_is_not_there_is_503() {
    let gateway = Gateway::configure("[[route]]\npath = \"/\"\nto = \"unix:/nowhere/app.sock\"\n").start().await;

    let answer = gateway.get("/").await;

    assert_eq!(answer.status, 503);
}
