//! `forward_auth` of a `[[route]]`.

use ::http::header::{self, HeaderName};

use super::super::model::ForwardAuthConfig;
use super::super::schema::{ForwardAuthTable, Text};
use super::cluster::Resolved;
use super::{Resolver, defaults};
use crate::diagnose::{closest, one_of};
use crate::net::{is_reserved, is_target};

/// Fields that the gateway itself writes towards endpoints, about the client.
const FORWARDED: [HeaderName; 5] = [
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-port"),
];

impl Resolver<'_, '_> {
    /// Who is asked who a client is; none where that has a fault.
    pub(super) fn forward_auth(
        &mut self,
        written: &ForwardAuthTable,
        clusters: &[Resolved],
    ) -> Option<ForwardAuthConfig> {
        let cluster = self.auth_cluster(&written.cluster, clusters);
        let path = self.auth_path(&written.path);
        let headers = self.auth_headers(&written.headers);
        let timeout = self.time("timeout", written.timeout.as_ref(), defaults::AUTH_TIMEOUT);
        Some(ForwardAuthConfig { cluster: cluster?, path: path?, headers, timeout })
    }

    fn auth_cluster(&mut self, written: &Text, clusters: &[Resolved]) -> Option<String> {
        let text = written.get_ref();
        let name = text.strip_prefix("balancer://").unwrap_or(text);
        let names = || clusters.iter().filter(|known| known.span.is_some()).map(|known| known.used.name.as_str());
        // Names do not differ by case, as in `to`.
        if let Some(known) = names().find(|known| known.eq_ignore_ascii_case(text)) {
            return Some(known.to_owned());
        }
        let what = "in `cluster` of `forward_auth`";
        let message = match names().next() {
            Some(_) => format!("unknown cluster \"{text}\" {what}, expected {}", one_of(names())),
            None => format!("unknown cluster \"{text}\" {what}: there is no [cluster.NAME]"),
        };
        match closest(name, names()) {
            Some(meant) => self.report.fault_meant(written.span(), message, Some(meant)),
            None if name != text => {
                self.report.fault_hint(written.span(), message, format!("write \"{name}\", and add [cluster.{name}]"));
            }
            None if text.contains("://") => {
                let hint = format!(
                    "add [cluster.auth] with endpoints = [\"{}\"], and name that",
                    text.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
                );
                self.report.fault_hint(written.span(), message, hint);
            }
            None => self.report.fault_hint(written.span(), message, format!("add [cluster.{text}]")),
        }
        None
    }

    fn auth_path(&mut self, written: &Text) -> Option<String> {
        let text = written.get_ref();
        if text.starts_with('/') && is_target(text) {
            return Some(text.clone());
        }
        let message = format!(
            "bad `path` \"{text}\" of `forward_auth`, expected a path that begins with `/`, and perhaps a query"
        );
        self.report.fault_hint(written.span(), message, "for example \"/api/verify\"; the server is that of `cluster`");
        None
    }

    fn auth_headers(&mut self, written: &[Text]) -> Vec<HeaderName> {
        let mut headers = Vec::new();
        for text in written {
            let Ok(name) = HeaderName::try_from(text.get_ref().as_str()) else {
                let message = format!("bad header name \"{}\" in `headers` of `forward_auth`", text.get_ref());
                self.report.fault(text.span(), message);
                continue;
            };
            if is_reserved(&name) || FORWARDED.contains(&name) {
                let message =
                    format!("header `{name}` in `headers` of `forward_auth` is written by the gateway itself");
                self.report.fault_hint(text.span(), message, "leave it out");
            } else if headers.contains(&name) {
                let message = format!("header `{name}` is in `headers` of `forward_auth` twice");
                self.report.fault_hint(text.span(), message, "leave one of them out");
            } else {
                headers.push(name);
            }
        }
        headers
    }
}
