//! `[[listen]]`

use std::fmt::Write as _;

use super::super::draft::{CertificateDraft, ListenerDraft, TlsDraft};
use super::remarks::origin;
use super::value::{list, table, text};

pub(super) fn write(out: &mut String, listener: &ListenerDraft) {
    origin(out, std::slice::from_ref(&listener.place));
    out.push_str("[[listen]]\n");
    if let Some(name) = &listener.name {
        _ = writeln!(out, "name = {}", text(name));
    }
    _ = writeln!(out, "address = {}", text(&listener.address));
    if listener.redirect_to_tls {
        out.push_str("redirect_to_tls = true\n");
    }
    if let Some(tls) = &listener.tls {
        secure(out, tls);
    }
    out.push('\n');
}

fn secure(out: &mut String, tls: &TlsDraft) {
    out.push_str("\n[listen.tls]\n");
    if tls.own.placeholder || tls.more.iter().any(|(_names, certificate)| certificate.placeholder) {
        out.push_str("# not in what was imported: put the names of your files here\n");
    }
    for entry in entries(&tls.own) {
        _ = writeln!(out, "{entry}");
    }
    if let Some(version) = tls.min_version {
        _ = writeln!(out, "min_version = {}", text(version));
    }
    if tls.server_order {
        out.push_str("cipher_order = \"server\"\n");
    }
    if !tls.more.is_empty() {
        out.push_str("more = [\n");
        for (names, certificate) in &tls.more {
            let mut all = vec![format!("names = {}", list(names))];
            all.extend(entries(certificate));
            _ = writeln!(out, "  {},", table(&all));
        }
        out.push_str("]\n");
    }
}

fn entries(certificate: &CertificateDraft) -> Vec<String> {
    let mut all =
        vec![format!("certificate = {}", text(&certificate.certificate)), format!("key = {}", text(&certificate.key))];
    if let Some(ca) = &certificate.client_ca {
        all.push(format!("client_ca = {}", text(ca)));
        if certificate.optional {
            all.push("client_certificate = \"optional\"".to_owned());
        }
    }
    all
}
