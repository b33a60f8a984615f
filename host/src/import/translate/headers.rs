//! `RequestHeader` and `Header`: what is carried over, what is sent anyway, and what nobody can say here.

use super::super::draft::HeadersDraft;
use super::super::report::{Report, Severity};
use super::super::tree::{Directive, Place};

/// One line, as written.
#[derive(Clone, Debug)]
pub(super) struct HeaderLine {
    pub(super) place: Place,
    pub(super) action: String,
    pub(super) name: String,
    pub(super) value: Option<String>,
    /// It is for what Apache answers by itself as well.
    pub(super) always: bool,
    /// `env=…` or `expr=…` behind it.
    pub(super) condition: Option<String>,
}

/// Where a header is edited, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeaderSetting {
    /// Clients come by TLS, or do not; `None`: both.
    pub(super) tls: Option<bool>,
    pub(super) port: Option<u16>,
    /// Its clients have logged in.
    pub(super) logs_in: bool,
}

/// Headers that say who the client is; the gateway writes them.
const FORWARDED: [&str; 6] =
    ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-server", "forwarded"];
/// The gateway's own, which no edit touches.
const OWN: [&str; 12] = [
    "connection",
    "upgrade",
    "host",
    "transfer-encoding",
    "content-length",
    "keep-alive",
    "te",
    "trailer",
    "expect",
    "proxy-connection",
    "cdn-loop",
    "proxy",
];

/// Reads a line. `None`: too few words.
pub(super) fn read(directive: &Directive) -> Option<HeaderLine> {
    let mut words = directive.words.iter().map(|word| word.text.as_str()).peekable();
    let mut always = false;
    while let Some(word) = words.peek()
        && (word.eq_ignore_ascii_case("always") || word.eq_ignore_ascii_case("onsuccess"))
    {
        always = word.eq_ignore_ascii_case("always");
        words.next();
    }
    let action = words.next()?.to_ascii_lowercase();
    let name = words.next()?.trim_end_matches(':').to_owned();
    let takes_value = !matches!(action.as_str(), "unset" | "echo");
    let mut value = None;
    let mut condition = None;
    for word in words {
        let lower = word.to_ascii_lowercase();
        if takes_value && value.is_none() {
            value = Some(word.to_owned());
        } else if lower.starts_with("env=") || lower.starts_with("expr=") {
            condition = Some(word.to_owned());
        } else if lower != "early" && takes_value && action.starts_with("edit") {
            let both = format!("{} {word}", value.unwrap_or_default());
            value = Some(both);
        }
    }
    Some(HeaderLine { place: directive.place.clone(), action, name, value, always, condition })
}

/// Applies lines of requests, in order, to what a route says.
pub(super) fn requests(lines: &[HeaderLine], at: HeaderSetting, report: &mut Report) -> HeadersDraft {
    let mut draft = HeadersDraft::default();
    for line in lines {
        let name = line.name.to_ascii_lowercase();
        let mut say = |severity, what: String, remedy: Option<&str>| {
            report.add(&line.place, severity, what, remedy);
        };
        if OWN.contains(&name.as_str()) || name.starts_with("sec-websocket-") {
            let (severity, what, remedy) = match name.as_str() {
                "host" => (
                    Severity::Refused,
                    "Host is the gateway's own".to_owned(),
                    Some("preserve_host = true sends the client's; a server that is named in `to` gets its own name"),
                ),
                "upgrade" | "connection" => (
                    Severity::Dropped,
                    format!("{} is the gateway's own: upgrades are passed on without it", line.name),
                    None,
                ),
                _ => (Severity::Dropped, format!("{} is the gateway's own", line.name), None),
            };
            say(severity, what, remedy);
            continue;
        }
        if FORWARDED.contains(&name.as_str()) && is_sent_anyway(&name, line, at) {
            say(Severity::Note, format!("{} is sent by default, from what the gateway knows", line.name), None);
            continue;
        }
        edit(&mut draft, line, at, &mut say);
    }
    draft
}

/// Applies lines of responses, in order. What makes a sticky cookie has to be taken out before.
pub(super) fn responses(lines: &[HeaderLine], at: HeaderSetting, report: &mut Report) -> HeadersDraft {
    let mut draft = HeadersDraft::default();
    for line in lines {
        let name = line.name.to_ascii_lowercase();
        let mut say = |severity, what: String, remedy: Option<&str>| {
            report.add(&line.place, severity, what, remedy);
        };
        if OWN.contains(&name.as_str()) {
            say(Severity::Dropped, format!("{} is the gateway's own", line.name), None);
            continue;
        }
        if name == "location" && line.action.starts_with("edit") {
            let remedy = Some("`reverse`, which is on, maps the server's own URLs back");
            say(Severity::Changed, "Location is not edited by a pattern".to_owned(), remedy);
            continue;
        }
        edit(&mut draft, line, at, &mut say);
    }
    draft
}

