//! From an address to an open stream.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::broken::Broken;
use super::timer::LazyTimer;
use super::unreadable::Excerpt;
use crate::net::{Socket, Stream};
use crate::tls;

/// Where an endpoint listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// An address that needs no name service.
    Socket(SocketAddr),
    /// A name and a port. Asked for anew at each connect.
    Name(String, u16),
    /// A unix socket.
    Unix(PathBuf),
}

/// TLS towards an endpoint.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Roots, verification, identity.
    pub config: Arc<ClientConfig>,
    /// Name that is asked for and checked.
    pub name: ServerName<'static>,
}

impl Tls {
    /// The same, offering HTTP/1.1 alone.
    pub(super) fn without_http2(&self) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { config: Arc::new(config), name: self.name.clone() }
    }
}

/// No connection to an endpoint. Nothing was sent: another endpoint may be tried.
#[derive(Debug, thiserror::Error)]
#[error("connect to {url} failed: {fault}")]
pub struct ConnectError {
    /// The endpoint, as configured.
    pub url: Arc<str>,
    /// What happened.
    pub fault: ConnectFault,
}

/// What can happen between choice and open stream.
#[derive(Debug, thiserror::Error)]
pub enum ConnectFault {
    /// Not done within the connect timeout.
    #[error("timed out after {0:?}")]
    TimedOut(Duration),
    /// The name service knows no address.
    #[error("name not resolved: {0}")]
    Name(io::Error),
    /// Refused, unreachable, no such socket.
    #[error("{0}")]
    Socket(io::Error),
    /// The TLS handshake failed; the text says which check.
    #[error("{0}")]
    Tls(String),
    /// It refused what it was offered by ALPN (RFC 7301 §3.2).
    #[error("{0}")]
    NoProtocol(RefusedProtocols),
    /// It speaks no HTTP/2: what it sent instead of SETTINGS, which come first (RFC 9113 §3.4).
    #[error("it speaks no HTTP/2, expected SETTINGS, it sent `{0}`: {1}")]
    NoHttp2(Excerpt, NoHttp2Remedy),
    /// It closed where its SETTINGS were expected, as servers do that speak HTTP/1.1 alone, or TLS.
    #[error("it closed the connection, expected SETTINGS: {0}")]
    NoSettings(NoHttp2Remedy),
    /// It did not choose HTTP/2 in the TLS handshake.
    #[error("it chose {0} by ALPN, expected h2: set protocol = \"h1\" for its cluster, or \"auto\"")]
    Alpn(Excerpt),
    /// It closed before it took a request.
    #[error("closed before a request could be sent: {0}")]
    Closed(Broken),
}

/// What an endpoint refused by ALPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusedProtocols {
    /// `http/1.1`.
    #[error(
        "it refuses HTTP/1.1 by ALPN: set protocol = \"h2\" in its [cluster.NAME]; a route that names the endpoint \
         itself needs to = \"balancer://NAME\" for that"
    )]
    Http1,
    /// `h2`.
    #[error("it refuses HTTP/2 by ALPN: set protocol = \"h1\" for its cluster, or \"auto\"")]
    Http2,
    /// Both.
    #[error("it refuses HTTP/2 and HTTP/1.1 by ALPN: is the port right?")]
    Both,
}

impl RefusedProtocols {
    fn of(offered: &[Vec<u8>]) -> Self {
        let offers = |name: &[u8]| offered.iter().any(|offered| offered == name);
        match (offers(b"h2"), offers(b"http/1.1")) {
            (true, true) => Self::Both,
            (true, false) => Self::Http2,
            (false, _) => Self::Http1,
        }
    }
}

/// What may help where an endpoint is to speak HTTP/2, and does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoHttp2Remedy {
    /// It was spoken to without TLS, and said nothing that tells more.
    #[error("is it https:// or wss://? If it speaks no HTTP/2, set protocol = \"h1\" for its cluster")]
    Plain,
    /// It was spoken to by TLS.
    #[error("set protocol = \"h1\" for its cluster if it speaks no HTTP/2")]
    Tls,
    /// It was spoken to without TLS, and responded with a record of TLS (RFC 8446 §5.1).
    #[error("that is TLS: is it https:// or wss://?")]
    TlsRecord,
}

/// Opens a stream, TLS included, before `timer` rings.
pub(super) async fn dial(address: &Address, tls: Option<&Tls>, timer: &mut LazyTimer) -> Result<Stream, ConnectFault> {
    let within = timer.allowed();
    timer.race(pin!(open(address, tls, within))).await.unwrap_or(Err(ConnectFault::TimedOut(within)))
}

async fn open(address: &Address, tls: Option<&Tls>, within: Duration) -> Result<Stream, ConnectFault> {
    let socket = match address {
        Address::Socket(address) => tcp(*address).await.map_err(ConnectFault::Socket)?,
        // Boxed, as the handshake is: they are rare or dear, and the future of every request has room for what this one
        // holds.
        Address::Name(host, port) => Box::pin(resolve_and_connect(host, *port, within)).await?,
        Address::Unix(path) => Socket::from(UnixStream::connect(path).await.map_err(ConnectFault::Socket)?),
    };
    let Some(tls) = tls else { return Ok(Stream::Plain(socket)) };
    let connector = TlsConnector::from(tls.config.clone());
    match Box::pin(connector.connect(tls.name.clone(), socket)).await {
        Ok(stream) => Ok(Stream::Tls(Box::new(stream.into()))),
        Err(error) if tls::refuses_protocols(&error) => {
            Err(ConnectFault::NoProtocol(RefusedProtocols::of(&tls.config.alpn_protocols)))
        }
        Err(error) => Err(ConnectFault::Tls(tls::explain(&error, tls::HandshakePeer::Endpoint))),
    }
}

/// Tries the addresses of a name in the resolver's order; the last error stands if none works. Each gets its share of
/// the time that is left, so that one that swallows packets does not hide the next.
async fn resolve_and_connect(host: &str, port: u16, within: Duration) -> Result<Socket, ConnectFault> {
    let until = Instant::now() + within;
    let addresses: Vec<_> = tokio::net::lookup_host((host, port)).await.map_err(ConnectFault::Name)?.collect();
    let mut last = ConnectFault::Name(io::Error::other("the name has no address"));
    for (left, address) in (1_u32..=u32::try_from(addresses.len()).unwrap_or(u32::MAX)).rev().zip(addresses) {
        let share = until.saturating_duration_since(Instant::now()) / left;
        match tokio::time::timeout(share, tcp(address)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => last = ConnectFault::Socket(error),
            Err(_elapsed) => last = ConnectFault::TimedOut(within),
        }
    }
    Err(last)
}

async fn tcp(address: SocketAddr) -> io::Result<Socket> {
    let stream = TcpStream::connect(address).await?;
    // Websocket messages are small and must not wait for each other.
    stream.set_nodelay(true)?;
    Ok(stream.into())
}
