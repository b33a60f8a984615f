//! What endpoints are told about the client.

use tidegate_tests::{Gateway, Origin, Raw, Seen};

const FORGED: &str = "GET / HTTP/1.1\r\nHost: front.example:8080\r\nX-Forwarded-For: 203.0.113.9\r\n\
                      X-Forwarded-Proto: https\r\nX-Forwarded-Host: public.example\r\nX-Forwarded-Port: 443\r\n\
                      Forwarded: for=203.0.113.9;proto=https\r\n\r\n";

async fn told(gateway: &Gateway, head: &str) -> Seen {
    let mut raw = Raw::new(gateway.connect_from([127, 0, 0, 2].into()).await);
    raw.write(head.as_bytes()).await;
    raw.read_answer().await.unwrap().seen()
}

async fn gateway(forwarded: &str, origin: &Origin) -> Gateway {
    let text = format!("[gateway]\nforwarded = {forwarded}\n[[route]]\npath = \"/\"\nto = \"http://{{a}}\"\n");
    Gateway::configure(&text).origin(origin).start().await
}

#[tokio::test]
async fn strangers_are_not_believed() {
    let origin = Origin::named("a").start().await;
    let gateway = gateway(r#"{ trusted = ["127.0.0.1", "10.0.0.0/8"] }"#, &origin).await;

    let seen = told(&gateway, FORGED).await;

    let port = gateway.address().port().to_string();
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.2"));
    assert_eq!(seen.header("x-forwarded-proto"), Some("http"));
    assert_eq!(seen.header("x-forwarded-host"), Some("front.example:8080"));
    assert_eq!(seen.header("x-forwarded-port"), Some(port.as_str()));
    assert_eq!(seen.header("forwarded"), Some("for=127.0.0.2;host=\"front.example:8080\";proto=http"));
}

#[tokio::test]
async fn trusted_proxies_are_believed_and_extended() {
    let origin = Origin::named("a").start().await;
    let gateway = gateway(r#"{ trusted = ["127.0.0.0/8"] }"#, &origin).await;

    let seen = told(&gateway, FORGED).await;

    assert_eq!(seen.header("x-forwarded-for"), Some("203.0.113.9, 127.0.0.2"));
    assert_eq!(seen.header("x-forwarded-proto"), Some("https"));
    assert_eq!(seen.header("x-forwarded-host"), Some("public.example"));
    assert_eq!(seen.header("x-forwarded-port"), Some("443"));
    let forwarded = "for=203.0.113.9;proto=https, for=127.0.0.2;host=\"front.example:8080\";proto=http";
    assert_eq!(seen.header("forwarded"), Some(forwarded));
}

#[tokio::test]
async fn what_is_switched_off_is_neither_sent_nor_believed() {
    let origin = Origin::named("a").start().await;
    let gateway = gateway("{ x_forwarded = false, forwarded = false }", &origin).await;

    let seen = told(&gateway, FORGED).await;

    let told: Vec<_> = seen.headers.iter().filter(|(name, _)| name.contains("forwarded")).collect();
    assert!(told.is_empty(), "{told:?}");
}
