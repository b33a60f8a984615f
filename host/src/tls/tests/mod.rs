//! Real handshakes over an in-memory pipe, with certificates made on the spot.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::NamedGroup;
use rustls::pki_types::ServerName;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::*;
use crate::config::{
    CertificateFiles, CipherOrder, ClientCertificate, ClientTls, ClusterProtocol, NamedTls, ServerTls, Verify,
};

mod files;
mod handshakes;
mod trust;

/// A folder with an authority and what it signs.
pub(super) struct Authority {
    pub(super) folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Self {
        Self::named("tidegate test")
    }

    pub(super) fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let made = Self { folder: tempfile::tempdir().unwrap(), issuer: Issuer::new(params, key) };
        fs::write(made.ca(), certificate.pem()).unwrap();
        made
    }

    pub(super) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub(super) fn sign(&self, file: &str, names: &[&str]) -> CertificateFiles {
        self.sign_with(file, names, |_| {})
    }

    pub(super) fn sign_with(
        &self,
        file: &str,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> CertificateFiles {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        self.write(file, &params.signed_by(&key, &self.issuer).unwrap(), &key)
    }

    pub(super) fn write(&self, file: &str, certificate: &Certificate, key: &KeyPair) -> CertificateFiles {
        let path = |end| self.folder.path().join(format!("{file}.{end}"));
        let files = CertificateFiles { certificate: path("crt"), key: path("key") };
        fs::write(&files.certificate, certificate.pem()).unwrap();
        private(&files.key, &key.serialize_pem());
        files
    }
}

fn private(path: &PathBuf, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

pub(super) fn server_tls(default: CertificateFiles) -> ServerTls {
    ServerTls { default, by_name: Vec::new(), allow_tls12: true, cipher_order: CipherOrder::Client, client_ca: None }
}

pub(super) fn named(names: Vec<String>, certificate: CertificateFiles) -> NamedTls {
    NamedTls { names, certificate, client_ca: None }
}

pub(super) fn trusting(authority: &Authority) -> ClientTls {
    ClientTls { ca: Some(authority.ca()), verify: Verify::Full, pins: Vec::new(), server_name: None, identity: None }
}

/// The name of HTTP/1.1 in ALPN (RFC 7301 §6).
pub(super) const HTTP1: &[u8] = b"http/1.1";

pub(super) type Met = (io::Result<client::TlsStream<DuplexStream>>, io::Result<server::TlsStream<DuplexStream>>);

pub(super) async fn meet(server: &ServerTls, client: &ClientTls, name: &str) -> Met {
    let server = server_config(server, &Tickets::default(), &[b"h2", HTTP1]).unwrap().value;
    let client = client_config(client, &[], &PlatformRoots::default(), ClusterProtocol::Http1).unwrap().value;
    shake(server, client, name).await
}

pub(super) async fn shake(server: Arc<rustls::ServerConfig>, client: Arc<rustls::ClientConfig>, name: &str) -> Met {
    let (near, far) = duplex(64 << 10);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    tokio::join!(TlsConnector::from(client).connect(name, near), TlsAcceptor::from(server).accept(far))
}
