//! What counts as asking for another protocol, and who may.

use tidegate_tests::{Gateway, Origin, Seen};

const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

/// Status of the answer to a handshake with these lines, and what the endpoint saw.
async fn shake(gateway: &Gateway, origin: &Origin, line: &str, fields: &str) -> (u16, Option<Seen>) {
    let mut raw = gateway.raw().await;
    raw.write(format!("{line}\r\nHost: h\r\n{fields}{KEY}\r\n").as_bytes()).await;
    let head = raw.read_head().await.unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, origin.seen().pop())
}

#[tokio::test]
async fn connection_and_upgrade_are_lists_of_tokens() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    for (fields, switched) in [
        ("Connection: Upgrade\r\nUpgrade: websocket\r\n", true),
        ("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n", true),
        ("Connection: keep-alive\r\nConnection: UPGRADE\r\nUpgrade: websocket\r\n", true),
        ("Connection: Upgrade,keep-alive\r\nUpgrade: websocket\r\n", true),
        ("Connection: keep-alive\r\nUpgrade: websocket\r\n", false),
        ("Connection: upgraded\r\nUpgrade: websocket\r\n", false),
        ("Upgrade: websocket\r\n", false),
        ("Connection: Upgrade\r\n", false),
    ] {
        let (status, seen) = shake(&gateway, &origin, "GET / HTTP/1.1", fields).await;

        assert_eq!(status, if switched { 101 } else { 200 }, "{fields}");
        assert_eq!(seen.unwrap().header("upgrade").is_some(), switched, "{fields}");
    }
}

#[tokio::test]
async fn what_is_no_websocket_handshake_is_an_ordinary_request() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let fields = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

    let (post, seen) = shake(&gateway, &origin, "POST / HTTP/1.1", fields).await;
    assert_eq!((post, seen.unwrap().header("upgrade")), (200, None), "websocket needs GET");

    let (old, seen) = shake(&gateway, &origin, "GET / HTTP/1.0", fields).await;
    assert_eq!((old, seen.unwrap().header("upgrade")), (200, None), "HTTP/1.0 knows no upgrade");

    let mut raw = gateway.raw().await;
    raw.write(format!("GET / HTTP/1.1\r\nHost: h\r\n{fields}{KEY}Content-Length: 4\r\n\r\nbody").as_bytes()).await;
    let seen = raw.read_answer().await.unwrap().seen();
    assert_eq!((seen.header("upgrade"), seen.body.as_str()), (None, "body"), "a body would have to be read first");
}

#[tokio::test]
async fn a_route_says_which_protocols_may_pass() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::configure(
        r#"
        [[route]]
        path = "/none"
        to = "ws://{a}"
        upgrade = []
        [[route]]
        path = "/any"
        to = "http://{a}"
        upgrade = ["any"]
        [[route]]
        path = "/"
        to = "ws://{a}"
    "#,
    )
    .origin(&origin)
    .start()
    .await;
    let websocket = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let both = "Connection: Upgrade\r\nUpgrade: other, websocket\r\n";
    for (path, fields, status, passed) in [
        ("/", websocket, 101, Some("websocket")),
        ("/any", websocket, 101, Some("websocket")),
        ("/none", websocket, 200, None),
        ("/", both, 101, Some("websocket")),
        ("/any", both, 200, Some("other, websocket")),
        ("/", "Connection: Upgrade\r\nUpgrade: other\r\n", 200, None),
    ] {
        let (found, seen) = shake(&gateway, &origin, &format!("GET {path} HTTP/1.1"), fields).await;

        assert_eq!(seen.unwrap().header("upgrade"), passed, "{path} {fields}");
        assert_eq!(found, status, "{path} {fields}");
    }
}

#[tokio::test]
async fn another_protocol_is_tunnelled_where_it_may_pass() {
    let origin = Origin::raw(|mut raw| async move {
        raw.read_head().await;
        raw.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: Lines/1\r\n\r\nwelcome\n")
            .await;
        let line = raw.read(6).await;
        raw.write(&[b"got ", &line[..]].concat()).await;
    })
    .start()
    .await;
    let gateway = Gateway::configure("[[route]]\npath = \"/\"\nto = \"http://{raw}\"\nupgrade = [\"lines/1\"]\n")
        .origin(&origin)
        .start()
        .await;
    let mut raw = gateway.raw().await;

    raw.write(b"POST / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: lines/1\r\n\r\n").await;
    let head = raw.read_head().await.unwrap();
    raw.write(b"line 1").await;
    raw.finish().await;
    let rest = raw.read_to_end().await;

    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert!(head.to_lowercase().contains("upgrade: lines/1"), "{head}");
    assert_eq!(String::from_utf8_lossy(&rest), "welcome\ngot line 1");
}

#[tokio::test]
async fn a_websocket_works_on_http_and_ws_endpoints_alike() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::configure(
        r#"
        [[route]]
        path = "/ws"
        to = "ws://{a}"
        [[route]]
        path = "/http"
        to = "http://{a}"
        [[route]]
        path = "/balanced"
        to = "balancer://pool/x"
        [cluster.pool]
        endpoints = ["ws://{a}"]
    "#,
    )
    .origin(&origin)
    .start()
    .await;
    for path in ["/ws", "/http", "/balanced"] {
        let mut websocket = gateway.websocket(path).await;
        websocket.echo(path).await;
        assert_eq!(gateway.get(path).await.seen().method, "GET", "and so does a plain request");
    }
}

#[tokio::test]
async fn a_kept_connection_may_switch_later() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;

    raw.write(b"GET /first HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let first = raw.read_answer().await.unwrap();
    let fields = format!("Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{KEY}");
    raw.write(format!("GET /second HTTP/1.1\r\n{fields}\r\n").as_bytes()).await;
    let second = raw.read_head().await.unwrap();

    assert_eq!(first.seen().target, "/first");
    assert!(second.starts_with("HTTP/1.1 101"), "{second}");
    assert_eq!(raw.read(14).await, b"\x81\x0chello from a");
}
