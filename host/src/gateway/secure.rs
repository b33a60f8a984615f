//! TLS with a client, where its listener has it.

use std::io;
use std::sync::Arc;

use rustls::ProtocolVersion;
use rustls::server::Acceptor;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::parts::listeners::{Handshakes, ListenerSettings};
use crate::http;
use crate::net::{CertificateRules, ServerNames, ShownCertificate, Socket, Stream};
use crate::policy::CertificateFacts;
use crate::telemetry::{Counter, Metrics};
use crate::tls::{self, HandshakePeer, RuledConfig};

/// What is known from the handshake.
#[derive(Debug, Default)]
pub(super) struct Secured {
    pub(super) sni: Option<Arc<str>>,
    pub(super) version: Option<&'static str>,
    pub(super) certificate: Option<CertificateFacts>,
    /// What the client has shown; none where it was asked for nothing.
    pub(super) shown: Option<Box<ShownCertificate>>,
}

/// Why there is no connection to be served.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandshakeError {
    #[error("tls: {0}")]
    Failed(String),
    /// The client offers other protocols by ALPN than the listener speaks: one of the two is set up wrong.
    #[error("tls: {0}")]
    NoProtocol(String),
    #[error("tls handshake not done in time")]
    TimedOut,
}

/// A handshake that failed. The socket is there if something may still come that has to be taken before it is closed.
struct Failed {
    error: io::Error,
    socket: Option<Socket>,
}

/// The stream to serve: `socket` itself on a plain listener.
///
/// # Errors
/// [`HandshakeError`]. The client has been told by an alert, where there was one to send.
pub(super) async fn secure(
    metrics: &Metrics,
    settings: &ListenerSettings,
    socket: Socket,
) -> Result<(Stream, Secured), HandshakeError> {
    let Some(handshakes) = &settings.tls else { return Ok((Stream::Plain(socket), Secured::default())) };
    match tokio::time::timeout(settings.http.head_timeout, accept(handshakes, socket)).await {
        Ok(Ok((stream, rules))) => {
            metrics.increment(Counter::HandshakeOk);
            let connection = stream.get_ref().1;
            let version = match connection.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => Some("1.3"),
                Some(ProtocolVersion::TLSv1_2) => Some("1.2"),
                _ => None,
            };
            let certificate = connection.peer_certificates().and_then(<[_]>::first).map(|certificate| {
                let certificate = certificate.clone().into_owned();
                CertificateFacts::new(move || tls::shown(&certificate))
            });
            let chain = || connection.peer_certificates().into_iter().flatten().map(|one| one.clone().into_owned());
            let shown = rules.ask().then(|| Box::new(ShownCertificate::new(rules, chain().collect())));
            let secured = Secured { sni: connection.server_name().map(Into::into), version, certificate, shown };
            Ok((Stream::Tls(Box::new(stream.into())), secured))
        }
        Ok(Err(Failed { error, socket })) => {
            metrics.increment(Counter::HandshakeFailed);
            if let Some(socket) = socket {
                // The alert says why, and a client of TLS 1.3 may have sent its first request behind what is refused.
                // Boxed: it is rare.
                let lingered = Box::pin(http::linger(socket.into(), &settings.http)).await;
                count_crowded(metrics, &lingered);
            }
            let why = tls::explain(&error, HandshakePeer::Client);
            Err(match tls::has_no_protocol(&error) {
                true => HandshakeError::NoProtocol(why),
                false => HandshakeError::Failed(why),
            })
        }
        Err(_elapsed) => {
            metrics.increment(Counter::HandshakeTimedOut);
            Err(HandshakeError::TimedOut)
        }
    }
}

pub(super) fn count_crowded<T>(metrics: &Metrics, served: &Result<T, http::ServeError>) {
    if let Err(http::ServeError::Crowded) = served {
        metrics.increment(Counter::ConnectionCrowded);
    }
}

async fn accept(handshakes: &Handshakes, socket: Socket) -> Result<(TlsStream<Socket>, CertificateRules), Failed> {
    match handshakes {
        Handshakes::Alike(acceptor, rules) => {
            let accepted = acceptor.accept(socket).into_fallible().await;
            let stream = accepted.map_err(|(error, socket)| Failed { error, socket: Some(socket) })?;
            Ok((stream, rules.clone()))
        }
        // Boxed: few listeners have it.
        Handshakes::ByName(names) => Box::pin(accept_by_name(names, socket)).await,
    }
}

/// The server name says what the client is asked for, so it is read before anything is.
async fn accept_by_name(
    names: &ServerNames<RuledConfig>,
    socket: Socket,
) -> Result<(TlsStream<Socket>, CertificateRules), Failed> {
    let mut hello = LazyConfigAcceptor::new(Acceptor::default(), socket);
    let begun = match (&mut hello).await {
        Ok(begun) => begun,
        Err(error) => return Err(Failed { error, socket: hello.take_io() }),
    };
    let RuledConfig { rules, config } = names.pick(begun.client_hello().server_name()).clone();
    let accepted = begun.into_stream(config).into_fallible().await;
    let stream = accepted.map_err(|(error, socket)| Failed { error, socket: Some(socket) })?;
    Ok((stream, rules))
}
