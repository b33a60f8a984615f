//! TLS towards endpoints.

use tidegate_tests::{Ca, Gateway, Origin, Setup, eventually, upgrade_request};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_tungstenite::tungstenite::Error;

fn behind(origin: &Origin, tls: &str) -> Setup {
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n\
                [cluster.pool]\nendpoints = [\"wss://localhost:{port}\"]\ntls = {tls}\n";
    Gateway::configure(text).put("port", origin.address().port()).put("tls", tls)
}

/// Status of the answer where a websocket is refused.
async fn refused(gateway: &Gateway) -> u16 {
    match gateway.try_websocket(upgrade_request("/")).await {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn wss_endpoints_are_reached_with_a_ca_file() {
    let ca = Ca::new();
    let origin = Origin::named("s").tls(&ca.issue(&["localhost"])).start().await;
    let gateway = behind(&origin, r#"{ ca = "ca.pem" }"#).file("ca.pem", ca.pem()).start().await;

    let mut websocket = gateway.websocket("/").await;
    websocket.echo("t".repeat(100_000)).await;
    let seen = gateway.get("/plain").await.seen();

    assert_eq!(seen.target, "/plain", "https and wss differ in name only");
    assert_eq!(seen.header("host"), Some(format!("localhost:{}", origin.address().port()).as_str()));
    websocket.close().await;
}

#[tokio::test]
async fn an_endpoint_of_another_name_is_refused() {
    let ca = Ca::new();
    let origin = Origin::named("s").tls(&ca.issue(&["other.example"])).start().await;
    let gateway = behind(&origin, r#"{ ca = "ca.pem" }"#).file("ca.pem", ca.pem()).start().await;

    assert_eq!(refused(&gateway).await, 503);
    assert_eq!(gateway.get("/").await.status, 503);
    assert!(origin.seen().is_empty(), "nothing is said to a stranger");
}

#[tokio::test]
async fn another_name_is_accepted_where_it_is_meant() {
    let ca = Ca::new();
    let origin = Origin::named("s").tls(&ca.issue(&["other.example"])).start().await;
    let tls = r#"{ ca = "ca.pem", server_name = "other.example" }"#;
    let gateway = behind(&origin, tls).file("ca.pem", ca.pem()).start().await;

    gateway.websocket("/").await.echo("through").await;
}

#[tokio::test]
async fn an_endpoint_of_an_unknown_issuer_is_refused() {
    let (ours, theirs) = (Ca::new(), Ca::new());
    let origin = Origin::named("s").tls(&theirs.issue(&["localhost"])).start().await;
    let with_file = behind(&origin, r#"{ ca = "ca.pem" }"#).file("ca.pem", ours.pem()).start().await;
    let with_platform = behind(&origin, "{ }").start().await;

    for gateway in [with_file, with_platform] {
        assert_eq!(refused(&gateway).await, 503);
    }
    assert!(origin.seen().is_empty(), "nothing is said to a stranger");
}

#[tokio::test]
async fn without_verification_any_certificate_will_do() {
    let origin = Origin::named("s").tls(&Ca::new().issue(&["other.example"])).start().await;
    let gateway = behind(&origin, r#"{ verify = "none" }"#).start().await;

    gateway.websocket("/").await.echo("through").await;

    let generation = gateway.inner().generation();
    let warnings = &generation.config().warnings;
    assert!(warnings.iter().any(|warning| warning.contains("verify")), "and it is warned of: {warnings:?}");
}

/// Requests, tunnels and probes meet the endpoint alike.
#[tokio::test]
async fn a_certificate_that_signs_itself_is_taken_where_it_is_named() {
    let (mine, other) = (Ca::own(&["localhost"]), Ca::own(&["localhost"]));
    let origin = Origin::named("s").tls(&mine).start().await;
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n\
                [cluster.pool]\nendpoints = [\"wss://localhost:{port}\"]\ntls = { ca = \"own.pem\" }\n\
                health = { probe = \"tls\", interval = \"100ms\" }\n";
    let setup = || Gateway::configure(text).put("port", origin.address().port());
    let trusting = setup().file("own.pem", &mine.certificate).start().await;
    let strange = setup().file("own.pem", &other.certificate).start().await;

    trusting.websocket("/").await.echo("through").await;

    assert_eq!(trusting.get("/").await.status, 200);
    let probes = || {
        let all = trusting.inner().registry().all();
        all.iter().flat_map(|(_, lives)| lives).map(|live| live.probes()).next().unwrap()
    };
    eventually("a probe", || probes().0 > 0).await;
    assert_eq!(probes().1, 0, "none has failed");
    assert_eq!(refused(&strange).await, 503, "another certificate of the same name is another endpoint");
}

#[tokio::test]
async fn an_endpoint_must_have_the_key_that_is_pinned() {
    let ca = Ca::new();
    let (identity, other) = (ca.issue(&["localhost"]), ca.issue(&["localhost"]));
    let origin = Origin::named("s").tls(&identity).start().await;
    let pinning = |pin: &str, more: &str| {
        behind(&origin, &format!("{{ pin = \"{pin}\", {more} }}")).file("ca.pem", ca.pem()).start()
    };
    let both = format!("{};{}", other.pin(), identity.pin());

    for more in ["ca = \"ca.pem\"", "verify = \"none\""] {
        let gateway = pinning(&both, more).await;
        gateway.websocket("/").await.echo("through").await;
        let generation = gateway.inner().generation();
        assert_eq!(generation.config().warnings, Vec::<String>::new(), "{more}");

        let gateway = pinning(&other.pin(), more).await;
        assert_eq!(refused(&gateway).await, 503, "{more}");
    }
    assert_eq!(origin.seen().len(), 2, "nothing is said to who has another key");
}

#[tokio::test]
async fn a_plain_endpoint_is_no_tls_endpoint() {
    let origin = Origin::named("p").start().await;
    let gateway = behind(&origin, r#"{ verify = "none" }"#).start().await;

    assert_eq!(refused(&gateway).await, 503);
}

/// An endpoint under TLS that answers with `answer`, and as a tunnel sends and awaits Close; it tells whether its connection ends
/// as TLS has it: with a close_notify (RFC 8446 §6.1).
async fn telling(ca: &Ca, answer: &'static str, tunnel: bool) -> (Origin, UnboundedReceiver<bool>) {
    let (tell, told) = unbounded_channel();
    let origin = Origin::raw(move |mut raw| {
        let tell = tell.clone();
        async move {
            raw.read_head().await;
            raw.write(answer.as_bytes()).await;
            if tunnel {
                raw.read(FROM_CLIENT.len()).await;
                raw.write(&FROM_ENDPOINT).await;
                raw.finish().await;
            }
            tell.send(raw.ends_properly().await).unwrap();
        }
    });
    (origin.tls(&ca.issue(&["localhost"])).start().await, told)
}

const FROM_CLIENT: [u8; 8] = [0x88, 0x82, 0, 0, 0, 0, 3, 232];
const FROM_ENDPOINT: [u8; 4] = [0x88, 2, 3, 232];

#[tokio::test]
async fn a_connection_that_is_not_kept_takes_leave() {
    let ca = Ca::new();
    let (origin, mut told) = telling(&ca, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false).await;
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\npool = { size = 0 }\n\
                endpoints = [\"https://localhost:{port}\"]\ntls = { ca = \"ca.pem\" }\n";
    let setup = Gateway::configure(text).put("port", origin.address().port()).file("ca.pem", ca.pem());
    let gateway = setup.start().await;

    assert_eq!(gateway.get("/").await.text(), "ok");

    assert_eq!(told.recv().await, Some(true), "close_notify (RFC 8446 §6.1)");
}

/// Both have said goodbye, and the endpoint has ended: nobody waits for the client, and the endpoint is still told.
#[tokio::test]
async fn a_tunnel_that_is_over_takes_leave_of_its_endpoint() {
    const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let ca = Ca::new();
    let (origin, mut told) = telling(&ca, SWITCHED, true).await;
    let gateway = behind(&origin, r#"{ ca = "ca.pem" }"#).file("ca.pem", ca.pem()).start().await;
    let mut raw = gateway.raw().await;
    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n").await;
    raw.read_head().await.unwrap();

    raw.write(&FROM_CLIENT).await;

    assert_eq!(raw.read(FROM_ENDPOINT.len()).await, FROM_ENDPOINT);
    assert_eq!(told.recv().await, Some(true), "close_notify (RFC 8446 §6.1)");
    assert!(raw.ends_properly().await);
}
