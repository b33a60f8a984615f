//! `RewriteCond`: what the conditions before a rule ask of a request.

use super::super::draft::WhenDraft;
use super::super::report::{Report, Severity};
use super::super::tree::{Directive, Place};
use super::super::write::text;
use super::pattern::escape;
use super::shape::{PatternTail, shape};

/// All conditions of a rule, as far as they can be said here.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleConditions {
    pub(super) when: WhenDraft,
    /// A pattern that the path has to match as well.
    pub(super) path: Option<String>,
    /// Patterns that the path must not match.
    pub(super) not_paths: Vec<String>,
    /// Names that the request has to be for.
    pub(super) hosts: Vec<String>,
    /// Names that it must not be for.
    pub(super) not_hosts: Vec<String>,
    /// It asks for files, which are not there.
    pub(super) files: bool,
    /// It never holds.
    pub(super) never: Option<String>,
    /// What has no counterpart.
    pub(super) strange: Vec<String>,
    /// Asks for more than a token of Connection, which some browsers send among others.
    pub(super) asks_connection: bool,
    /// The scheme is asked for by what a proxy in front says of it.
    pub(super) scheme_of_proxy: bool,
    /// A look at the query of socket.io stood for the header.
    pub(super) by_query: bool,
}

/// What is said of a rule that asks for the scheme by `X-Forwarded-Proto`.
pub(super) fn tell_of_proxy(place: &Place, report: &mut Report) {
    let what = "X-Forwarded-Proto is believed from proxies that are named, and from nobody else: without them each \
                request has the scheme that it comes by";
    let remedy = "forwarded = { trusted = [ … ] } in [gateway] with the proxies in front";
    report.add(place, Severity::Changed, what, Some(remedy));
}

/// A condition, in parts.
struct Asked {
    negated: bool,
    pattern: String,
    exact: bool,
}

/// Reads the conditions before one rule. `ports`: those of the server, to compare SERVER_PORT with.
pub(super) fn read(conditions: &[&Directive]) -> RuleConditions {
    let mut all = RuleConditions::default();
    let mut alternatives: Vec<&Directive> = Vec::new();
    for condition in conditions {
        let flags = condition.word(2).unwrap_or_default().to_ascii_lowercase();
        let is_or = flags.trim_matches(['[', ']']).split(',').any(|flag| matches!(flag.trim(), "or" | "ornext"));
        alternatives.push(condition);
        if !is_or {
            add(&mut all, &alternatives);
            alternatives.clear();
        }
    }
    if !alternatives.is_empty() {
        add(&mut all, &alternatives);
    }
    all
}

fn add(all: &mut RuleConditions, alternatives: &[&Directive]) {
    match alternatives {
        [one] => single(all, one),
        [first, ..] => {
            let subject = first.word(0).unwrap_or_default();
            let same_subject = alternatives.iter().all(|condition| condition.word(0) == Some(subject));
            let names: Vec<_> =
                alternatives.iter().map(|condition| hosts_of(condition.word(1).unwrap_or_default())).collect();
            if same_subject && is_host(subject) && names.iter().all(|names| !names.is_empty()) {
                all.hosts.extend(names.into_iter().flatten());
            } else if alternatives.iter().any(|condition| asks_files(condition)) {
                all.files = true;
            } else if alternatives.iter().all(|condition| asks_upgrade(condition)) {
                all.when.upgrade = Some(true);
            } else if alternatives.iter().all(|condition| asks_no_upgrade(condition)) {
                all.when.upgrade = Some(false);
            } else if same_subject && variable(subject).as_deref() == Some("REQUEST_URI") {
                let patterns: Vec<_> = alternatives.iter().filter_map(|condition| condition.word(1)).collect();
                all.path = Some(format!("(?:{})", patterns.join("|")));
            } else {
                let told: Vec<_> = alternatives.iter().map(|condition| condition.raw.trim().to_owned()).collect();
                all.strange.push(told.join(" or "));
            }
        }
        [] => {}
    }
}

fn asks_upgrade(condition: &Directive) -> bool {
    let mut one = RuleConditions::default();
    single(&mut one, condition);
    one.when.upgrade == Some(true) || one.asks_connection && one.when.is_always()
}

fn asks_no_upgrade(condition: &Directive) -> bool {
    let mut one = RuleConditions::default();
    single(&mut one, condition);
    one.when.upgrade == Some(false)
}

