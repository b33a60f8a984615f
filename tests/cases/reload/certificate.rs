//! A certificate that is renewed.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tidegate_tests::{Ca, Gateway, Identity, Origin, within};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::running::{Running, websocket};

const TEXT: &str = r#"
[[listen]]
address = "127.0.0.1:0"
tls = { certificate = "cert.pem", key = "cert-key.pem" }
[[route]]
path = "/"
to = "ws://{a}"
"#;

#[tokio::test]
async fn a_renewed_certificate_is_seen_by_new_handshakes_and_old_tunnels_stay() {
    let (a, ca) = (Origin::named("a").start().await, Ca::new());
    let running = Running::start(Gateway::configure(TEXT).origin(&a).tls(&ca, &["localhost"])).await;
    // One client, so that it holds a ticket and could resume under the old certificate's session.
    let client = ca.client_config();
    let old = shake(running.address(), &client).await;
    let first = shown(&old);
    let mut held = websocket(Box::new(old), "/").await;

    for number in 0..3 {
        let renewed = ca.issue(&["localhost"]);
        running.swapped_by(|| drop(renewed.write(running.folder(), "cert"))).await;

        let fresh = shake(running.address(), &ca.client_config()).await;
        assert_eq!(shown(&fresh), der(&renewed), "renewal {number}");
        websocket(Box::new(fresh), "/").await.close().await;
        websocket(Box::new(shake(running.address(), &client).await), "/").await.close().await;
        held.echo("under the certificate that it began with").await;
    }
    assert_ne!(first, shown(&shake(running.address(), &ca.client_config()).await));
}

#[tokio::test]
async fn a_key_that_does_not_belong_to_its_certificate_is_refused_until_both_are_there() {
    let (a, ca) = (Origin::named("a").start().await, Ca::new());
    let running = Running::start(Gateway::configure(TEXT).origin(&a).tls(&ca, &["localhost"])).await;
    let before = shown(&shake(running.address(), &ca.client_config()).await);
    let renewed = ca.issue(&["localhost"]);
    let (certificate, key) = (running.folder().join("cert.pem"), running.folder().join("cert-key.pem"));

    let line = running.refused_after(|| std::fs::write(&certificate, &renewed.certificate).unwrap()).await;
    assert!(line.contains("listener 127.0.0.1:0") && line.contains("cert-key.pem"), "{line}");
    assert_eq!(shown(&shake(running.address(), &ca.client_config()).await), before);

    running.swapped_by(|| std::fs::write(&key, &renewed.key).unwrap()).await;
    assert_eq!(shown(&shake(running.address(), &ca.client_config()).await), der(&renewed));
}

async fn shake(address: SocketAddr, client: &Arc<ClientConfig>) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    within("a handshake", TlsConnector::from(client.clone()).connect(name, stream)).await.unwrap()
}

/// The certificate that the other side showed.
fn shown(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

fn der(identity: &Identity) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap()
}
