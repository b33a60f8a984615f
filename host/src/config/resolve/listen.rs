//! `[[listen]]`

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::path::PathBuf;

use toml::Spanned;

use super::super::model::{
    CertificateFiles, CipherOrder, ClientCertificate, LimitsConfig, ListenerConfig, NamedTls, ServerTls,
};
use super::super::schema::{LimitsTable, ListenSection, MoreTable, ServerTlsTable, Text};
use super::tls_redirect::secured;
use super::{Resolver, defaults, url};

/// Characters of a listener's name.
const LONGEST_NAME: usize = 64;

impl Resolver<'_, '_> {
    pub(super) fn listeners(&mut self, written: &[Spanned<ListenSection>]) -> Vec<ListenerConfig> {
        if written.is_empty() {
            self.report.fault_of_file(
                "no [[listen]], expected at least one",
                "add [[listen]] with, for example, address = \"0.0.0.0:8080\"",
            );
        }
        let mut taken = BTreeMap::new();
        let (mut listeners, mut names) = (Vec::new(), BTreeMap::new());
        let secured = secured(written);
        for section in written {
            let section = section.get_ref();
            let tls = section.tls.as_ref().map(|tls| self.server_tls(tls));
            let half_close = section.half_close.unwrap_or(defaults::HALF_CLOSE);
            let protocol = self.listener_protocol(section.protocol.as_ref());
            let streams = self.streams(section.limits.streams.as_ref(), protocol);
            let limits = LimitsConfig { half_close, streams, ..self.limits(&section.limits) };
            let name = section.name.as_ref().and_then(|name| self.listener_name(name, &mut names));
            let Some(address) = self.address(&section.address) else { continue };
            let redirect_to_tls = section
                .redirect_to_tls
                .as_ref()
                .and_then(|asked| self.redirect_to_tls(asked, address, tls.as_ref(), &secured));
            let at = section.address.span();
            if let Some(line) = taken.get(&address).filter(|_| address.port() != 0) {
                self.report.fault(at.clone(), format!("address {address} is taken by the [[listen]] on line {line}"));
            }
            taken.entry(address).or_insert_with(|| self.report.line(&at));
            listeners.push(ListenerConfig { address, name, protocol, tls, limits, redirect_to_tls });
        }
        listeners
    }

