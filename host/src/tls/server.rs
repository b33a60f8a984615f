//! TLS towards clients.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, NoServerSessionStorage, ProducesTickets, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};

use super::certificate::{Identity, Roots, read_roots};
use super::error::TlsError;
use super::known::Known;
use super::{Built, provider};
use crate::config::{CertificateFiles, CipherOrder, ClientCertificate, NamedTls, ServerTls};
use crate::net::ServerNames;

const ALL_VERSIONS: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
const ONLY_TLS13: &[&SupportedProtocolVersion] = &[&TLS13];

/// Reads the files of a listener and makes its configuration, for the names whose clients are asked for what the listener
/// asks for: see [`server_configs`](super::server_configs). Clients are offered `protocols`, the best first (ALPN, RFC
/// 7301); one that has none of them is refused, and one that names none is not.
///
/// Session tickets come from `tickets`, so that clients resume across reloads. Nothing is kept per client: no session
/// cache, no early data (a replayed request could be sent to an endpoint twice). What rustls keeps for an idle
/// connection was measured at 8 KB, half of it the read buffer, which shrinks back after a large record.
///
/// # Errors
/// [`TlsError`] for the first file that cannot be used.
pub fn server_config(
    tls: &ServerTls,
    tickets: &Tickets,
    protocols: &[&[u8]],
) -> Result<Built<Arc<ServerConfig>>, TlsError> {
    let mut warnings = Vec::new();
    let resolver = ByName::read(tls, &mut warnings)?;
    let clients = Clients::read(tls.client_ca.as_ref(), &mut warnings)?;
    let versions = if tls.allow_tls12 { ALL_VERSIONS } else { ONLY_TLS13 };
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .map_err(|source| TlsError::Setup { source })?
        .with_client_cert_verifier(clients.verifier)
        .with_cert_resolver(Arc::new(resolver));
    config.ignore_client_order = tls.cipher_order == CipherOrder::Server;
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    config.ticketer = tickets.issuer(Scope::new(tls, clients.policy)).map_err(|source| TlsError::Setup { source })?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_early_data_size = 0;
    config.send_half_rtt_data = false;
    Ok(Built { value: Arc::new(config), warnings })
}

/// Keys of session tickets, kept over reloads for as long as a generation uses them.
///
/// A ticket stands for everything that was checked when it was issued: the client's certificate, and ours. Listeners
/// that show and ask for the same share keys, a renewed certificate included; everybody else, and a changed CA file,
/// gets new ones.
#[derive(Debug, Default)]
pub struct Tickets {
    issuers: Mutex<HashMap<Scope, Weak<dyn ProducesTickets>>>,
}

/// What must be equal for two configurations to take each other's tickets.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Scope {
    default: CertificateFiles,
    by_name: Vec<(Vec<String>, CertificateFiles)>,
    /// Of the names that the ticket is for: it opens none whose clients are asked for something else.
    clients: ClientPolicy,
}

impl Scope {
    fn new(tls: &ServerTls, clients: ClientPolicy) -> Self {
        let by_name = tls.by_name.iter().map(|named| (named.names.clone(), named.certificate.clone()));
        Self { default: tls.default.clone(), by_name: by_name.collect(), clients }
    }
}

/// What is asked of clients: the roots that their certificates must chain to, and whether they must show one.
pub(super) type ClientPolicy = Option<(Vec<Vec<u8>>, bool)>;

impl Tickets {
    fn issuer(&self, scope: Scope) -> Result<Arc<dyn ProducesTickets>, rustls::Error> {
        let mut issuers = self.issuers.lock();
        issuers.retain(|_, issuer| issuer.strong_count() > 0);
        if let Some(issuer) = issuers.get(&scope).and_then(Weak::upgrade) {
            return Ok(issuer);
        }
        let issuer = Ticketer::new()?;
        issuers.insert(scope, Arc::downgrade(&issuer));
        Ok(issuer)
    }
}

pub(super) struct Clients {
    pub(super) verifier: Arc<dyn ClientCertVerifier>,
    pub(super) policy: ClientPolicy,
}

impl Clients {
    pub(super) fn read(
        client_ca: Option<&(PathBuf, ClientCertificate)>,
        warnings: &mut Vec<String>,
    ) -> Result<Self, TlsError> {
        let Some((file, mode)) = client_ca else {
            return Ok(Self { verifier: WebPkiClientVerifier::no_client_auth(), policy: None });
        };
        let roots = read_roots(file)?;
        warnings.extend(roots.warnings);
        let required = *mode == ClientCertificate::Required;
        let Roots { store, certificates } = roots.value;
        let policy = Some((fingerprint(&certificates), required));
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider());
        let builder = if required { builder } else { builder.allow_unauthenticated() };
        let others = builder.build().map_err(|source| TlsError::Verifier { file: file.clone(), source })?;
        Ok(Self { verifier: Arc::new(Known::new(certificates, others)), policy })
    }
}

/// What tells one set of roots from another: each of them whole, for one may be shown itself.
fn fingerprint(certificates: &[CertificateDer<'_>]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = certificates.iter().map(|certificate| certificate.to_vec()).collect();
    all.sort();
    all
}

/// The certificate for each server name.
#[derive(Debug)]
struct ByName(ServerNames<Arc<CertifiedKey>>);

impl ByName {
    fn read(tls: &ServerTls, warnings: &mut Vec<String>) -> Result<Self, TlsError> {
        let default = Identity::read(&tls.default)?;
        warnings.extend(default.warnings);
        let mut names = ServerNames::new(default.value.key);
        let mut owners: HashMap<String, PathBuf> = HashMap::new();
        for named in &tls.by_name {
            let file = &named.certificate.certificate;
            let identity = Identity::read(&named.certificate)?;
            warnings.extend(identity.warnings);
            let identity = identity.value;
            for name in names_of(named, &identity) {
                if let Some(first) = owners.insert(name.clone(), file.clone()) {
                    return Err(TlsError::DuplicateName { name, first, second: file.clone() });
                }
                if ServerName::try_from(name.strip_prefix("*.").unwrap_or(&name)).is_err() {
                    return Err(TlsError::BadName { name });
                }
                names.insert(&name, Arc::clone(&identity.key));
                warnings.extend(uncovered(&identity, &name, file));
            }
        }
        Ok(Self(names))
    }
}

/// The names that `named` is about, in lower case. `identity` is its certificate.
pub(super) fn names_of(named: &NamedTls, identity: &Identity) -> Vec<String> {
    let names = if named.names.is_empty() { &identity.names } else { &named.names };
    names.iter().map(|name| name.to_ascii_lowercase()).collect()
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // The library has put the name into lower case.
        Some(Arc::clone(self.0.pick(hello.server_name())))
    }
}

fn uncovered(identity: &Identity, name: &str, file: &Path) -> Option<String> {
    (!identity.covers(name)).then(|| {
        let names = if identity.names.is_empty() { "no name at all".to_owned() } else { identity.names.join(", ") };
        format!("the certificate in {} is not for `{name}` but for {names}: clients will refuse it", file.display())
    })
}
