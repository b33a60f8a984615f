//! Connections as clients of a proxy make them.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use h2::client::SendRequest;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{frame, session};
use crate::endpoint::head_end;

/// A connection, TLS or not.
pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

pub(crate) type Connection = Box<dyn Io>;

/// What clients speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Http1,
    /// By ALPN over TLS, without TLS by prior knowledge.
    Http2,
}

/// What a client asks for, of whom.
#[derive(Clone)]
pub(crate) struct Dialer {
    address: String,
    path: String,
    host: String,
    version: Version,
    tls: Option<TlsConnector>,
    /// Room for one more stream, on connections of HTTP/2 that are open.
    rooms: Arc<Mutex<Vec<SendRequest<Bytes>>>>,
}

impl Dialer {
    pub(crate) fn new(address: &str, path: &str, host: &str, version: Version, tls: bool) -> anyhow::Result<Self> {
        let tls = if tls { Some(TlsConnector::from(Arc::new(client(version)?))) } else { None };
        let (address, path, host) = (address.to_owned(), path.to_owned(), host.to_owned());
        Ok(Self { address, path, host, version, tls, rooms: Arc::default() })
    }

    /// What they speak.
    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// Opens a connection; over TLS it is a full handshake each time.
    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(&self.address).await.with_context(|| self.address.clone())?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from(self.host.clone())?;
        let stream = tls.connect(name, stream).await?;
        if self.version == Version::Http2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            bail!("HTTP/2 was not chosen by ALPN");
        }
        Ok(Box::new(stream))
    }

    /// Opens a connection of HTTP/2, with one request on it.
    pub(crate) async fn session(&self) -> anyhow::Result<SendRequest<Bytes>> {
        let session = session::open(self.connect().await?).await?;
        // Settings come before any response, and say whether there may be websockets.
        self.get(session.clone()).await?;
        Ok(session)
    }

    /// Room for a stream: on a connection that is open, or else on a new one with room for [`session::STREAMS`].
    pub(crate) async fn room(&self) -> anyhow::Result<SendRequest<Bytes>> {
        if let Some(session) = self.rooms().pop() {
            return Ok(session);
        }
        let session = self.session().await?;
        self.rooms().extend(std::iter::repeat_n(session.clone(), session::STREAMS - 1));
        Ok(session)
    }

    /// Gives room back.
    pub(crate) fn give_back(&self, session: SendRequest<Bytes>) {
        self.rooms().push(session);
    }

    fn rooms(&self) -> std::sync::MutexGuard<'_, Vec<SendRequest<Bytes>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One GET over HTTP/2; the length of the response's body.
    pub(crate) async fn get(&self, session: SendRequest<Bytes>) -> anyhow::Result<usize> {
        session::get(session, &self.target()).await
    }

    /// Opens a websocket on a connection of HTTP/2.
    pub(crate) async fn websocket_on(&self, session: SendRequest<Bytes>) -> anyhow::Result<Connection> {
        Ok(Box::new(session::websocket(session, &self.target()).await?))
    }

    fn target(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{}", self.host, self.path)
    }

    /// Opens a websocket.
    pub(crate) async fn websocket(&self) -> anyhow::Result<Connection> {
        if self.version == Version::Http2 {
            return self.websocket_on(self.room().await?).await;
        }
        let mut connection = self.connect().await?;
        let Self { path, host, .. } = self;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        connection.write_all(request.as_bytes()).await?;
        let mut head = Vec::with_capacity(512);
        // The endpoint says nothing before our first frame, so all that comes is head.
        while head_end(&head).is_none() {
            if connection.read_buf(&mut head).await? == 0 {
                bail!("closed instead of switched");
            }
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            bail!("not switched: {}", String::from_utf8_lossy(&head).lines().next().unwrap_or_default());
        }
        Ok(connection)
    }

    /// One GET, or one POST if there is a `body`; the response has as many bytes.
    pub(crate) async fn request(&self, connection: &mut Connection, body: &[u8], last: bool) -> anyhow::Result<()> {
        let Self { path, host, .. } = self;
        let close = if last { "Connection: close\r\n" } else { "" };
        let request = match body.len() {
            0 => format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{close}\r\n"),
            size => {
                format!("POST {path}/size/{size} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {size}\r\n{close}\r\n")
            }
        };
        // In one write: a second one is a system call that clients with a small body do not make.
        connection.write_all(&[request.as_bytes(), body].concat()).await?;
        super::http::read(connection).await
    }
}

impl Dialer {
    /// One POST of JSON, whatever the response has.
    pub(crate) async fn post(&self, connection: &mut Connection, body: &[u8]) -> anyhow::Result<()> {
        let (path, host, size) = (&self.path, &self.host, body.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await?;
        connection.write_all(body).await?;
        super::http::read(connection).await
    }
}

/// Sends `size` bytes through a websocket and reads them back.
pub(crate) async fn echo(websocket: &mut Connection, payload: &[u8]) -> anyhow::Result<()> {
    websocket.write_all(&frame::message(frame::BINARY, payload)).await?;
    let mut back = vec![0; frame::echoed(payload.len())];
    websocket.read_exact(&mut back).await?;
    Ok(())
}

/// No resumption, so that each handshake costs what a stranger's does; no post-quantum share, because not every proxy
/// has it, and all must do the same work.
fn client(version: Version) -> anyhow::Result<ClientConfig> {
    let groups = vec![kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];
    let provider = Arc::new(CryptoProvider { kx_groups: groups, ..default_provider() });
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = match version {
        Version::Http1 => vec![b"http/1.1".to_vec()],
        Version::Http2 => vec![b"h2".to_vec()],
    };
    Ok(config)
}

/// Takes every certificate: which server it is, is not measured.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
