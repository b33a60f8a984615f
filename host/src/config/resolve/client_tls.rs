//! `tls = { … }` of a cluster.

use super::super::model::{ClientTls, Verify};
use super::super::pin::Pin;
use super::super::schema::{ClientTlsTable, Text};
use super::{Resolver, url};

/// How a server is met about whose TLS nothing is said.
pub(super) const PLAIN_TLS: ClientTls =
    ClientTls { ca: None, verify: Verify::Full, pins: Vec::new(), server_name: None, identity: None };

impl Resolver<'_, '_> {
    pub(super) fn client_tls(&mut self, cluster: &str, written: Option<&ClientTlsTable>) -> ClientTls {
        let Some(written) = written else { return PLAIN_TLS };
        let verify = self.choice(
            "verify",
            written.verify.as_ref(),
            &[("full", Verify::Full), ("none", Verify::None)],
            Verify::Full,
        );
        if let Some(word) = written.verify.as_ref().filter(|_| verify == Verify::None) {
            if written.pin.is_none() {
                let message = format!(
                    "cluster `{cluster}` has verify = \"none\": anybody between can read and change its traffic"
                );
                self.report.warn(word.span(), message);
            }
            if let Some(ca) = &written.ca {
                self.report
                    .warn(ca.span(), format!("cluster `{cluster}` has `ca`, which verify = \"none\" never looks at"));
            }
        }
        if let Some(name) = written.server_name.as_ref().filter(|name| !url::is_host_name(name.get_ref())) {
            let message = format!("bad `server_name` \"{}\", expected a host name", name.get_ref());
            self.report.fault(name.span(), message);
        }
        let identity = match (&written.certificate, &written.key) {
            (Some(certificate), Some(key)) => Some(self.certificate(certificate, key)),
            (Some(lonely), None) => {
                self.report.fault(lonely.span(), "`certificate` is set, but not its `key`");
                None
            }
            (None, Some(lonely)) => {
                self.report.fault(lonely.span(), "`key` is set, but not its `certificate`");
                None
            }
            (None, None) => None,
        };
        ClientTls {
            ca: written.ca.as_ref().map(|ca| self.file("`ca`", ca)),
            verify,
            pins: written.pin.as_ref().map_or_else(Vec::new, |pin| self.pins(pin)),
            server_name: written.server_name.as_ref().map(|name| name.get_ref().to_ascii_lowercase()),
            identity,
        }
    }

    /// One or more public keys, `;` between them, as curl has it.
    fn pins(&mut self, written: &Text) -> Vec<Pin> {
        let read: Result<Vec<Pin>, _> = written.get_ref().split(';').map(|pin| pin.trim().parse()).collect();
        read.unwrap_or_else(|error| {
            let message = format!("bad `pin` \"{}\", {error}; several with `;` between them", written.get_ref());
            let hint = "the pin of a certificate: openssl x509 -in cert.pem -pubkey -noout | openssl pkey -pubin \
                        -outform der | openssl dgst -sha256 -binary | base64";
            self.report.fault_hint(written.span(), message, hint);
            Vec::new()
        })
    }
}
