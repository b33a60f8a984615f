//! Header edits.

use std::collections::BTreeMap;

use ::http::{HeaderName, HeaderValue};

use super::super::model::HeaderEditsConfig;
use super::super::schema::{HeaderTable, Text};
use super::Resolver;
use crate::net::is_reserved;

impl Resolver<'_, '_> {
    pub(super) fn edits(&mut self, written: &HeaderTable) -> HeaderEditsConfig {
        HeaderEditsConfig {
            set: self.fields(&written.set),
            remove: written.remove.iter().filter_map(|name| self.field_name(name)).collect(),
        }
    }

    /// Names and values.
    pub(super) fn fields(&mut self, written: &BTreeMap<Text, Text>) -> Vec<(HeaderName, HeaderValue)> {
        let mut fields: Vec<_> = written.iter().collect();
        fields.sort_by_key(|(name, _)| name.span().start);
        fields
            .into_iter()
            .filter_map(|(name, value)| Some((self.field_name(name)?, self.field_value(value)?)))
            .collect()
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
        let value = HeaderValue::try_from(written.get_ref().as_str()).ok();
        if value.is_none() {
            self.report
                .fault(written.span(), "bad header value, expected text without line breaks and control characters");
        }
        value
    }
}
