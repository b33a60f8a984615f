//! Certificates and keys from PEM files.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, InconsistentKeys, OtherError, RootCertStore};

use super::error::TlsError;
use super::{Built, provider};
use crate::config::CertificateFiles;
use crate::files;
use crate::telemetry::date::Day;

/// A certificate that ends sooner than this deserves a warning.
const SOON: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A chain and the key that belongs to it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// What a handshake shows and signs with.
    pub key: Arc<CertifiedKey>,
    /// Names that the certificate is for, wildcards as written.
    pub names: Vec<String>,
    /// When it starts to be valid.
    pub not_before: Option<SystemTime>,
    /// When it stops to be valid.
    pub not_after: Option<SystemTime>,
}

impl Identity {
    /// Reads both files and checks that they belong together.
    ///
    /// # Errors
    /// [`TlsError`] with the file, what is wrong with it, and a hint.
    pub fn read(files: &CertificateFiles) -> Result<Built<Self>, TlsError> {
        let chain = read_certificates(&files.certificate)?;
        let key = read_key(&files.key)?;
        let bad = |position, source| TlsError::BadCertificate { file: files.certificate.clone(), position, source };
        for (index, certificate) in chain.iter().enumerate() {
            ParsedCertificate::try_from(certificate).map_err(|source| bad(index.saturating_add(1), source))?;
        }
        let signing = provider()
            .key_provider
            .load_private_key(key)
            .map_err(|source| TlsError::BadKey { file: files.key.clone(), source })?;
        let key = CertifiedKey::new(chain, signing);
        match key.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(_) => {
                let (certificate, key) = (files.certificate.clone(), files.key.clone());
                return Err(TlsError::Mismatch { certificate, key });
            }
        }
        let leaf = key.end_entity_cert().and_then(ParsedCertificate::try_from).map_err(|source| bad(1, source))?;
        let identity = Self {
            names: names(&leaf),
            not_before: not_before(&leaf),
            not_after: not_after(&leaf),
            key: Arc::new(key),
        };
        let dates = identity.date_warning(&files.certificate, SystemTime::now());
        let warnings = dates.into_iter().chain(permission_warning(&files.key)).collect();
        Ok(Built { value: identity, warnings })
    }

    /// Whether clients that ask for `name` will take the certificate. A wildcard asks for a name of its kind.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        let asked = name.replacen('*', "any", 1);
        let leaf = self.key.end_entity_cert().and_then(ParsedCertificate::try_from);
        match (leaf, ServerName::try_from(asked)) {
            (Ok(leaf), Ok(asked)) => verify_server_name(&leaf, &asked).is_ok(),
            _ => false,
        }
    }

    fn date_warning(&self, file: &Path, now: SystemTime) -> Option<String> {
        let file = file.display();
        match (self.not_before, self.not_after) {
            (_, Some(end)) if end < now => {
                Some(format!("the certificate in {file} expired on {}: clients will refuse it", Day(end)))
            }
            (Some(start), _) if start > now => {
                Some(format!("the certificate in {file} is not valid before {}: clients will refuse it", Day(start)))
            }
            (_, Some(end)) if end.duration_since(now).is_ok_and(|left| left < SOON) => {
                Some(format!("the certificate in {file} expires on {}", Day(end)))
            }
            _ => None,
        }
    }
}

/// Certificates to trust.
#[derive(Debug)]
pub(super) struct Roots {
    /// As authorities.
    pub(super) store: RootCertStore,
    /// The same as they are in the file, in the same order.
    pub(super) certificates: Vec<CertificateDer<'static>>,
}

impl Roots {
    /// What is wrong with the certificate of a host itself, if it is here: one whose subject is its name.
    pub(super) fn flaw_of(&self, host: &str) -> Option<Flaw> {
        // How a short text begins in DER: with its length.
        let length = u8::try_from(host.len()).ok()?;
        let value = [&[length], host.to_ascii_lowercase().as_bytes()].concat();
        self.store.roots.iter().zip(&self.certificates).find_map(|(root, certificate)| {
            memchr::memmem::find(&root.subject.to_ascii_lowercase(), &value)?;
            match ParsedCertificate::try_from(certificate) {
                Ok(leaf) if names(&leaf).is_empty() => Some(Flaw::Nameless),
                Ok(_) => None,
                Err(_) => Some(Flaw::Unreadable),
            }
        })
    }
}

/// What keeps a certificate from being checked as a host's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// There is no name in it to check.
    Nameless,
    /// It can only be read as an authority's: X.509 version 1 (`openssl x509 -req -signkey`), mostly.
    Unreadable,
}

impl Flaw {
    /// What to say of it, and what to do.
    pub(super) fn explain(self, host: &str) -> String {
        let kind = if host.parse::<std::net::IpAddr>().is_ok() { "IP" } else { "DNS" };
        let flaw = match self {
            Self::Nameless => "has no subjectAltName, so that no name is checked",
            Self::Unreadable => "is refused where the endpoint shows it: is it of X.509 version 1?",
        };
        format!(
            "the certificate of {host} in `ca` {flaw}; make a better one: openssl req -x509 -newkey rsa:2048 -nodes \
             -days 365 -keyout key.pem -out cert.pem -subj /CN={host} -addext subjectAltName={kind}:{host}"
        )
    }
}

