//! Routes by how clients came: `scheme` and `listen`.

use tidegate_tests::{Ca, Gateway, Http2, Origin, Raw, Websocket, get, upgrade_request};

use crate::running::plain;

const LISTENERS: &str = r#"
[[listen]]
address = "127.0.0.1:0"
name = "secure"
tls = { certificate = "cert.pem", key = "cert-key.pem" }
[[listen]]
address = "127.0.0.1:0"
name = "plain"
[[listen]]
address = "127.0.0.1:0"
"#;

async fn gateway(a: &Origin, b: &Origin, text: &str) -> Gateway {
    let ca = Ca::new();
    let text = format!("{LISTENERS}{text}");
    Gateway::configure(&text).origin(a).origin(b).tls(&ca, &["localhost"]).start().await
}

/// What a client that came by the listener of this number is answered.
async fn ask(gateway: &Gateway, listener: usize, fields: &str) -> tidegate_tests::Answer {
    let io = if listener == 0 { gateway.connect().await } else { plain(gateway.inner().addresses()[listener]).await };
    let mut raw = Raw::new(io);
    raw.write(format!("GET /x?y HTTP/1.1\r\nHost: h.example\r\n{fields}\r\n").as_bytes()).await;
    raw.read_answer().await.unwrap()
}

#[tokio::test]
async fn a_scheme_sends_clients_without_tls_to_it_and_serves_the_others() {
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let text = r#"
[[route]]
path = "/.well-known/acme-challenge"
scheme = "http"
to = "http://{b}"
[[route]]
path = "/"
scheme = "http"
redirect = { to = "https://$host$path", status = 301 }
[[route]]
path = "/"
to = "ws://{a}"
"#;
    let gateway = gateway(&a, &b, text).await;

    for _ in 0..2 {
        assert_eq!(ask(&gateway, 0, "").await.seen().endpoint, "a");
        let sent = ask(&gateway, 1, "").await;
        assert_eq!((sent.status.as_u16(), sent.header("location")), (301, "https://h.example/x?y"));
    }
    let mut client = gateway.http2().await;
    assert_eq!(client.send(get("/x")).await.seen().endpoint, "a");
    assert_eq!(client.websocket("/ws").await.endpoint(), "a");
    let mut inside = Http2::new(plain(gateway.inner().addresses()[1]).await).await;
    assert_eq!(inside.send(get("/x")).await.status, 301);
    assert_eq!(inside.send(get("/.well-known/acme-challenge/t")).await.seen().endpoint, "b");
    assert!(Websocket::open(plain(gateway.inner().addresses()[1]).await, upgrade_request("/ws")).await.is_err());
}

#[tokio::test]
async fn a_trusted_proxy_says_how_its_client_came() {
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let text = r#"
[gateway]
forwarded = { trusted = ["127.0.0.0/8"] }
[[route]]
path = "/"
scheme = "https"
to = "http://{a}"
[[route]]
path = "/"
to = "http://{b}"
"#;
    let gateway = gateway(&a, &b, text).await;
    let endpoint = async |listener, fields| ask(&gateway, listener, fields).await.seen().endpoint;

    assert_eq!(endpoint(1, "").await, "b");
    assert_eq!(endpoint(1, "X-Forwarded-Proto: https\r\n").await, "a");
    assert_eq!(endpoint(0, "X-Forwarded-Proto: http\r\n").await, "b");
    assert_eq!(endpoint(0, "X-Forwarded-Proto: ftp\r\n").await, "a");
}

#[tokio::test]
async fn a_route_is_for_the_listeners_that_it_names() {
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let text = r#"
[[route]]
path = "/"
listen = ["plain", "secure"]
to = "ws://{a}"
[[route]]
path = "/"
to = "ws://{b}"
"#;
    let gateway = gateway(&a, &b, text).await;

    for _ in 0..2 {
        for (listener, expected) in [(0, "a"), (1, "a"), (2, "b")] {
            assert_eq!(ask(&gateway, listener, "").await.seen().endpoint, expected, "listener {listener}");
        }
    }
    let mut nameless = Http2::new(plain(gateway.inner().addresses()[2]).await).await;
    assert_eq!(nameless.websocket("/ws").await.endpoint(), "b");
    assert_eq!(gateway.http2().await.websocket("/ws").await.endpoint(), "a");
}
