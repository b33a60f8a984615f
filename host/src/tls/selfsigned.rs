//! A certificate on the spot, for `tidegate demo`.

use std::fmt;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};

/// What the certificate is for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// No certificate could be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a certificate")]
pub struct SelfSignedError(#[from] rcgen::Error);

/// A certificate that signs itself, and its key, both PEM. It is no authority: trusting it trusts nothing else.
#[derive(Clone)]
pub struct SelfSigned {
    /// The certificate; give it to clients as their CA file.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

/// Makes one for `localhost`, `127.0.0.1` and `::1`.
///
/// # Errors
/// If the system has no randomness.
pub fn self_signed() -> Result<SelfSigned, SelfSignedError> {
    let mut params = CertificateParams::new(NAMES.map(str::to_owned))?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "tidegate demo");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(SelfSigned { certificate: certificate.pem(), key: key.serialize_pem() })
}

impl fmt::Debug for SelfSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelfSigned").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}