fn edit(
    draft: &mut HeadersDraft,
    line: &HeaderLine,
    at: HeaderSetting,
    say: &mut impl FnMut(Severity, String, Option<&str>),
) {
    let name = line.name.clone();
    if let Some(condition) = &line.condition {
        let what = format!("{name} is edited under the condition `{condition}`");
        say(Severity::Refused, what, Some("a route with `when`, or without the condition"));
        return;
    }
    let forget = |draft: &mut HeadersDraft| {
        draft.set.retain(|known, _value| !known.eq_ignore_ascii_case(&name));
        draft.append.retain(|known, _value| !known.eq_ignore_ascii_case(&name));
        draft.remove.retain(|known| !known.eq_ignore_ascii_case(&name));
    };
    if line.action == "unset" {
        forget(draft);
        draft.remove.push(name);
        return;
    }
    if line.action.starts_with("edit") {
        let what = format!("{name} is edited by a pattern");
        say(
            Severity::Refused,
            what,
            Some("set = { … } with the value that comes out, if it is always the same; else in the server"),
        );
        return;
    }
    let written = line.value.clone().unwrap_or_default();
    let value = match value(&written, at) {
        Ok(value) => value,
        Err(what) => {
            say(
                Severity::Refused,
                format!("the value of {name} is {what}"),
                Some(if written.contains("BALANCER_") {
                    "`$endpoint` names the server that has the request, by its URL"
                } else {
                    "a value that is written out, or a variable that `request_headers` knows"
                }),
            );
            return;
        }
    };
    match line.action.as_str() {
        "set" => {
            forget(draft);
            draft.set.insert(name, value);
        }
        "add" | "append" | "merge" => {
            draft.append.insert(name, value);
        }
        "setifempty" => {
            draft.set_if_absent.insert(name, value);
        }
        other => say(
            Severity::Refused,
            format!("`{other}` is no edit of headers here"),
            Some("set, append, set_if_absent or remove"),
        ),
    }
}

/// Whether the gateway sends this by itself, with the same value or with a truer one.
fn is_sent_anyway(name: &str, line: &HeaderLine, at: HeaderSetting) -> bool {
    if line.action == "unset" {
        return true;
    }
    let value = line.value.as_deref().unwrap_or_default().to_ascii_lowercase();
    if value.contains("%{") || value.starts_with("expr=") {
        return true;
    }
    match name {
        "x-forwarded-proto" => at.tls.is_some_and(|tls| value == if tls { "https" } else { "http" }),
        "x-forwarded-port" => at.port.is_none_or(|port| value == port.to_string()),
        _ => false,
    }
}

/// A value of ours for one of Apache's, or what it is that has none.
fn value(written: &str, at: HeaderSetting) -> Result<String, String> {
    let inner = written.strip_prefix("expr=").unwrap_or(written);
    let mut out = String::new();
    let mut rest = inner;
    while let Some(start) = rest.find('%') {
        let (before, after) = rest.split_at(start);
        out.push_str(&before.replace('$', "$$"));
        let after = after.get(1..).unwrap_or_default();
        if let Some(behind) = after.strip_prefix('%') {
            out.push('%');
            rest = behind;
            continue;
        }
        let Some((variable, behind)) = after.strip_prefix('{').and_then(|inside| inside.split_once('}')) else {
            return Err(format!("`{written}`, which has a value of the request in it"));
        };
        let ours =
            variable_of(variable, at).ok_or_else(|| format!("`%{{{variable}}}`, which comes from the request"))?;
        out.push_str(ours);
        rest = behind.strip_prefix(['s', 'e']).filter(|_behind| inner.len() == written.len()).unwrap_or(behind);
    }
    out.push_str(&rest.replace('$', "$$"));
    Ok(out)
}

/// The variable that holds the same.
fn variable_of(apache: &str, at: HeaderSetting) -> Option<&'static str> {
    Some(match apache.to_ascii_uppercase().as_str() {
        "REMOTE_ADDR" | "CONN_REMOTE_ADDR" => "$client_ip",
        "HTTPS" => match at.tls? {
            true => "on",
            false => "off",
        },
        "REQUEST_SCHEME" => "$scheme",
        "HTTP_HOST" | "SERVER_NAME" => "$host",
        "SERVER_PORT" => "$port",
        "SSL_TLS_SNI" => "$tls_server_name",
        "SSL_PROTOCOL" => "$tls_version",
        "SSL_CLIENT_S_DN" => "$client_cert_subject",
        "UNIQUE_ID" => "$request_id",
        "REMOTE_USER" if at.logs_in => "$user",
        "BALANCER_WORKER_NAME" => "$endpoint",
        _ => return None,
    })
}
