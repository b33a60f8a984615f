//! A client that comes through the gateway, as any client would.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::endpoint::NAME_FIELD;

/// Longest wait for anything. Loopback takes milliseconds; a loaded machine may take longer.
const WAIT: Duration = Duration::from_secs(10);

/// Longest response that is read.
const RESPONSE_BYTES: u64 = 1 << 20;

/// Bytes both ways, with TLS or without.
trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// Comes to one address.
pub(in crate::cli) struct Visitor {
    address: SocketAddr,
    /// For TLS.
    connector: Option<TlsConnector>,
}

impl Visitor {
    /// A visitor of `address` who trusts what is in the file `certificate`, and nothing else.
    pub(in crate::cli) fn new(address: SocketAddr, certificate: &std::path::Path) -> anyhow::Result<Self> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certificate)?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { address, connector: Some(TlsConnector::from(Arc::new(config))) })
    }

    /// A visitor of `address` without TLS.
    pub(in crate::cli) fn plain(address: SocketAddr) -> Self {
        Self { address, connector: None }
    }

    /// Asks for `target`, and returns the status of the response.
    pub(in crate::cli) async fn get(&self, target: &str) -> anyhow::Result<u16> {
        timeout(WAIT, self.ask(target)).await.context("no response in time")?
    }

    async fn ask(&self, target: &str) -> anyhow::Result<u16> {
        let mut wire = self.wire().await?;
        let request = format!("GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.host());
        wire.write_all(request.as_bytes()).await?;
        let mut response = Vec::new();
        wire.take(RESPONSE_BYTES).read_to_end(&mut response).await?;
        let line = response.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let status = std::str::from_utf8(line)?.split(' ').nth(1).context("no status")?;
        Ok(status.parse()?)
    }

    /// Opens a websocket.
    pub(in crate::cli) async fn open(&self) -> anyhow::Result<DemoTunnel> {
        timeout(WAIT, self.connect()).await.context("no websocket in time")?
    }

    async fn connect(&self) -> anyhow::Result<DemoTunnel> {
        let scheme = if self.connector.is_some() { "wss" } else { "ws" };
        let url = format!("{scheme}://{}/websocket", self.host());
        let (websocket, response) = tokio_tungstenite::client_async(url, self.wire().await?).await?;
        let name = response.headers().get(NAME_FIELD).and_then(|name| name.to_str().ok());
        let mut tunnel = DemoTunnel { endpoint: name.context("the endpoint gave no name")?.to_owned(), websocket };
        tunnel.receive().await.context("no greeting")?;
        Ok(tunnel)
    }

    fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    async fn wire(&self) -> anyhow::Result<Box<dyn ByteStream>> {
        let tcp = TcpStream::connect(self.address).await?;
        let Some(connector) = &self.connector else { return Ok(Box::new(tcp)) };
        Ok(Box::new(connector.connect(ServerName::try_from("localhost")?, tcp).await?))
    }
}

/// An open websocket, and who is at its other end.
pub(in crate::cli) struct DemoTunnel {
    endpoint: String,
    websocket: WebSocketStream<Box<dyn ByteStream>>,
}

impl DemoTunnel {
    /// Name of the endpoint that the balancer chose.
    pub(in crate::cli) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether what is said still comes back.
    pub(in crate::cli) async fn echoes(&mut self, text: &str) -> bool {
        let sent = self.websocket.send(Message::text(text)).await;
        sent.is_ok() && self.receive().await.is_ok_and(|echo| echo == text)
    }

    /// Says goodbye.
    pub(in crate::cli) async fn close(mut self) {
        let _gone = timeout(WAIT, self.websocket.close(None)).await;
    }

    async fn receive(&mut self) -> anyhow::Result<String> {
        let message = timeout(WAIT, self.websocket.next()).await.context("nothing came back")?;
        Ok(message.context("closed")??.into_text()?.to_string())
    }
}
