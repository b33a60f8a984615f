//! `[[listen]]`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::ListenerProtocol;

/// One listening socket.
#[derive(Clone, Debug, PartialEq)]
pub struct ListenerConfig {
    /// Where to listen. Port 0 takes a free one.
    pub address: SocketAddr,
    /// What plugins know it by, 1 to 64 visible characters of ASCII; none by default.
    pub name: Option<String>,
    /// What clients may speak. Default both versions.
    pub protocol: ListenerProtocol,
    /// TLS, or plain.
    pub tls: Option<ServerTls>,
    /// Limits for what comes in here.
    pub limits: LimitsConfig,
    /// The port of TLS that every client here is sent to, but one that a trusted proxy says it came by TLS; none serves
    /// them. Never beside [`Self::tls`].
    pub redirect_to_tls: Option<u16>,
}

/// Limits of a listener.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitsConfig {
    /// Open client connections, tunnels included. Default 10,000.
    pub connections: usize,
    /// The same for one client address. Default: no limit of its own (usize::MAX).
    pub connections_per_client: usize,
    /// Bytes of a request head. Default 64 KiB, at least 8 KiB.
    pub head_bytes: usize,
    /// Fields in a request head. Default 100.
    pub head_fields: usize,
    /// From the first byte of a head (or the accept) to its end; covers the TLS handshake on its own. Default 10 s.
    pub head_timeout: Duration,
    /// A kept-alive connection without a request, and a client that takes nothing of its response. Default 60 s.
    pub idle_timeout: Duration,
    /// Without a byte of a request body that is waited for, while the request has no response. Default 20 s.
    pub body_timeout: Duration,
    /// Between our end of a connection and its close, while the client still sends. Default 2 s.
    pub linger: Duration,
    /// Bytes that are taken and dropped in that time. Default 1 MiB.
    pub linger_bytes: u64,
    /// Whether a client that has ended its direction still waits for its response. Default false: it has left.
    pub half_close: bool,
    /// Requests and tunnels at a time on one HTTP/2 connection, 1 to [`MOST_STREAMS`](crate::config::MOST_STREAMS). Default
    /// 100. Each may take 128 KiB of memory for what waits, and twice [`Self::head_bytes`].
    pub streams: usize,
}

/// TLS towards clients.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerTls {
    /// The certificate for every name that no other matches.
    pub default: CertificateFiles,
    /// More by server name.
    pub by_name: Vec<NamedTls>,
    /// Lowest version: true allows TLS 1.2 (default), false asks for 1.3.
    pub allow_tls12: bool,
    /// Whose order of ciphers counts. Default the client's.
    pub cipher_order: CipherOrder,
    /// CA file that client certificates must chain to, and whether one is required.
    pub client_ca: Option<(PathBuf, ClientCertificate)>,
}

/// TLS of some server names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedTls {
    /// `a.example` or `*.b.example`, which stands for one label. Empty: those of the certificate.
    pub names: Vec<String>,
    /// The certificate for them.
    pub certificate: CertificateFiles,
    /// As [`ServerTls::client_ca`], of clients that ask for these names. Default: the listener's.
    pub client_ca: Option<(PathBuf, ClientCertificate)>,
}

/// Whose order decides among the ciphers that both sides know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CipherOrder {
    /// The client's: it knows which one its hardware does fast, and none is offered here that is weak (Mozilla's
    /// advice).
    Client,
    /// Ours: AES-256-GCM, AES-128-GCM, ChaCha20-Poly1305 (Apache's `SSLHonorCipherOrder on`).
    Server,
}

/// Whether a client must show a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    /// Checked if shown.
    Optional,
    /// No connection without one.
    Required,
}

/// A chain and its key, PEM.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertificateFiles {
    /// Leaf first.
    pub certificate: PathBuf,
    /// PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}
