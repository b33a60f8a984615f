//! What deciders may know of the connection that a request came by.

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Of a client's connection, the same for all its requests.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArrivalFacts {
    /// Name of its listener, if it has one.
    pub listener: Option<String>,
    /// The client's certificate, if one was shown and has been checked.
    pub certificate: Option<CertificateFacts>,
}

/// A client's certificate, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateText {
    /// Its subject (RFC 4514).
    pub subject: String,
    /// SHA-256 of it, in hex.
    pub fingerprint: String,
}

/// A [`CertificateText`] that is read when somebody first asks for it: nearly nobody does.
pub struct CertificateFacts(LazyLock<CertificateText, Box<dyn FnOnce() -> CertificateText + Send>>);

impl CertificateFacts {
    /// One that `read` reads.
    pub fn new(read: impl FnOnce() -> CertificateText + Send + 'static) -> Self {
        Self(LazyLock::new(Box::new(read)))
    }

    /// The certificate in words.
    #[must_use]
    pub fn shown(&self) -> &CertificateText {
        &self.0
    }
}

impl fmt::Debug for CertificateFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(f)
    }
}

impl PartialEq for CertificateFacts {
    fn eq(&self, other: &Self) -> bool {
        self.shown() == other.shown()
    }
}

impl Serialize for CertificateFacts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CertificateFacts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CertificateText::deserialize(deserializer).map(|shown| Self::new(|| shown))
    }
}
