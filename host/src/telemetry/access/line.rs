//! How a record becomes a line.
//!
//! Everything that came from outside is a quoted string in both formats, with quotes, backslashes and control
//! characters escaped as JSON does: no request can add a line or a field.

use std::fmt::{Display, Write};
use std::time::Duration;

use super::ending::AccessEnding;
use super::record::{AccessKind, AccessRecord};
use crate::telemetry::LineFormat;
use crate::telemetry::date::Rfc3339;
use crate::text;

/// Appends the record and a newline to `out`.
pub(super) fn format(out: &mut String, record: &AccessRecord<'_>, format: LineFormat) {
    let mut fields = LineFields { out, format, first: true };
    fields.token("time", Rfc3339(record.time));
    fields.token("kind", record.kind.name());
    fields.string("request_id", record.request_id);
    fields.token("client", record.client);
    fields.token("listener", record.listener);
    fields.string("protocol", Some(record.protocol));
    fields.string("tls", record.tls);
    fields.string("sni", record.sni);
    fields.string("method", Some(record.method));
    fields.string("host", record.host);
    fields.string("path", Some(record.path));
    fields.number("status", record.status);
    fields.number("duration_ms", Some(Millis(record.duration)));
    fields.number("first_byte_ms", record.first_byte.map(Millis));
    fields.number("bytes_in", Some(record.bytes_in));
    fields.number("bytes_out", Some(record.bytes_out));
    fields.string("route", record.route);
    fields.string("cluster", record.cluster);
    fields.string("endpoint", record.endpoint);
    fields.number("attempts", Some(record.attempts));
    fields.string("plugins", record.plugins);
    fields.number("generation", Some(record.generation));
    fields.string("ending", record.ending.map(AccessEnding::name));
    fields.string("client_protocol", record.client_protocol);
    fields.number("grpc_status", record.grpc_status);
    fields.string("user", record.user);
    fields.notes("notes", record.notes);
    fields.end();
}

impl AccessKind {
    fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Tunnel => "tunnel",
        }
    }
}

/// Milliseconds with three decimals.
struct Millis(Duration);

impl Display for Millis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = self.0.as_micros();
        write!(f, "{}.{:03}", micros / 1000, micros % 1000)
    }
}

struct LineFields<'o> {
    out: &'o mut String,
    format: LineFormat,
    first: bool,
}

impl LineFields<'_> {
    fn key(&mut self, key: &str) {
        let first = std::mem::take(&mut self.first);
        match self.format {
            LineFormat::Text => {
                self.out.push_str(if first { "" } else { " " });
                self.out.push_str(key);
                self.out.push('=');
            }
            LineFormat::Json => {
                self.out.push_str(if first { "{\"" } else { ",\"" });
                self.out.push_str(key);
                self.out.push_str("\":");
            }
        }
    }

    /// A value of ours, free of blanks and quotes.
    fn token(&mut self, key: &str, value: impl Display) {
        self.key(key);
        // Writing to a string cannot fail.
        let _ = match self.format {
            LineFormat::Text => write!(self.out, "{value}"),
            LineFormat::Json => write!(self.out, "\"{value}\""),
        };
    }

    fn number(&mut self, key: &str, value: Option<impl Display>) {
        match (value, self.format) {
            (Some(value), _) => {
                self.key(key);
                let _ = write!(self.out, "{value}");
            }
            (None, LineFormat::Text) => self.absent(key),
            (None, LineFormat::Json) => {}
        }
    }

    fn string(&mut self, key: &str, value: Option<&str>) {
        match (value, self.format) {
            (Some(value), _) => {
                self.key(key);
                quote(self.out, value);
            }
            (None, LineFormat::Text) => self.absent(key),
            (None, LineFormat::Json) => {}
        }
    }

    /// An object of strings in JSON, and in text the same as one string; left out where it is empty.
    fn notes(&mut self, key: &str, notes: &[(&str, &str)]) {
        if notes.is_empty() {
            return;
        }
        let mut object = String::new();
        for (key, value) in notes {
            object.push(if object.is_empty() { '{' } else { ',' });
            quote(&mut object, key);
            object.push(':');
            quote(&mut object, value);
        }
        object.push('}');
        self.key(key);
        match self.format {
            LineFormat::Text => quote(self.out, &object),
            LineFormat::Json => self.out.push_str(&object),
        }
    }

    fn absent(&mut self, key: &str) {
        self.key(key);
        self.out.push('-');
    }

    fn end(self) {
        self.out.push_str(match self.format {
            LineFormat::Text => "\n",
            LineFormat::Json => "}\n",
        });
    }
}

/// Appends a JSON string. Beyond what JSON asks, all that is unseen is escaped: terminals act on it.
fn quote(out: &mut String, value: &str) {
    out.push('"');
    let mut rest = value;
    while let Some((at, c)) = rest.char_indices().find(|(_, c)| matches!(c, '"' | '\\') || text::is_unseen(*c)) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            _ => text::push_unit(out, c),
        }
        rest = tail.strip_prefix(c).unwrap_or_default();
    }
    out.push_str(rest);
    out.push('"');
}
