//! Why a handshake failed, in words that lead to the remedy.

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible};

use super::certificate::{bare, is_of_authority};
use super::pinned::WrongKey;
use crate::telemetry::date::Day;

/// Who is at the other end of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakePeer {
    /// A client of a listener.
    Client,
    /// An endpoint of a cluster.
    Endpoint,
}

/// Says which check failed, and where to look. For the errors of a handshake, and of the first read after it: with TLS
/// 1.3 that is where a peer's refusal of our certificate shows.
#[must_use]
pub fn explain(error: &io::Error, peer: HandshakePeer) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error) => explain_tls(error, peer),
        None => match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
                format!("{} closed the connection during the tls handshake", peer.name())
            }
            io::ErrorKind::TimedOut => format!("{} did not finish the tls handshake in time", peer.name()),
            _ => format!("the connection broke during the tls handshake: {error}"),
        },
    }
}

/// Whether the peer refused the protocols that it was offered by ALPN (RFC 7301 §3.2).
#[must_use]
pub fn refuses_protocols(error: &io::Error) -> bool {
    let error = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    matches!(error, Some(Error::AlertReceived(AlertDescription::NoApplicationProtocol)))
}

/// Whether the peer offered none of the protocols that are spoken here, or chose none, by ALPN (RFC 7301 §3.2).
#[must_use]
pub fn has_no_protocol(error: &io::Error) -> bool {
    let error = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    matches!(error, Some(Error::NoApplicationProtocol))
}

fn explain_tls(error: &Error, peer: HandshakePeer) -> String {
    let name = peer.name();
    match error {
        Error::InvalidCertificate(error) => explain_certificate(error, peer),
        Error::NoCertificatesPresented => format!("{name} showed no certificate"),
        Error::AlertReceived(alert) => explain_alert(*alert, peer),
        Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            match peer {
                HandshakePeer::Endpoint => {
                    "the endpoint does not speak tls: is this https:// or wss:// to a plain port?".to_owned()
                }
                HandshakePeer::Client => {
                    "the client does not speak tls: does it use http:// or ws:// on this port?".to_owned()
                }
            }
        }
        Error::NoApplicationProtocol => match peer {
            HandshakePeer::Client => {
                "the client offers none of the protocols that are spoken here (ALPN): `protocol` of the listener says \
                 which"
                    .to_owned()
            }
            HandshakePeer::Endpoint => format!("{name} has chosen none of the protocols that it was offered (ALPN)"),
        },
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => format!("{name} speaks no tls version that is allowed here"),
        Error::PeerIncompatible(reason) => format!("{name} and the gateway have nothing in common: {reason:?}"),
        other => format!("tls with {name} failed: {other}"),
    }
}

fn explain_certificate(error: &CertificateError, peer: HandshakePeer) -> String {
    let whose = match peer {
        HandshakePeer::Client => "the client's certificate",
        HandshakePeer::Endpoint => "the endpoint's certificate",
    };
    let roots = match peer {
        HandshakePeer::Client => "the client CA file does not have its issuer",
        HandshakePeer::Endpoint => "name its issuer in `ca`, or let the endpoint send the intermediate certificates",
    };
    match error {
        CertificateError::UnknownIssuer => format!("{whose} is from an unknown issuer: {roots}"),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().map(|name| bare(name)).collect();
            let names = if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") };
            let asked = expected.to_str();
            format!("{whose} is for {names}, but {asked} was asked for: set `server_name` if that is intended")
        }
        CertificateError::NotValidForName => format!("{whose} is for another name"),
        CertificateError::ExpiredContext { not_after, .. } => format!("{whose} expired on {}", day(*not_after)),
        CertificateError::Expired => format!("{whose} has expired"),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("{whose} is not valid before {}: is the clock right?", day(*not_before))
        }
        CertificateError::NotValidYet => format!("{whose} is not valid yet: is the clock right?"),
        CertificateError::Revoked => format!("{whose} was revoked"),
        CertificateError::BadEncoding => format!("{whose} cannot be parsed"),
        CertificateError::BadSignature => {
            format!("{whose} has a wrong signature: was it signed by another issuer of the same name?")
        }
        // `openssl req -x509` makes these by default.
        CertificateError::Other(other) if is_of_authority(other) => {
            let file = if peer == HandshakePeer::Client { "client_ca" } else { "ca" };
            format!(
                "{whose} is that of an authority (CA:TRUE), and not one that is in `{file}` itself: put it there, or \
                 make one with basicConstraints=CA:FALSE"
            )
        }
        CertificateError::Other(other) if is_version_1(other) => {
            format!(
                "{whose} is an X.509 certificate of version 1, which has no names: make one of version 3, for example \
                 with openssl req -x509 and -addext subjectAltName=…"
            )
        }
        CertificateError::Other(OtherError(error)) if error.is::<WrongKey>() => {
            format!("{whose} was refused: {error}; is there a new key, or somebody in between?")
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            format!("{whose} is for another purpose (extendedKeyUsage)")
        }
        other => format!("{whose} was refused: {other}"),
    }
}

fn is_version_1(error: &OtherError) -> bool {
    format!("{error:?}").contains("UnsupportedCertVersion")
}

fn explain_alert(alert: AlertDescription, peer: HandshakePeer) -> String {
    let name = peer.name();
    match (alert, peer) {
        (AlertDescription::CertificateRequired, HandshakePeer::Endpoint) => {
            "the endpoint asks for a client certificate: set `certificate` and `key` in the cluster's `tls`".to_owned()
        }
        (AlertDescription::UnknownCA, _) => format!("{name} does not know the issuer of our certificate"),
        (AlertDescription::CertificateExpired, _) => format!("{name} says that our certificate has expired"),
        (AlertDescription::BadCertificate | AlertDescription::CertificateUnknown, _) => {
            format!("{name} does not accept our certificate")
        }
        (AlertDescription::UnrecognisedName, HandshakePeer::Endpoint) => {
            "the endpoint does not know the name that was asked for: set `server_name`".to_owned()
        }
        (AlertDescription::NoApplicationProtocol, HandshakePeer::Endpoint) => {
            "the endpoint speaks none of the protocols that it was offered by ALPN".to_owned()
        }
        (AlertDescription::NoApplicationProtocol, HandshakePeer::Client) => {
            format!("{name} speaks none of the protocols that were offered (ALPN)")
        }
        (AlertDescription::ProtocolVersion, _) => format!("{name} speaks no tls version that is allowed here"),
        (AlertDescription::HandshakeFailure, _) => format!("{name} found no cipher or key exchange in common"),
        (other, _) => format!("{name} ended the tls handshake: {other:?}"),
    }
}

impl HandshakePeer {
    fn name(self) -> &'static str {
        match self {
            Self::Client => "the client",
            Self::Endpoint => "the endpoint",
        }
    }
}

fn day(time: UnixTime) -> Day {
    Day(UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs())).unwrap_or(UNIX_EPOCH))
}