/// Certificates to trust. Those that cannot be parsed are left out, with a warning.
pub(super) fn read_roots(file: &Path) -> Result<Built<Roots>, TlsError> {
    let mut roots = Roots { store: RootCertStore::empty(), certificates: Vec::new() };
    let mut first_error = None;
    let mut ignored = 0_usize;
    for (index, certificate) in read_certificates(file)?.into_iter().enumerate() {
        if let Err(source) = roots.store.add(certificate.clone()) {
            ignored = ignored.saturating_add(1);
            let position = index.saturating_add(1);
            first_error.get_or_insert(TlsError::BadCertificate { file: file.to_owned(), position, source });
        } else {
            roots.certificates.push(certificate);
        }
    }
    match first_error {
        Some(error) if roots.store.is_empty() => Err(error),
        Some(_) => {
            let warning = format!("{ignored} certificates in {} cannot be used and are left out", file.display());
            Ok(Built { value: roots, warnings: vec![warning] })
        }
        None => Ok(Built { value: roots, warnings: Vec::new() }),
    }
}

fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(file)?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|source| TlsError::Pem { file: file.to_owned(), source })?;
    if certificates.is_empty() {
        let holds_key = contains(&pem, "PRIVATE KEY-----");
        return Err(TlsError::NoCertificate { file: file.to_owned(), holds_key });
    }
    Ok(certificates)
}

fn read_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = read(file)?;
    // PKCS#8 says it in the block's name, the older formats in a header inside the block.
    if contains(&pem, "BEGIN ENCRYPTED PRIVATE KEY") || contains(&pem, "Proc-Type: 4,ENCRYPTED") {
        return Err(TlsError::EncryptedKey { file: file.to_owned() });
    }
    let key = PrivateKeyDer::pem_slice_iter(&pem).next().transpose();
    key.map_err(|source| TlsError::Pem { file: file.to_owned(), source })?.ok_or_else(|| TlsError::NoKey {
        file: file.to_owned(),
        holds_certificate: contains(&pem, "BEGIN CERTIFICATE"),
    })
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    let bytes =
        files::read(file, files::limit::PEM).map_err(|source| TlsError::Read { file: file.to_owned(), source })?;
    if bytes.trim_ascii().is_empty() {
        return Err(TlsError::Empty { file: file.to_owned() });
    }
    // An ASN.1 sequence with a long length: how every certificate and key begins.
    if bytes.starts_with(&[0x30, 0x82]) {
        return Err(TlsError::Der { file: file.to_owned() });
    }
    Ok(bytes)
}

fn contains(text: &[u8], part: &str) -> bool {
    memchr::memmem::find(text, part.as_bytes()).is_some()
}

/// The hosts and addresses that a certificate is for. The parser shows names only to say that another is not among
/// them.
pub(super) fn names(leaf: &ParsedCertificate<'_>) -> Vec<String> {
    let Ok(nobody) = ServerName::try_from("nobody.invalid") else { return Vec::new() };
    match verify_server_name(leaf, &nobody) {
        Err(rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. })) => {
            let known = |name: &&String| name.starts_with("DnsName") || name.starts_with("IpAddress");
            presented.iter().filter(known).map(|name| bare(name).to_owned()).collect()
        }
        _ => Vec::new(),
    }
}

/// A name as the parser presents it, `DnsName("example.com")`, without its wrapping.
pub(super) fn bare(presented: &str) -> &str {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(presented);
    inner.trim_matches('"')
}

/// The same for dates: at the end of all time every certificate has expired, and the error says since when.
fn not_after(leaf: &ParsedCertificate<'_>) -> Option<SystemTime> {
    match judge(leaf, UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX))) {
        Some(CertificateError::ExpiredContext { not_after, .. }) => system_time(not_after),
        _ => None,
    }
}

fn not_before(leaf: &ParsedCertificate<'_>) -> Option<SystemTime> {
    match judge(leaf, UnixTime::since_unix_epoch(Duration::ZERO)) {
        Some(CertificateError::NotValidYetContext { not_before, .. }) => system_time(not_before),
        _ => None,
    }
}

/// Whether a certificate is valid at `now`, whoever signed it and whatever for.
///
/// # Errors
/// That it is not, and until or since when.
pub(super) fn check_dates(leaf: &ParsedCertificate<'_>, now: UnixTime) -> Result<(), rustls::Error> {
    match judge(leaf, now) {
        // Dates are looked at first: who finds fault with anything else has found them right.
        Some(
            CertificateError::UnknownIssuer
            | CertificateError::InvalidPurpose
            | CertificateError::InvalidPurposeContext { .. },
        ) => Ok(()),
        Some(CertificateError::Other(other)) if is_of_authority(&other) => Ok(()),
        Some(error) => Err(error.into()),
        None => Err(CertificateError::ApplicationVerificationFailure.into()),
    }
}

/// Whether this is the parser's refusal of an authority (CA:TRUE) that shows itself. The error's own type is not public
/// here.
pub(super) fn is_of_authority(error: &OtherError) -> bool {
    format!("{error:?}").contains("CaUsedAsEndEntity")
}

/// What is wrong with a certificate where no authority is trusted.
fn judge(leaf: &ParsedCertificate<'_>, now: UnixTime) -> Option<CertificateError> {
    let algorithms = provider().signature_verification_algorithms.all;
    match verify_server_cert_signed_by_trust_anchor(leaf, &RootCertStore::empty(), &[], now, algorithms) {
        Err(rustls::Error::InvalidCertificate(error)) => Some(error),
        _ => None,
    }
}

fn system_time(time: UnixTime) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs()))
}

#[cfg(unix)]
fn permission_warning(key: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;

    let mode = fs::metadata(key).ok()?.permissions().mode();
    (mode & 0o004 != 0)
        .then(|| format!("the private key in {0} can be read by everybody: chmod o-rwx {0}", key.display()))
}

#[cfg(not(unix))]
fn permission_warning(_key: &Path) -> Option<String> {
    None
}