    /// What plugins know a listener by: each name is there once.
    fn listener_name(&mut self, written: &Text, taken: &mut BTreeMap<String, usize>) -> Option<String> {
        let name = written.get_ref();
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = format!(
                "bad `name` {name:?} of [[listen]], expected 1 to {LONGEST_NAME} visible characters of ASCII, no blanks"
            );
            self.report.fault(written.span(), message);
            return None;
        }
        let line = self.report.line(&written.span());
        if let Some(first) = taken.insert(name.clone(), line) {
            let message = format!("name \"{name}\" is taken by the [[listen]] on line {first}");
            self.report.fault(written.span(), message);
        }
        Some(name.clone())
    }

    fn limits(&mut self, written: &LimitsTable) -> LimitsConfig {
        const ANY: (u64, u64) = (1, u64::MAX);
        let per_client = written.connections_per_client.as_ref();
        LimitsConfig {
            connections: self.whole("connections", written.connections.as_ref(), ANY, defaults::CONNECTIONS),
            connections_per_client: self.whole(
                "connections_per_client",
                per_client,
                ANY,
                defaults::CONNECTIONS_PER_CLIENT,
            ),
            head_bytes: self.size("head", written.head.as_ref(), defaults::LEAST_HEAD, defaults::HEAD),
            head_fields: self.whole("head_fields", written.head_fields.as_ref(), ANY, defaults::HEAD_FIELDS),
            head_timeout: self.time("head_timeout", written.head_timeout.as_ref(), defaults::HEAD_TIMEOUT),
            idle_timeout: self.time("idle_timeout", written.idle_timeout.as_ref(), defaults::IDLE_TIMEOUT),
            body_timeout: self.time("body_timeout", written.body_timeout.as_ref(), defaults::BODY_TIMEOUT),
            linger: self.time("linger", written.linger.as_ref(), defaults::LINGER),
            linger_bytes: written.linger_bytes.as_ref().map_or(defaults::LINGER_BYTES, |size| size.get_ref().0),
            half_close: defaults::HALF_CLOSE,
            streams: defaults::STREAMS,
        }
    }

    fn server_tls(&mut self, written: &ServerTlsTable) -> ServerTls {
        let client_ca = self.client_ca(written.client_ca.as_ref(), written.client_certificate.as_ref(), None);
        let mut seen = BTreeMap::new();
        let by_name = written.more.iter().map(|more| self.named_tls(more, client_ca.as_ref(), &mut seen)).collect();
        let orders = [("client", CipherOrder::Client), ("server", CipherOrder::Server)];
        let versions = [("1.2", true), ("1.3", false)];
        ServerTls {
            default: self.certificate(&written.certificate, &written.key),
            by_name,
            allow_tls12: self.choice("min_version", written.min_version.as_ref(), &versions, true),
            cipher_order: self.choice("cipher_order", written.cipher_order.as_ref(), &orders, defaults::CIPHER_ORDER),
            client_ca,
        }
    }

    fn named_tls(
        &mut self,
        written: &MoreTable,
        of_listener: Option<&(PathBuf, ClientCertificate)>,
        seen: &mut BTreeMap<String, usize>,
    ) -> NamedTls {
        if written.names.get_ref().is_empty() {
            self.report.fault(written.names.span(), "`names` is empty, expected at least one server name");
        }
        NamedTls {
            names: written.names.get_ref().iter().map(|name| self.server_name(name, seen)).collect(),
            certificate: self.certificate(&written.certificate, &written.key),
            client_ca: self.client_ca(written.client_ca.as_ref(), written.client_certificate.as_ref(), of_listener),
        }
    }

    /// What is asked of clients. Of a key that is not written, what holds `of_listener` counts.
    fn client_ca(
        &mut self,
        ca: Option<&Text>,
        demand: Option<&Text>,
        of_listener: Option<&(PathBuf, ClientCertificate)>,
    ) -> Option<(PathBuf, ClientCertificate)> {
        if let Some(word) = demand.filter(|_| ca.is_none() && of_listener.is_none()) {
            self.report.fault_hint(
                word.span(),
                "`client_certificate` is set, but there is no `client_ca` to check certificates against",
                "add client_ca = \"ca.pem\"",
            );
        }
        let demands = [("optional", ClientCertificate::Optional), ("required", ClientCertificate::Required)];
        let usual = of_listener.map_or(ClientCertificate::Required, |(_, demand)| *demand);
        let demand = self.choice("client_certificate", demand, &demands, usual);
        let ca = ca.map(|ca| self.file("`client_ca`", ca)).or_else(|| of_listener.map(|(ca, _)| ca.clone()));
        ca.map(|ca| (ca, demand))
    }

    pub(super) fn certificate(&mut self, certificate: &Text, key: &Text) -> CertificateFiles {
        CertificateFiles { certificate: self.file("`certificate`", certificate), key: self.file("`key`", key) }
    }

    /// A server name for a certificate; each may be there once.
    fn server_name(&mut self, written: &Text, seen: &mut BTreeMap<String, usize>) -> String {
        let name = self.host_pattern("names", written);
        // Names of certificates have no brackets.
        let name = name.trim_matches(['[', ']']).to_owned();
        let line = self.report.line(&written.span());
        if let Some(first) = seen.insert(name.clone(), line) {
            let message = format!("server name \"{name}\" has a certificate already, on line {first}");
            self.report.fault(written.span(), message);
        }
        name
    }

    /// A host name or `*.` and one, as requests carry it: lower case, without port and dot at the end, IPv6 in its
    /// shortest form and in brackets.
    pub(super) fn host_pattern(&mut self, key: &str, written: &Text) -> String {
        let text = written.get_ref();
        let address = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = address.parse::<Ipv6Addr>() {
            return format!("[{address}]");
        }
        if !url::is_host_name(text.strip_prefix("*.").unwrap_or(text)) {
            let message = format!("bad name \"{text}\" in `{key}`, expected a host or `*.` and a host, without port");
            self.report.fault(written.span(), message);
        }
        text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase()
    }
}
