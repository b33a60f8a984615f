//! `[[route]]`

use std::fmt::Write as _;

use super::super::draft::{
    ActionDraft, BasicAuthDraft, ErrorPagesDraft, HeadersDraft, PathDraft, ReverseDraft, RouteDraft, TimeoutsDraft,
    WhenDraft,
};
use super::remarks::{origin, sentences};
use super::value::{key, list, table, text, texts};

pub(super) fn write(out: &mut String, route: &RouteDraft) {
    origin(out, &route.places);
    sentences(out, &route.remarks);
    out.push_str("[[route]]\n");
    match &route.path {
        PathDraft::Prefix(path) => _ = writeln!(out, "path = {}", text(path)),
        PathDraft::Regex(pattern) => _ = writeln!(out, "path_regex = {}", text(pattern)),
    }
    if !route.hosts.is_empty() {
        _ = writeln!(out, "hosts = {}", list(&route.hosts));
    }
    if !route.listen.is_empty() {
        _ = writeln!(out, "listen = {}", list(&route.listen));
    }
    conditions(out, &route.when);
    match &route.action {
        ActionDraft::To(to) => _ = writeln!(out, "to = {}", text(to)),
        ActionDraft::Exclude => out.push_str("to = \"!\"\n"),
        ActionDraft::Respond(status) => _ = writeln!(out, "respond = {{ status = {status} }}"),
        ActionDraft::Redirect { to, status: 302 } => _ = writeln!(out, "redirect = {{ to = {} }}", text(to)),
        ActionDraft::Redirect { to, status } => {
            _ = writeln!(out, "redirect = {{ to = {}, status = {status} }}", text(to));
        }
    }
    if route.options.preserve_host {
        out.push_str("preserve_host = true\n");
    }
    for (name, networks) in [("allow", &route.options.allow), ("deny", &route.options.deny)] {
        if !networks.is_empty() {
            _ = writeln!(out, "{name} = {}", list(networks));
        }
    }
    if let Some(login) = &route.options.basic_auth {
        basic_auth(out, login);
    }
    if let Some(protocols) = &route.options.upgrade {
        _ = writeln!(out, "upgrade = {}", list(protocols));
    }
    if !route.options.timeouts.is_empty() {
        _ = writeln!(out, "timeouts = {}", timeouts(&route.options.timeouts));
    }
    reverse(out, &route.options.reverse);
    headers(out, "request_headers", &route.options.request_headers);
    headers(out, "response_headers", &route.options.response_headers);
    error_pages(out, &route.options.error_pages);
    out.push('\n');
}

/// `{ connect = "5s", … }`
pub(super) fn timeouts(timeouts: &TimeoutsDraft) -> String {
    let entries =
        [("connect", &timeouts.connect), ("response", &timeouts.response), ("tunnel_idle", &timeouts.tunnel_idle)];
    let said = entries.iter().filter_map(|(name, value)| Some(format!("{name} = {}", text(value.as_ref()?))));
    table(&said.collect::<Vec<_>>())
}

fn conditions(out: &mut String, when: &WhenDraft) {
    if let Some(tls) = when.tls {
        _ = writeln!(out, "scheme = \"{}\"", if tls { "https" } else { "http" });
    }
    let mut entries = Vec::new();
    if let Some(upgrade) = when.upgrade {
        entries.push(format!("upgrade = {upgrade}"));
    }
    if !when.methods.is_empty() {
        entries.push(format!("methods = {}", list(&when.methods)));
    }
    for (name, all) in [("headers", &when.headers), ("query", &when.query)] {
        if !all.is_empty() {
            let inner: Vec<_> =
                all.iter().map(|(name, condition)| format!("{} = {{ {condition} }}", key(name))).collect();
            entries.push(format!("{name} = {}", table(&inner)));
        }
    }
    if !when.clients.is_empty() {
        entries.push(format!("clients = {}", list(&when.clients)));
    }
    if !entries.is_empty() {
        _ = writeln!(out, "when = {}", table(&entries));
    }
}

fn reverse(out: &mut String, reverse: &ReverseDraft) {
    let mut entries = Vec::new();
    if !reverse.origins.is_empty() {
        entries.push(format!("origins = {}", list(&reverse.origins)));
    }
    if reverse.paths {
        entries.push("paths = true".to_owned());
    }
    for (name, all) in [("cookie_paths", &reverse.cookie_paths), ("cookie_domains", &reverse.cookie_domains)] {
        if !all.is_empty() {
            entries.push(format!("{name} = {}", texts(all)));
        }
    }
    if !entries.is_empty() {
        _ = writeln!(out, "reverse = {}", table(&entries));
    }
}

fn basic_auth(out: &mut String, login: &BasicAuthDraft) {
    let mut entries = vec![format!("file = {}", text(&login.file))];
    entries.extend(login.realm.as_ref().map(|realm| format!("realm = {}", text(realm))));
    entries.extend(login.users.as_ref().map(|users| format!("users = {}", list(users))));
    _ = writeln!(out, "basic_auth = {}", table(&entries));
}

/// `error_pages = { 503 = "sorry.html" }`
pub(super) fn error_pages(out: &mut String, pages: &ErrorPagesDraft) {
    let mut entries: Vec<_> = pages.files.iter().map(|(status, file)| format!("{status} = {}", text(file))).collect();
    if pages.intercept {
        entries.push("intercept = true".to_owned());
    }
    if !pages.files.is_empty() {
        _ = writeln!(out, "error_pages = {}", table(&entries));
    }
}

fn headers(out: &mut String, name: &str, headers: &HeadersDraft) {
    let mut entries = Vec::new();
    for (verb, all) in [("set", &headers.set), ("append", &headers.append), ("set_if_absent", &headers.set_if_absent)] {
        if !all.is_empty() {
            entries.push(format!("{verb} = {}", texts(all)));
        }
    }
    if !headers.remove.is_empty() {
        entries.push(format!("remove = {}", list(&headers.remove)));
    }
    if !entries.is_empty() {
        _ = writeln!(out, "{name} = {}", table(&entries));
    }
}
