//! Certificates that are in `ca` themselves.
//!
//! Who names a certificate there trusts that very certificate. The library takes what is in `ca` for authorities alone,
//! and refuses an authority that shows itself (RFC 5280 §4.2.1.9): but `openssl req -x509` makes nothing else
//! (CA:TRUE). Apache, nginx and HAProxy take such a certificate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::certificate::{Flaw, check_dates, names};

/// Takes a certificate that is one of `certificates`, byte for byte, if its dates and its name are right; `others`
/// judges all others, and every signature of a handshake.
#[derive(Debug)]
pub(super) struct Known<V: ?Sized> {
    certificates: Vec<CertificateDer<'static>>,
    others: Arc<V>,
    /// Whether it was said that a certificate has no name to check.
    has_warned: AtomicBool,
}

impl<V: ?Sized> Known<V> {
    pub(super) fn new(certificates: Vec<CertificateDer<'static>>, others: Arc<V>) -> Self {
        Self { certificates, others, has_warned: AtomicBool::new(false) }
    }

    /// Says no more of certificates without a name.
    pub(super) fn has_warned(self) -> Self {
        self.has_warned.store(true, Ordering::Relaxed);
        self
    }

    /// `shown` if it is one of the certificates, and valid now.
    fn find<'a>(&self, shown: &'a CertificateDer<'_>, now: UnixTime) -> Result<Option<ParsedCertificate<'a>>, Error> {
        if !self.certificates.iter().any(|known| known.as_ref() == shown.as_ref()) {
            return Ok(None);
        }
        let parsed = ParsedCertificate::try_from(shown)?;
        check_dates(&parsed, now)?;
        Ok(Some(parsed))
    }
}

/// What proves that the other side has the certificate's key: the same in both traits.
macro_rules! signatures_by_others {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            self.others.verify_tls12_signature(message, cert, dss)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            self.others.verify_tls13_signature(message, cert, dss)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.others.supported_verify_schemes()
        }
    };
}

impl ServerCertVerifier for Known<dyn ServerCertVerifier> {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(known) = self.find(end_entity, now)? else {
            return self.others.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        };
        if !names(&known).is_empty() {
            verify_server_name(&known, server_name)?;
        } else if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!("{}", Flaw::Nameless.explain(&server_name.to_str()));
        }
        Ok(ServerCertVerified::assertion())
    }

    signatures_by_others!();
}

impl ClientCertVerifier for Known<dyn ClientCertVerifier> {
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.find(end_entity, now)? {
            Some(_) => Ok(ClientCertVerified::assertion()),
            None => self.others.verify_client_cert(end_entity, intermediates, now),
        }
    }

    fn offer_client_auth(&self) -> bool {
        self.others.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.others.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.others.root_hint_subjects()
    }

    signatures_by_others!();
}
