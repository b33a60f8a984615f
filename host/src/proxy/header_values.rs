//! The operator's edits of heads that are more than constants: values with variables, and fields that are there
//! already.

use std::borrow::Cow;
use std::net::IpAddr;

use ::http::header::{Entry, HeaderMap, HeaderName, HeaderValue};
use data_encoding::BASE64;

use super::access::UserName;
use super::{Client, ErrorPages, RouteRules, Snapshot};
use crate::http::{Fields, is_look_alike};
use crate::net::{FieldEdit, FieldEditKind, HeaderVariable, joined};
use crate::policy::{CertificateText, RequestFacts};
use crate::telemetry::limited;

/// What is known of an exchange by the time that edits are carried out.
#[derive(Clone, Copy)]
pub(super) struct ExchangeContext<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) rules: &'a RouteRules,
    pub(super) facts: &'a RequestFacts,
}

/// How far a request has come that fails.
#[derive(Clone, Copy)]
pub(super) enum FailedAt<'a> {
    /// No route is known, or none that rules are of.
    Unrouted(&'a Snapshot),
    /// What its route says holds for its response.
    Routed(ExchangeContext<'a>),
}

impl<'a> FailedAt<'a> {
    /// What its response shows, if that is not a sentence.
    pub(super) fn error_pages(self) -> Option<&'a ErrorPages> {
        match self {
            Self::Unrouted(snapshot) => snapshot.error_pages.as_deref(),
            Self::Routed(known) => known.rules.error_pages.as_deref(),
        }
    }
}

/// What variables stand for in one exchange.
pub(super) struct ExchangeValues<'a> {
    pub(super) client: &'a Client,
    pub(super) facts: &'a RequestFacts,
    pub(super) route: &'a str,
    /// URL of the one that has the request.
    pub(super) endpoint: Option<&'a str>,
    /// None unless it was asked for.
    pub(super) request_id: Option<&'a str>,
    /// None unless the route has asked.
    pub(super) user: Option<&'a UserName>,
}

/// Whether any of `edits` names the exchange.
pub(super) fn name_exchange(edits: &[FieldEdit]) -> bool {
    let is_name = |variable| variable == HeaderVariable::RequestId;
    edits.iter().any(|edit| edit.value.variables().any(is_name))
}

impl<'a> ExchangeValues<'a> {
    /// Carries `edits` out on the head of a response.
    pub(super) fn edit_response(&self, edits: &[FieldEdit], headers: &mut HeaderMap) {
        for edit in edits {
            let (name, value) = (&edit.name, self.fill(edit));
            match (edit.kind, value) {
                (FieldEditKind::Set, Some(value)) => _ = headers.insert(name, value),
                (FieldEditKind::Set, None) => _ = headers.remove(name),
                (FieldEditKind::SetIfAbsent, Some(value)) => _ = headers.entry(name).or_insert(value),
                (FieldEditKind::Append, Some(value)) => append(headers, name, value),
                (FieldEditKind::SetIfAbsent | FieldEditKind::Append, None) => {}
            }
        }
    }

    /// `fields` of a request, with `edits` carried out.
    pub(super) fn edit_request<'f>(&self, edits: &'f [FieldEdit], fields: &Fields<'f>) -> Box<Fields<'f>> {
        let mut fields = Box::new(fields.clone());
        for edit in edits {
            let (name, value) = (&edit.name, self.fill(edit));
            if edit.kind == FieldEditKind::Set {
                fields.remove(|there| is_look_alike(there, name));
            }
            match (edit.kind, value) {
                (FieldEditKind::Set, Some(value)) => fields.set(Cow::Borrowed(name), Cow::Owned(value)),
                (FieldEditKind::Set, None) => fields.remove(|there| there == name),
                (FieldEditKind::SetIfAbsent, Some(value)) if !fields.contains(name) => {
                    fields.push(Cow::Borrowed(name), Cow::Owned(value));
                }
                (FieldEditKind::Append, Some(value)) => fields.append(name, value),
                (FieldEditKind::SetIfAbsent | FieldEditKind::Append, _) => {}
            }
        }
        fields
    }

    /// The value that `edit` gives; none if there is none, or it may not stand in a field.
    fn fill(&self, edit: &FieldEdit) -> Option<HeaderValue> {
        let filled = edit.value.fill(|variable| self.of(variable));
        filled.unwrap_or_else(|_invalid| {
            let (route, field) = (self.route, &edit.name);
            limited!(
                warn, of: (route, field), route, %field,
                "the value of a header would have control characters, and is left out"
            );
            None
        })
    }

    fn of(&self, variable: HeaderVariable) -> Option<Cow<'a, str>> {
        let Self { client, facts, .. } = self;
        Some(match variable {
            HeaderVariable::ClientIp => facts.client.as_ref().map(IpAddr::to_string)?.into(),
            HeaderVariable::Host => facts.host(),
            HeaderVariable::Scheme => facts.scheme.as_str().into(),
            HeaderVariable::Port => client.local.port().to_string().into(),
            HeaderVariable::TlsServerName => facts.sni.as_deref()?.into(),
            HeaderVariable::TlsVersion => format!("TLSv{}", client.tls?).into(),
            HeaderVariable::ClientCert => format!(":{}:", BASE64.encode(client.shown.as_ref()?.own()?)).into(),
            HeaderVariable::ClientCertSubject => ascii(&self.certificate()?.subject),
            HeaderVariable::ClientCertFingerprint => self.certificate()?.fingerprint.as_str().into(),
            HeaderVariable::User => self.user?.as_str()?.into(),
            HeaderVariable::RequestId => self.request_id?.into(),
            HeaderVariable::Endpoint => self.endpoint?.into(),
            HeaderVariable::Route => self.route.into(),
        })
    }

    fn certificate(&self) -> Option<&'a CertificateText> {
        Some(self.facts.connection.as_ref()?.certificate.as_ref()?.shown())
    }
}

/// A name as text in ASCII (RFC 4514 §2.4): servers do not agree on what other bytes of a field stand for.
fn ascii(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        return name.into();
    }
    let mut text = String::with_capacity(name.len().saturating_mul(2));
    for byte in name.bytes() {
        if byte.is_ascii() {
            text.push(char::from(byte));
        } else {
            text.push('\\');
            text.push_str(&crate::text::hex(&[byte]));
        }
    }
    text.into()
}

/// Puts `value` behind what fields of this name say.
fn append(headers: &mut HeaderMap, name: &HeaderName, value: HeaderValue) {
    match headers.entry(name) {
        Entry::Vacant(vacant) => _ = vacant.insert(value),
        Entry::Occupied(mut there) => {
            let last = there.iter_mut().next_back();
            match last.and_then(|last| Some((joined(name, last, &value)?, last))) {
                Some((both, last)) => *last = both,
                None => there.append(value),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_ascii_is_escaped() {
        assert_eq!(ascii("CN=Caf\u{e9}\\, Inc."), "CN=Caf\\c3\\a9\\, Inc.");
    }

    #[test]
    fn the_last_of_several_fields_gets_longer() {
        let mut headers = HeaderMap::new();
        let vary = HeaderName::from_static("vary");
        for value in ["a", "b"] {
            headers.append(&vary, HeaderValue::from_static(value));
        }

        append(&mut headers, &vary, HeaderValue::from_static("c"));
        append(&mut headers, &HeaderName::from_static("x"), HeaderValue::from_static("d"));

        assert_eq!(headers.get_all(&vary).iter().collect::<Vec<_>>(), ["a", "b, c"]);
        assert_eq!(headers["x"], "d");
    }
}
