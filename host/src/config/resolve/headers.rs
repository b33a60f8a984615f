//! Header edits.

use std::collections::BTreeMap;

use ::http::{HeaderName, HeaderValue};

use super::super::model::HeaderEditsConfig;
use super::super::schema::{HeaderTable, Text};
use super::Resolver;
use crate::diagnose::{closest, one_of};
use crate::net::{FieldEdit, FieldEditKind, HeaderTemplate, HeaderVariable, UnknownVariable, is_reserved, joined};

impl HeaderEditsConfig {
    /// Carries out on `fields` what depends on no exchange.
    pub(super) fn carry_out(&self, fields: &mut Vec<(HeaderName, HeaderValue)>) {
        fields.retain(|(name, _)| !self.remove.contains(name) && !self.set.iter().any(|(set, _)| set == name));
        fields.extend(self.set.iter().cloned());
        for FieldEdit { name, kind, value } in &self.more {
            let Some(value) = value.constant().and_then(|value| HeaderValue::try_from(value).ok()) else { continue };
            let there = fields.iter_mut().rev().find(|(there, _)| there == name);
            match (kind, there) {
                (FieldEditKind::SetIfAbsent, Some(_)) => {}
                (FieldEditKind::Append, Some((_, there))) => match joined(name, there, &value) {
                    Some(both) => *there = both,
                    None => fields.push((name.clone(), value)),
                },
                _ => fields.push((name.clone(), value)),
            }
        }
    }
}

/// What nginx calls these variables, and what they are called here.
const CALLED: [(&str, &str); 13] = [
    ("remote_addr", "client_ip"),
    ("realip_remote_addr", "client_ip"),
    ("http_host", "host"),
    ("server_port", "port"),
    ("remote_user", "user"),
    ("ssl_protocol", "tls_version"),
    ("ssl_server_name", "tls_server_name"),
    ("ssl_client_cert", "client_cert"),
    ("ssl_client_escaped_cert", "client_cert"),
    ("ssl_client_s_dn", "client_cert_subject"),
    ("ssl_client_fingerprint", "client_cert_fingerprint"),
    ("upstream_addr", "endpoint"),
    ("req_id", "request_id"),
];

impl Resolver<'_, '_> {
    pub(super) fn edits(&mut self, written: &HeaderTable) -> HeaderEditsConfig {
        let mut edits = HeaderEditsConfig {
            remove: written.remove.iter().filter_map(|name| self.field_name(name)).collect(),
            ..HeaderEditsConfig::default()
        };
        for (kind, fields) in [
            (FieldEditKind::Set, &written.set),
            (FieldEditKind::Append, &written.append),
            (FieldEditKind::SetIfAbsent, &written.set_if_absent),
        ] {
            for (name, value) in self.named(fields) {
                let Some(template) = self.template(value) else { continue };
                match template.constant().map(str::to_owned) {
                    Some(text) if kind == FieldEditKind::Set => {
                        edits.set.extend(self.constant(&text, value).map(|value| (name, value)));
                    }
                    _ => edits.more.push(FieldEdit { name, kind, value: template }),
                }
            }
        }
        edits
    }

    /// A value with variables. Its text may stand in a field, whatever these are.
    fn template(&mut self, written: &Text) -> Option<HeaderTemplate> {
        let template = HeaderTemplate::read(written.get_ref());
        let template = template.map_err(|unknown| self.unknown_variable(&unknown, written)).ok()?;
        self.field_value(written).map(|_| template)
    }

    fn unknown_variable(&mut self, UnknownVariable(name): &UnknownVariable, written: &Text) {
        let names = || HeaderVariable::ALL.map(|(name, _)| name);
        let known = one_of(names().map(|name| format!("${name}")).iter().map(String::as_str));
        let found =
            if name.is_empty() { "`$` without a name".to_owned() } else { format!("unknown variable `${name}`") };
        let message = format!("{found} in a header value, expected {known}, or `$$` for a dollar sign");
        let braced = || names().into_iter().find(|name| written.get_ref().contains(&format!("${{{name}}}")));
        let called = || CALLED.iter().find(|(other, _)| other == name).map(|(_, ours)| *ours);
        match closest(name, names()).filter(|_| !name.is_empty()).or_else(called) {
            Some(meant) => self.report.fault_hint(written.span(), message, format!("did you mean `${meant}`?")),
            None if braced().is_some() => {
                let hint = format!("write `${}`, without braces", braced().unwrap_or_default());
                self.report.fault_hint(written.span(), message, hint);
            }
            None => self.report.fault_hint(written.span(), message, "write `$$` for a `$` that is meant as it is"),
        }
    }

    /// Names and values.
    pub(super) fn fields(&mut self, written: &BTreeMap<Text, Text>) -> Vec<(HeaderName, HeaderValue)> {
        let named = self.named(written).into_iter();
        named.filter_map(|(name, value)| Some((name, self.field_value(value)?))).collect()
    }

    /// Values by their names, in the order of the file. A name that is there in two spellings has two values, one of
    /// which would be lost.
    fn named<'w>(&mut self, written: &'w BTreeMap<Text, Text>) -> Vec<(HeaderName, &'w Text)> {
        let mut named: Vec<(HeaderName, &Text)> = Vec::with_capacity(written.len());
        for (spelled, value) in by_place(written) {
            let Some(name) = self.field_name(spelled) else { continue };
            if named.iter().any(|(there, _)| *there == name) {
                let message = format!("header `{name}` is written here before, in another spelling");
                self.report.fault_hint(
                    spelled.span(),
                    message,
                    "write it once: names of headers have no upper and lower case",
                );
            } else {
                named.push((name, value));
            }
        }
        named
    }

    fn field_name(&mut self, written: &Text) -> Option<HeaderName> {
        let text = written.get_ref();
        let Ok(name) = HeaderName::try_from(text.as_str()) else {
            self.report.fault(written.span(), format!("bad header name \"{text}\""));
            return None;
        };
        if is_reserved(&name) {
            let hint = match name.as_str() {
                "host" => "use `preserve_host` to send the client's",
                "upgrade" | "connection" => "use `upgrade` to say which protocols may be switched to",
                _ => "leave it out",
            };
            self.report.fault_hint(written.span(), format!("header `{text}` is written by the gateway itself"), hint);
            return None;
        }
        Some(name)
    }

    fn field_value(&mut self, written: &Text) -> Option<HeaderValue> {
        self.constant(written.get_ref(), written)
    }

    /// `text`, which stands at `written`.
    fn constant(&mut self, text: &str, written: &Text) -> Option<HeaderValue> {
        let value = HeaderValue::try_from(text).ok();
        if value.is_none() {
            self.report
                .fault(written.span(), "bad header value, expected text without line breaks and control characters");
        }
        value
    }
}

/// In the order in which they are written.
fn by_place(fields: &BTreeMap<Text, Text>) -> Vec<(&Text, &Text)> {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_key(|(name, _)| name.span().start);
    fields
}
