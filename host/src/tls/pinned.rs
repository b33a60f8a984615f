//! `pin`: the endpoint must have one of these public keys.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use super::provider;
use crate::config::Pin;

/// Checks the key of an endpoint beside its certificate (as curl's `--pinnedpubkey`), or instead of it. The endpoint
/// always has to prove that it holds the key: anybody can show the certificate.
#[derive(Debug)]
pub(super) struct Pinned {
    pins: Vec<Pin>,
    /// Who judges the certificate; none with `verify = "none"`.
    certificate: Option<Arc<dyn ServerCertVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

/// The endpoint has another key.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("its public key is {found}, which `pin` does not name")]
pub(super) struct WrongKey {
    /// That of the certificate that was shown.
    pub(super) found: Pin,
}

impl Pinned {
    pub(super) fn new(pins: Vec<Pin>, certificate: Option<Arc<dyn ServerCertVerifier>>) -> Self {
        Self { pins, certificate, algorithms: provider().signature_verification_algorithms }
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(certificate) = &self.certificate {
            certificate.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        }
        let found = Pin::of(&ParsedCertificate::try_from(end_entity)?.subject_public_key_info());
        if self.pins.contains(&found) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::Other(OtherError(Arc::new(WrongKey { found }))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
