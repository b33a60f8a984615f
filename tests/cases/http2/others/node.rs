//! node's `http2`, on either side: extended CONNECT, trailers, interim responses, GOAWAY, resets.

use std::process::Command;
use std::time::Duration;

use tidegate_tests::{Ca, Ending, Gateway, Origin, eventually};

use super::program::{Program, found, script};
use super::{TLS, before};

fn client(url: &str, ca: Option<&std::path::Path>, scene: &str) -> Option<Program> {
    let mut command = Command::new(found("node")?);
    command.arg(script("node/client.mjs")).arg(url);
    Some(Program::client(command, ca, scene))
}

/// node's server, and the URL of it.
async fn endpoint(tls: Option<(&std::path::Path, &std::path::Path)>) -> Option<(Program, String)> {
    let mut command = Command::new(found("node")?);
    command.arg(script("node/endpoint.mjs"));
    Some(Program::endpoint(command, tls).await)
}

#[tokio::test]
async fn its_client_sends_requests_and_opens_websockets() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let url = format!("http://{}", gateway.address());

    for scene in ["requests", "websockets"] {
        let Some(client) = client(&url, None, scene) else { return };
        client.done().await;
        eventually("leases to be given back", || gateway.in_flight(&origin) == 0).await;
    }

    let endings = origin.endings();
    assert_eq!(endings.len(), 41);
    assert_eq!(endings.iter().filter(|ending| **ending == Ending::Closed(Some(4000))).count(), 1, "{endings:?}");
    assert_eq!(endings.iter().filter(|ending| **ending == Ending::Cut).count(), 40, "{endings:?}");
}

#[tokio::test]
async fn its_client_by_tls() {
    let origin = Origin::named("a").start().await;
    let text = format!("{TLS}[[route]]\npath = \"/\"\nto = \"http://{{a}}\"\n");
    let gateway = Gateway::configure(&text).origin(&origin).tls(&Ca::new(), &["localhost"]).start().await;
    let (url, ca) = (format!("https://localhost:{}", gateway.address().port()), gateway.folder().join("ca.pem"));

    for scene in ["requests", "websockets"] {
        let Some(client) = client(&url, Some(&ca), scene) else { return };
        client.done().await;
    }
}

#[tokio::test]
async fn its_client_and_its_server() {
    let Some((server, url)) = endpoint(None).await else { return };
    let gateway = before(&url, "h2", "").start().await;
    let url = format!("http://{}", gateway.address());

    for scene in ["features", "passed"] {
        let Some(client) = client(&url, None, scene) else { return };
        client.done().await;
    }

    // What a client ends is ended towards the endpoint, and what it resets is a CONNECT_ERROR (RFC 9113 §8.5).
    assert_eq!(server.says("closed /tunnel ").await, "0");
    assert_eq!(server.says("closed /reset ").await, "10");
}

#[tokio::test]
async fn its_client_and_its_server_by_tls() {
    let ca = Ca::new();
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = ca.issue(&["localhost"]).write(folder.path(), "node");
    for protocol in ["h2", "auto"] {
        let Some((_server, url)) = endpoint(Some((&certificate, &key))).await else { return };
        let gateway = before(&url, protocol, "tls = { ca = \"ca.pem\" }");
        let gateway = gateway.file("ca.pem", ca.pem()).start().await;
        let url = format!("http://{}", gateway.address());

        for scene in ["features", "passed"] {
            let Some(client) = client(&url, None, scene) else { return };
            client.done().await;
        }
    }
}

#[tokio::test]
async fn a_drain_is_goaway_and_1001() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let Some(client) = client(&format!("http://{}", gateway.address()), None, "drain") else { return };
    client.says("open").await;

    gateway.stop(Duration::from_secs(20)).await;

    client.done().await;
    assert_eq!(origin.endings(), [Ending::Closed(Some(1001))]);
}

#[tokio::test]
async fn a_client_that_goes_is_a_reset_for_its_server() {
    let Some((server, url)) = endpoint(None).await else { return };
    let gateway = before(&url, "h2", "").start().await;

    let mut raw = gateway.raw().await;
    raw.write(b"GET /never HTTP/1.1\r\nHost: gateway.test\r\n\r\n").await;
    server.says("waits /never").await;
    drop(raw);

    assert_eq!(server.says("closed /never ").await, "8", "CANCEL");
}
