//! TLS towards endpoints.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedProtocolVersion};
use rustls_platform_verifier::Verifier;

use super::certificate::{Identity, Roots, read_roots};
use super::error::TlsError;
use super::known::Known;
use super::pinned::Pinned;
use super::unverified::Unverified;
use super::{Built, provider};
use crate::config::{ClientTls, ClusterProtocol, Verify};
use crate::net::Authority;

const VERSIONS: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

/// Sessions that a cluster remembers, to resume instead of a full handshake.
const SESSIONS: usize = 256;

/// The roots of the platform, read when the first cluster needs them and shared by all that do.
///
/// One for each generation: a cluster that is made anew sees what was added to the system since.
#[derive(Debug, Default)]
pub struct PlatformRoots {
    verifier: OnceLock<Arc<Verifier>>,
}

impl PlatformRoots {
    fn verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
        if let Some(verifier) = self.verifier.get() {
            return Ok(Arc::<Verifier>::clone(verifier));
        }
        let made = Verifier::new(provider()).map_err(|source| TlsError::NoPlatformRoots { source })?;
        Ok(Arc::<Verifier>::clone(self.verifier.get_or_init(|| Arc::new(made))))
    }
}

/// Reads the files of a cluster and makes its configuration. For clusters with a TLS endpoint only: the others need no
/// roots. `endpoints` are those of the cluster, for warnings; `protocol` is what they are offered by ALPN (RFC 7301).
///
/// # Errors
/// [`TlsError`] for the first file that cannot be used, or a platform without roots.
pub fn client_config(
    tls: &ClientTls,
    endpoints: &[Authority],
    platform: &PlatformRoots,
    protocol: ClusterProtocol,
) -> Result<Built<Arc<ClientConfig>>, TlsError> {
    let mut warnings = Vec::new();
    let verifier = verifier(tls, endpoints, platform, &mut warnings)?;
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)
        .map_err(|source| TlsError::Setup { source })?
        // Called dangerous because a verifier may be anything; ours are the library's own, or the one that was asked
        // for.
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &tls.identity {
        Some(files) => {
            let identity = Identity::read(files)?;
            warnings.extend(identity.warnings);
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.value.key)))
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = offered(protocol).iter().map(|name| name.to_vec()).collect();
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    config.enable_early_data = false;
    Ok(Built { value: Arc::new(config), warnings })
}

/// What endpoints are offered, the first rather than the second.
fn offered(protocol: ClusterProtocol) -> &'static [&'static [u8]] {
    match protocol {
        ClusterProtocol::Http1 => &[b"http/1.1"],
        ClusterProtocol::Http2 => &[b"h2"],
        ClusterProtocol::Negotiated => &[b"h2", b"http/1.1"],
    }
}

/// The name that an endpoint is asked for and checked against: the configured one, else its host.
///
/// # Errors
/// [`TlsError::BadName`] if that is neither a DNS name nor an address.
pub fn server_name(tls: &ClientTls, endpoint: &Authority) -> Result<ServerName<'static>, TlsError> {
    let name = tls.server_name.as_deref().unwrap_or_else(|| endpoint.bare_host());
    ServerName::try_from(name.to_owned()).map_err(|_| TlsError::BadName { name: name.to_owned() })
}

fn verifier(
    tls: &ClientTls,
    endpoints: &[Authority],
    platform: &PlatformRoots,
    warnings: &mut Vec<String>,
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let certificate = match (tls.verify, &tls.ca) {
        (Verify::None, _) => None,
        (Verify::Full, None) => Some(platform.verifier()?),
        (Verify::Full, Some(file)) => {
            let roots = read_roots(file)?;
            warnings.extend(roots.warnings);
            Some(verifier_of(file, roots.value, &asked_for(tls, endpoints), warnings)?)
        }
    };
    Ok(match certificate {
        certificate if !tls.pins.is_empty() => Arc::new(Pinned::new(tls.pins.clone(), certificate)),
        Some(certificate) => certificate,
        None => Arc::new(Unverified::new(&provider())),
    })
}

/// Trusts what is in `file`: as authorities, and as they are.
fn verifier_of(
    file: &Path,
    roots: Roots,
    names: &BTreeSet<String>,
    warnings: &mut Vec<String>,
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let before = warnings.len();
    warnings.extend(names.iter().filter_map(|name| Some(roots.flaw_of(name)?.explain(name))));
    let others = WebPkiServerVerifier::builder_with_provider(Arc::new(roots.store), provider())
        .build()
        .map_err(|source| TlsError::Verifier { file: file.to_owned(), source })?;
    let known = Known::<dyn ServerCertVerifier>::new(roots.certificates, others);
    Ok(Arc::new(if warnings.len() > before { known.has_warned() } else { known }))
}

/// Names that endpoints are asked for, each once.
fn asked_for(tls: &ClientTls, endpoints: &[Authority]) -> BTreeSet<String> {
    let name = |endpoint| server_name(tls, endpoint).ok().map(|name| name.to_str().into_owned());
    endpoints.iter().filter_map(name).collect()
}
