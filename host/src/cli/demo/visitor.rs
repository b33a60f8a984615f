//! A websocket client that comes through the gateway, as any client would.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::endpoint::NAME_FIELD;

/// Longest wait for anything. Loopback takes milliseconds; a loaded machine may take longer.
const WAIT: Duration = Duration::from_secs(10);

/// Comes to one address, trusting one certificate.
pub(super) struct Visitor {
    address: SocketAddr,
    connector: TlsConnector,
}

impl Visitor {
    /// A visitor of `address` who trusts what is in the file `certificate`, and nothing else.
    pub(super) fn new(address: SocketAddr, certificate: &std::path::Path) -> anyhow::Result<Self> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certificate)?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { address, connector: TlsConnector::from(Arc::new(config)) })
    }

    /// Opens a websocket.
    pub(super) async fn open(&self) -> anyhow::Result<DemoTunnel> {
        timeout(WAIT, self.connect()).await.context("no websocket in time")?
    }

    async fn connect(&self) -> anyhow::Result<DemoTunnel> {
        let tcp = TcpStream::connect(self.address).await?;
        let tls = self.connector.connect(ServerName::try_from("localhost")?, tcp).await?;
        let url = format!("wss://localhost:{}/websocket", self.address.port());
        let (websocket, response) = tokio_tungstenite::client_async(url, tls).await?;
        let name = response.headers().get(NAME_FIELD).and_then(|name| name.to_str().ok());
        let mut tunnel = DemoTunnel { endpoint: name.context("the endpoint gave no name")?.to_owned(), websocket };
        tunnel.receive().await.context("no greeting")?;
        Ok(tunnel)
    }
}

/// An open websocket, and who is at its other end.
pub(super) struct DemoTunnel {
    endpoint: String,
    websocket: WebSocketStream<TlsStream<TcpStream>>,
}

impl DemoTunnel {
    /// Name of the endpoint that the balancer chose.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether what is said still comes back.
    pub(super) async fn echoes(&mut self, text: &str) -> bool {
        let sent = self.websocket.send(Message::text(text)).await;
        sent.is_ok() && self.receive().await.is_ok_and(|echo| echo == text)
    }

    /// Says goodbye.
    pub(super) async fn close(mut self) {
        let _gone = timeout(WAIT, self.websocket.close(None)).await;
    }

    async fn receive(&mut self) -> anyhow::Result<String> {
        let message = timeout(WAIT, self.websocket.next()).await.context("nothing came back")?;
        Ok(message.context("closed")??.into_text()?.to_string())
    }
}
