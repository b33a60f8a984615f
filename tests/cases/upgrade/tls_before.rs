//! TLS towards clients.

use tidegate_tests::{Ca, Gateway, Origin, Raw};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const FRONT: &str = r#"
    [[listen]]
    address = "127.0.0.1:0"
    tls = { certificate = "cert.pem", key = "cert-key.pem" }
    [[route]]
    path = "/"
    to = "ws://{a}"
"#;

#[tokio::test]
async fn websockets_and_requests_come_in_by_tls() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::configure(FRONT).origin(&origin).tls(&Ca::new(), &["localhost"]).start().await;

    let mut websocket = gateway.websocket("/").await;
    websocket.echo("t".repeat(200_000)).await;
    let seen = gateway.get("/").await.seen();

    assert_eq!(seen.header("x-forwarded-proto"), Some("https"));
    assert!(seen.header("forwarded").unwrap().contains("proto=https"), "{seen:?}");
    websocket.close().await;
}

#[tokio::test]
async fn tls_in_front_and_behind() {
    let ca = Ca::new();
    let origin = Origin::named("a").tls(&ca.issue(&["localhost"])).start().await;
    let text = FRONT.replace("ws://{a}", "balancer://pool")
        + "[cluster.pool]\nendpoints = [\"wss://localhost:{port}\"]\ntls = { ca = \"ca.pem\" }\n";
    let gateway = Gateway::configure(&text).put("port", origin.address().port()).tls(&ca, &["localhost"]).start().await;

    let mut websocket = gateway.websocket("/x").await;
    websocket.echo("t".repeat(1 << 20)).await;

    assert_eq!(origin.seen()[0].target, "/x");
    websocket.close().await;
}

#[tokio::test]
async fn each_name_gets_its_own_certificate() {
    let ca = Ca::new();
    let origin = Origin::named("a").start().await;
    let setup = Gateway::configure(
        r#"
        [[listen]]
        address = "127.0.0.1:0"
        [listen.tls]
        certificate = "cert.pem"
        key = "cert-key.pem"
        more = [
            { names = ["a.example"], certificate = "a.pem", key = "a-key.pem" },
            { names = ["*.b.example"], certificate = "b.pem", key = "b-key.pem" },
        ]
        [[route]]
        path = "/"
        to = "ws://{a}"
    "#,
    )
    .origin(&origin)
    .tls(&ca, &["localhost"]);
    let _paths = ca.issue(&["a.example"]).write(setup.folder(), "a");
    let _paths = ca.issue(&["*.b.example"]).write(setup.folder(), "b");
    let gateway = setup.start().await;

    for name in ["localhost", "a.example", "x.b.example", "y.b.example"] {
        let mut raw = Raw::new(gateway.connect_as(name).await);
        raw.write(format!("GET / HTTP/1.1\r\nHost: {name}\r\n\r\n").as_bytes()).await;
        assert_eq!(raw.read_answer().await.unwrap().seen().header("x-forwarded-host"), Some(name));
    }
    let stranger = gateway.try_connect("c.example").await;
    assert!(stranger.is_err(), "a client that asks for another name sees that the certificate is not for it");
}

#[tokio::test]
async fn what_is_no_tls_is_turned_away_and_the_next_is_served() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::configure(FRONT).origin(&origin).tls(&Ca::new(), &["localhost"]).start().await;
    let mut plain = TcpStream::connect(gateway.address()).await.unwrap();

    plain.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _reset = tidegate_tests::within("the end", plain.read_to_end(&mut answer)).await;

    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
    assert!(origin.seen().is_empty());
    gateway.websocket("/").await.echo("still here").await;
}