fn asks_files(condition: &Directive) -> bool {
    let test = condition.word(1).unwrap_or_default().trim_start_matches('!');
    ["-f", "-d", "-s", "-l", "-h", "-x", "-F", "-U"].contains(&test)
}

fn single(all: &mut RuleConditions, condition: &Directive) {
    let (subject, pattern) = (condition.word(0).unwrap_or_default(), condition.word(1).unwrap_or_default());
    let ignores_case = condition.word(2).unwrap_or_default().to_ascii_uppercase().contains("NC");
    if subject.contains("${") {
        all.never = Some(format!(
            "`{subject}` asks a RewriteMap that is not there, so that the condition never holds; %{{…}} was meant"
        ));
        return;
    }
    if asks_files(condition) {
        if pattern.starts_with('!') {
            all.files = true;
        } else {
            all.never = Some("it asks for a file, and files are not served here".to_owned());
        }
        return;
    }
    let (negated, rest) = pattern.strip_prefix('!').map_or((false, pattern), |rest| (true, rest));
    let (exact, bare) = rest.strip_prefix('=').map_or((false, rest), |rest| (true, rest));
    let asked = Asked { negated, pattern: bare.trim_matches('"').to_owned(), exact };
    let strange = || condition.raw.trim().to_owned();
    let Some(name) = variable(subject) else {
        all.strange.push(strange());
        return;
    };
    match name.as_str() {
        "HTTP:UPGRADE" | "HTTP_UPGRADE" => {
            let lower = asked.pattern.to_ascii_lowercase();
            if lower.contains("websocket") || matches!(lower.as_str(), "." | ".+" | "^.+$" | ".*") {
                all.when.upgrade = Some(!asked.negated);
            } else if lower.is_empty() || lower == "^$" {
                all.when.upgrade = Some(asked.negated);
            } else {
                all.strange.push(strange());
            }
        }
        "HTTP:CONNECTION" | "HTTP_CONNECTION" => {
            if !asked.pattern.to_ascii_lowercase().contains("upgrade") {
                all.strange.push(strange());
            } else if asked.negated {
                all.when.upgrade = Some(false);
            } else {
                all.asks_connection = true;
                all.when.upgrade.get_or_insert(true);
            }
        }
        "HTTPS" => match (asked.pattern.trim_matches(['^', '$']).to_ascii_lowercase().as_str(), asked.negated) {
            ("on", false) | ("off", true) => all.when.tls = Some(true),
            ("off", false) | ("on", true) => all.when.tls = Some(false),
            _ => all.strange.push(strange()),
        },
        "REQUEST_SCHEME" | "HTTP:X-FORWARDED-PROTO" => {
            all.scheme_of_proxy |= name != "REQUEST_SCHEME";
            match (asked.pattern.trim_matches(['^', '$']).to_ascii_lowercase().as_str(), asked.negated) {
                ("https", false) | ("http", true) => all.when.tls = Some(true),
                ("http", false) | ("https", true) => all.when.tls = Some(false),
                _ => all.strange.push(strange()),
            }
        }
        "SERVER_PORT" | "SERVER_PORT_SECURE" => match (asked.pattern.trim_matches(['^', '$']), asked.negated) {
            ("80", false) | ("443", true) => all.when.tls = Some(false),
            ("443", false) | ("80", true) => all.when.tls = Some(true),
            _ => all.strange.push(strange()),
        },
        "REQUEST_URI" => {
            let pattern = if asked.exact {
                format!("^{}$", escape(&asked.pattern))
            } else if ignores_case && shape(&asked.pattern).is_none() {
                format!("(?i){}", asked.pattern)
            } else {
                asked.pattern
            };
            if asked.negated {
                all.not_paths.push(pattern);
            } else if all.path.is_none() {
                all.path = Some(pattern);
            } else {
                all.strange.push(strange());
            }
        }
        "QUERY_STRING" if asked.pattern.to_ascii_lowercase().contains("transport=websocket") && !asked.negated => {
            all.when.upgrade.get_or_insert(true);
            all.by_query = true;
        }
        "HTTP_HOST" | "SERVER_NAME" => {
            let names = if asked.exact { vec![asked.pattern.to_ascii_lowercase()] } else { hosts_of(&asked.pattern) };
            if !names.is_empty() {
                if asked.negated { &mut all.not_hosts } else { &mut all.hosts }.extend(names);
            } else if !matches!(asked.pattern.as_str(), "." | ".+" | "^(.*)$" | "(.*)" | "^(.+)$" | "^$" | ".*") {
                // Any name at all comes with each request of HTTP/1.1.
                all.strange.push(strange());
            }
        }
        "REQUEST_METHOD" if !asked.negated => {
            let plain = asked.pattern.trim_matches(['^', '$', '(', ')']);
            if plain.split('|').all(|method| !method.is_empty() && method.chars().all(|c| c.is_ascii_alphabetic())) {
                all.when.methods = plain.split('|').map(str::to_ascii_uppercase).collect();
            } else {
                all.strange.push(strange());
            }
        }
        "HTTP_USER_AGENT" | "HTTP_REFERER" | "HTTP_COOKIE" | "HTTP_ACCEPT" => {
            let header = match name.as_str() {
                "HTTP_USER_AGENT" => "User-Agent",
                "HTTP_REFERER" => "Referer",
                "HTTP_COOKIE" => "Cookie",
                _ => "Accept",
            };
            header_condition(all, header, &asked, ignores_case, strange());
        }
        other => match other.strip_prefix("HTTP:") {
            Some(_upper) => {
                let written = subject.trim_start_matches("%{").trim_end_matches('}');
                let header = written.get(5..).unwrap_or_default().to_owned();
                header_condition(all, &header, &asked, ignores_case, strange());
            }
            None => all.strange.push(strange()),
        },
    }
}

