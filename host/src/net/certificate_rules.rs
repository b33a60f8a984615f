//! What clients are asked for about certificates, and what they have shown.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;

/// What the clients of a server name are asked for. Two are equal if they trust the same certificates and require one or
/// not, whichever generation they are of.
#[derive(Clone, Default)]
pub struct CertificateRules(Option<Arc<CertificateDemand>>);

struct CertificateDemand {
    /// Of all that makes it differ from others.
    digest: [u8; 32],
    verifier: Arc<dyn ClientCertVerifier>,
}

impl CertificateRules {
    /// A certificate is asked for that `verifier` judges; `digest` is of all by which it does.
    #[must_use]
    pub fn new(digest: [u8; 32], verifier: Arc<dyn ClientCertVerifier>) -> Self {
        Self(Some(Arc::new(CertificateDemand { digest, verifier })))
    }

    /// Whether anything is asked for.
    #[must_use]
    pub fn ask(&self) -> bool {
        self.0.is_some()
    }

    /// Whether a handshake with this `chain`, the client's own certificate first, would go through now.
    fn admit(&self, chain: &[CertificateDer<'_>]) -> bool {
        let Some(demand) = &self.0 else { return true };
        match chain.split_first() {
            Some((own, others)) => demand.verifier.verify_client_cert(own, others, UnixTime::now()).is_ok(),
            None => !demand.verifier.client_auth_mandatory(),
        }
    }
}

impl PartialEq for CertificateRules {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other) || one.digest == other.digest,
            (None, None) => true,
            _ => false,
        }
    }
}

impl Eq for CertificateRules {}

impl fmt::Debug for CertificateRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateRules").field("ask", &self.ask()).finish()
    }
}

/// What a client has shown in its handshake, and to whom.
#[derive(Debug, Default)]
pub struct ShownCertificate {
    rules: CertificateRules,
    chain: Vec<CertificateDer<'static>>,
    /// Other rules that it was held to last, and whether they admit it.
    judged: Mutex<Option<(CertificateRules, bool)>>,
}

impl ShownCertificate {
    /// This `chain`, the client's own certificate first, which was asked for by `rules`.
    #[must_use]
    pub fn new(rules: CertificateRules, chain: Vec<CertificateDer<'static>>) -> Self {
        Self { rules, chain, judged: Mutex::default() }
    }

    /// The client's own certificate, in DER; none if it has shown none.
    #[must_use]
    pub fn own(&self) -> Option<&[u8]> {
        self.chain.first().map(AsRef::as_ref)
    }

    /// Whether it would be enough for `rules`: those of its own handshake it has satisfied, others are asked once.
    #[must_use]
    pub fn satisfies(&self, rules: &CertificateRules) -> bool {
        if self.rules == *rules {
            return true;
        }
        let mut judged = self.judged.lock();
        if let Some((of, verdict)) = &*judged
            && of == rules
        {
            return *verdict;
        }
        let verdict = rules.admit(&self.chain);
        *judged = Some((rules.clone(), verdict));
        verdict
    }
}
