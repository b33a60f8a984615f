//! Listeners whose clients are sent to TLS.

use hyper::Method;
use tidegate_tests::{Answer, Ca, Gateway, Http, Http2, Origin, Raw, Websocket, get, upgrade_request};
use tokio_tungstenite::tungstenite::Error;

use crate::running::plain;

async fn gateway(plain: &str, gateway: &str) -> (Origin, Gateway) {
    let (a, ca) = (Origin::named("a").start().await, Ca::new());
    let text = format!(
        "[gateway]\n{gateway}\n[[listen]]\naddress = \"127.0.0.1:0\"\n{plain}\n[[listen]]\naddress = \"127.0.0.1:0\"\n\
         tls = {{ certificate = \"cert.pem\", key = \"cert-key.pem\" }}\n[[route]]\npath = \"/\"\nto = \"ws://{{a}}\"\n"
    );
    let gateway = Gateway::configure(&text).origin(&a).tls(&ca, &["localhost"]).start().await;
    (a, gateway)
}

async fn ask(gateway: &Gateway, head: &str) -> Answer {
    let mut raw = Raw::new(plain(gateway.address()).await);
    raw.write(format!("{head}\r\n\r\n").as_bytes()).await;
    raw.read_answer().await.unwrap()
}

#[tokio::test]
async fn every_request_is_sent_there_with_its_path_and_query() {
    let (origin, gateway) = gateway("redirect_to_tls = 8443", "").await;
    let table = [
        ("GET /a/b?c=d%20e&f HTTP/1.1\r\nHost: h.example", 301, "https://h.example:8443/a/b?c=d%20e&f"),
        ("GET / HTTP/1.1\r\nHost: h.example:8080", 301, "https://h.example:8443/"),
        ("POST /x HTTP/1.1\r\nHost: h.example\r\nContent-Length: 0", 308, "https://h.example:8443/x"),
        ("OPTIONS /x HTTP/1.1\r\nHost: h.example\r\nMax-Forwards: 0", 308, "https://h.example:8443/x"),
        ("GET //evil.example/x HTTP/1.1\r\nHost: h.example", 301, "https://h.example:8443//evil.example/x"),
        ("GET /\\evil.example? HTTP/1.1\r\nHost: h.example", 301, "https://h.example:8443/%5Cevil.example?"),
        ("GET /x HTTP/1.1\r\nHost: [::1]:80", 301, "https://[::1]:8443/x"),
        ("GET http://other.example/x HTTP/1.1\r\nHost: h.example", 301, "https://other.example:8443/x"),
        ("GET /x HTTP/1.1\r\nHost: h.example\r\nX-Forwarded-Proto: https", 301, "https://h.example:8443/x"),
    ];

    for (head, status, location) in table {
        let answer = ask(&gateway, head).await;

        assert_eq!((answer.status.as_u16(), answer.header("location")), (status, location), "{head}");
        assert!(answer.headers.get("cache-control").is_none(), "a 301 may be kept: {head}");
    }
    let mut head = get("/x");
    *head.method_mut() = Method::HEAD;
    let head = Http::new(plain(gateway.address()).await).await.send(head).await;
    assert_eq!((head.status.as_u16(), head.header("location")), (301, "https://gateway.test:8443/x"));
    assert!(origin.seen().is_empty(), "{:?}", origin.seen());
}

#[tokio::test]
async fn the_usual_port_is_not_written() {
    let (_origin, gateway) = gateway("redirect_to_tls = true", "").await;

    let answer = ask(&gateway, "GET /x HTTP/1.1\r\nHost: h.example").await;

    assert_eq!(answer.header("location"), "https://h.example/x", "the listener with TLS took any port");
}

#[tokio::test]
async fn a_request_without_a_host_can_be_sent_nowhere() {
    let (_origin, gateway) = gateway("redirect_to_tls = true", "").await;

    let answer = ask(&gateway, "GET /x HTTP/1.0").await;

    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("has to name its Host"), "{}", answer.text());
}

#[tokio::test]
async fn handshakes_and_http2_are_sent_there_too() {
    let (_origin, gateway) = gateway("redirect_to_tls = true", "").await;
    let handshake = Websocket::open(plain(gateway.address()).await, upgrade_request("/ws")).await;
    let mut client = Http2::new(plain(gateway.address()).await).await;
    let over_http2 = client.send(get("/y")).await;
    let extended = client.try_websocket(upgrade_request("/ws")).await;

    for refused in [handshake.map(drop), extended.map(drop)] {
        let Err(Error::Http(response)) = refused else { panic!("{refused:?}") };
        assert_eq!(
            (response.status(), &response.headers()["location"]),
            (301.try_into().unwrap(), &"https://gateway.test/ws".parse().unwrap())
        );
    }
    assert_eq!(over_http2.header("location"), "https://gateway.test/y");
}

#[tokio::test]
async fn who_came_to_a_trusted_proxy_by_tls_is_served() {
    let (origin, gateway) = gateway("redirect_to_tls = true", "forwarded = { trusted = [\"127.0.0.0/8\"] }").await;
    let ask =
        async |proto: &str| ask(&gateway, &format!("GET /x HTTP/1.1\r\nHost: h.example{proto}")).await.status.as_u16();

    assert_eq!(ask("\r\nX-Forwarded-Proto: https").await, 200, "else it would be sent to where it is");
    assert_eq!(ask("\r\nX-Forwarded-Proto: http").await, 301);
    assert_eq!(ask("").await, 301);
    assert_eq!(ask("\r\nX-Forwarded-Proto: https, http").await, 301, "what a client wrote stands in front");
    assert_eq!(origin.seen().len(), 1);
}