fn header_condition(all: &mut RuleConditions, header: &str, asked: &Asked, ignores_case: bool, strange: String) {
    let value = if asked.negated && !asked.exact {
        // A pattern that must not match has no counterpart.
        all.strange.push(strange);
        return;
    } else if asked.negated {
        format!("not = {}", text(&asked.pattern))
    } else if asked.exact && !ignores_case {
        format!("is = {}", text(&asked.pattern))
    } else {
        let pattern = if asked.exact { format!("^{}$", escape(&asked.pattern)) } else { asked.pattern.clone() };
        format!("regex = {}", text(&if ignores_case { format!("(?i){pattern}") } else { pattern }))
    };
    all.when.headers.insert(header.to_owned(), value);
}

/// The name within `%{…}`, in upper case, if that is all there is.
fn variable(subject: &str) -> Option<String> {
    let inner = subject.strip_prefix("%{")?.strip_suffix('}')?;
    (!inner.contains(['{', '}'])).then(|| inner.to_ascii_uppercase())
}

fn is_host(subject: &str) -> bool {
    matches!(variable(subject).as_deref(), Some("HTTP_HOST" | "SERVER_NAME"))
}

/// The names that a pattern of a host stands for, as `hosts` has them; none where that is not clear.
fn hosts_of(pattern: &str) -> Vec<String> {
    let inner = pattern.trim_start_matches('^').trim_end_matches('$');
    for optional in ["(www\\.)?", "(?:www\\.)?", "(?:www.)?", "(www.)?"] {
        if let Some(name) = inner.strip_prefix(optional).and_then(host_of) {
            return vec![format!("www.{name}"), name];
        }
    }
    if let Some(list) = inner.strip_prefix('(').and_then(|list| list.strip_suffix(')')) {
        let names: Option<Vec<_>> = list.split('|').map(host_of).collect();
        return names.unwrap_or_default();
    }
    if pattern.ends_with('$')
        && let Some(name) = inner.strip_prefix("\\.").or_else(|| inner.strip_prefix(".*\\.")).and_then(host_of)
    {
        return vec![format!("*.{name}")];
    }
    host_of(pattern).into_iter().collect()
}

/// The one name that a pattern of a host stands for.
fn host_of(pattern: &str) -> Option<String> {
    let text = pattern.strip_prefix('=').map(|exact| format!("^{}$", escape(exact)));
    let pattern = text.as_deref().unwrap_or(pattern);
    let slashed = format!("^/{}", pattern.strip_prefix('^').unwrap_or(pattern));
    let shape = shape(&slashed)?;
    let name = shape.literal.strip_prefix('/')?.to_ascii_lowercase();
    let whole = shape.tail == PatternTail::End || name.contains('.');
    (whole && !name.is_empty() && shape.group.is_none() && !name.contains('/')).then_some(name)
}
