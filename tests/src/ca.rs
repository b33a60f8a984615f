//! An authority for tests, and the certificates it signs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, ServerConfig};
use tokio_rustls::TlsConnector;

use crate::{BoxedIo, Io, within};

/// A certificate authority that nobody else trusts.
pub struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, both PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl Ca {
    /// A new authority.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "two are never the same")]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "tidegate test authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer }
    }

    /// A certificate for `names`: DNS names or addresses.
    #[must_use]
    pub fn issue(&self, names: &[&str]) -> Identity {
        self.issue_until(names, 4096)
    }

    /// The same, valid until that year begins.
    #[must_use]
    pub fn issue_until(&self, names: &[&str], year: i32) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.is_ca = IsCa::ExplicitNoCa;
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// A certificate for `names` that signs itself, as `openssl req -x509 -subj /CN=localhost` makes it: CA:TRUE.
    #[must_use]
    pub fn own(names: &[&str]) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// Its own certificate, PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A client that trusts this authority and nobody else.
    #[must_use]
    pub fn client_config(&self) -> Arc<ClientConfig> {
        Arc::new(self.client_builder().with_no_client_auth())
    }

    /// The same, with a certificate to show.
    ///
    /// # Panics
    /// If `identity` is not what it should be.
    #[must_use]
    pub fn client_config_as(&self, identity: &Identity) -> Arc<ClientConfig> {
        let chain = vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
        Arc::new(self.client_builder().with_client_auth_cert(chain, key).unwrap())
    }

    fn client_builder(&self) -> ConfigBuilder<ClientConfig, WantsClientCert> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem().as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(provider());
        builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots)
    }
}

impl Ca {
    /// A connection to `name` over `stream`, as a client that trusts this authority and offers `versions` (ALPN), and
    /// which of them was chosen.
    ///
    /// # Errors
    /// If the handshake fails.
    ///
    /// # Panics
    /// If `name` is none.
    pub async fn connect(
        &self,
        versions: &[&str],
        name: &str,
        stream: impl Io + 'static,
    ) -> std::io::Result<(BoxedIo, Option<String>)> {
        secure(&self.client_config(), versions, name, stream).await
    }
}

/// A TLS client on `stream`, and the version that ALPN has chosen.
pub(crate) async fn secure(
    config: &ClientConfig,
    versions: &[&str],
    name: &str,
    stream: impl Io + 'static,
) -> std::io::Result<(BoxedIo, Option<String>)> {
    let mut config = config.clone();
    config.alpn_protocols = versions.iter().map(|version| version.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = within("a handshake", TlsConnector::from(Arc::new(config)).connect(name, stream)).await?;
    let chosen = stream.get_ref().1.alpn_protocol().map(|chosen| String::from_utf8_lossy(chosen).into_owned());
    Ok((Box::new(stream), chosen))
}

impl Identity {
    /// The pin of its key, as `tls.pin` of a cluster takes it.
    ///
    /// # Panics
    /// If it is not what it should be.
    #[must_use]
    pub fn pin(&self) -> String {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap();
        let parsed = ParsedCertificate::try_from(&certificate).unwrap();
        tidegate::config::Pin::of(&parsed.subject_public_key_info()).to_string()
    }

    /// Writes `NAME.pem` and `NAME-key.pem` into `folder`, and returns their paths.
    ///
    /// # Panics
    /// If they cannot be written.
    #[must_use]
    pub fn write(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let (certificate, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}-key.pem")));
        std::fs::write(&certificate, &self.certificate).unwrap();
        std::fs::write(&key, &self.key).unwrap();
        (certificate, key)
    }

    /// A server with this identity that speaks `versions` (ALPN); none: it does not say.
    pub(crate) fn server_config(&self, versions: &[&[u8]]) -> Arc<ServerConfig> {
        let chain = vec![CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = versions.iter().map(|version| version.to_vec()).collect();
        Arc::new(config)
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
