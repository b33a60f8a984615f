//! Why a TLS configuration cannot be used, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem;

use crate::files::ReadError;

/// A certificate, key or setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The file cannot be read.
    #[error("cannot read {}", file.display())]
    Read {
        /// As configured.
        file: PathBuf,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// Nothing in it, perhaps because it is being written.
    #[error("{} is empty", file.display())]
    Empty {
        /// As configured.
        file: PathBuf,
    },
    /// Binary where text was expected.
    #[error("{} is not PEM, it looks like DER", file.display())]
    Der {
        /// As configured.
        file: PathBuf,
    },
    /// A PEM block is broken.
    #[error("{} is not valid PEM", file.display())]
    Pem {
        /// As configured.
        file: PathBuf,
        /// Where it breaks.
        #[source]
        source: pem::Error,
    },
    /// No certificate where one was expected.
    #[error("no certificate in {}", file.display())]
    NoCertificate {
        /// As configured.
        file: PathBuf,
        /// Whether there is a key instead.
        holds_key: bool,
    },
    /// A certificate cannot be parsed.
    #[error("certificate {position} in {} cannot be used", file.display())]
    BadCertificate {
        /// As configured.
        file: PathBuf,
        /// From 1.
        position: usize,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// No key where one was expected.
    #[error("no private key in {}", file.display())]
    NoKey {
        /// As configured.
        file: PathBuf,
        /// Whether there is a certificate instead.
        holds_certificate: bool,
    },
    /// The key needs a passphrase.
    #[error("the private key in {} is encrypted", file.display())]
    EncryptedKey {
        /// As configured.
        file: PathBuf,
    },
    /// The key is of a kind that cannot be used.
    #[error("the private key in {} cannot be used", file.display())]
    BadKey {
        /// As configured.
        file: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// Certificate and key do not belong together.
    #[error("the private key in {} does not match the certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// As configured.
        certificate: PathBuf,
        /// As configured.
        key: PathBuf,
    },
    /// Two certificates for one name: neither can be preferred.
    #[error("server name `{name}` has two certificates: {} and {}", first.display(), second.display())]
    DuplicateName {
        /// The name.
        name: String,
        /// The certificate that has it.
        first: PathBuf,
        /// The certificate that wants it too.
        second: PathBuf,
    },
    /// Not a name that a certificate can have.
    #[error("`{name}` is not a server name")]
    BadName {
        /// As configured.
        name: String,
    },
    /// The system has no roots to check an endpoint's certificate with.
    #[error("this system has no certificate authorities to check endpoints with")]
    NoPlatformRoots {
        /// What the platform said.
        #[source]
        source: rustls::Error,
    },
    /// The library refuses the combination.
    #[error("tls cannot be set up")]
    Setup {
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// The library refuses the verifier.
    #[error("certificates cannot be checked with {}", file.display())]
    Verifier {
        /// As configured.
        file: PathBuf,
        /// Why.
        #[source]
        source: rustls::server::VerifierBuilderError,
    },
}

impl TlsError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Read { source, .. } if source.kind() == Some(io::ErrorKind::NotFound) => {
                "relative paths are relative to the configuration file".to_owned()
            }
            Self::Read { source, .. } if source.kind() == Some(io::ErrorKind::PermissionDenied) => {
                "let the user that the gateway runs as read it".to_owned()
            }
            Self::Empty { .. } => "is it still being written? write to another name, then rename".to_owned(),
            Self::Der { file } => {
                format!("convert it: openssl x509 -inform der -in {0} -out {0}.pem", file.display())
            }
            Self::Pem { .. } => "a block begins with -----BEGIN …----- and ends with -----END …-----".to_owned(),
            Self::NoCertificate { holds_key: true, .. } | Self::NoKey { holds_certificate: true, .. } => {
                "are `certificate` and `key` swapped?".to_owned()
            }
            Self::NoCertificate { .. } => "expected -----BEGIN CERTIFICATE-----".to_owned(),
            Self::NoKey { .. } => "expected -----BEGIN PRIVATE KEY-----".to_owned(),
            Self::BadCertificate { .. } => "look at it: openssl x509 -text -noout -in FILE".to_owned(),
            Self::EncryptedKey { file } => format!(
                "take the passphrase off, and protect the file instead: openssl pkey -in {} -out key.pem",
                file.display()
            ),
            Self::BadKey { .. } => "RSA of 2048 bits or more, ECDSA P-256/P-384/P-521 and Ed25519 work".to_owned(),
            Self::Mismatch { .. } => {
                "the certificate of the server comes first in its file, before those that signed it".to_owned()
            }
            Self::DuplicateName { .. } => "leave the name with one of them".to_owned(),
            Self::BadName { .. } => "a name is like example.com or *.example.com".to_owned(),
            Self::NoPlatformRoots { .. } => {
                "install the package ca-certificates, or set `ca` in the cluster's `tls`".to_owned()
            }
            Self::Read { .. } | Self::Setup { .. } | Self::Verifier { .. } => return None,
        })
    }

    /// The file it is about.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Read { file, .. }
            | Self::Empty { file }
            | Self::Der { file }
            | Self::Pem { file, .. }
            | Self::NoCertificate { file, .. }
            | Self::BadCertificate { file, .. }
            | Self::NoKey { file, .. }
            | Self::EncryptedKey { file }
            | Self::BadKey { file, .. }
            | Self::Verifier { file, .. } => Some(file),
            Self::Mismatch { key, .. } => Some(key),
            Self::DuplicateName { second, .. } => Some(second),
            Self::BadName { .. } | Self::NoPlatformRoots { .. } | Self::Setup { .. } => None,
        }
    }
}
