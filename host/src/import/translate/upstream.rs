//! TLS towards servers (`SSLProxy*`), and what Proxy sections lay over the routes to them.

use super::super::draft::ClientTlsDraft;
use super::super::report::{Report, Severity};
use super::super::tree::{Directive, Place, Section};
use super::goal::{Goal, GoalPlace, is_of_balancer};
use super::scope::{self, ScopeKind, ScopeSettings, is_on};
use super::shape;

/// The Proxy sections of a server that are about these goals, with what stands in them.
pub(super) fn sections<'t>(
    scopes: &[&ScopeSettings<'t>],
    goals: &[&Goal],
    report: &mut Report,
) -> Vec<ScopeSettings<'t>> {
    let all = scopes.iter().flat_map(|scope| scope.proxies.iter());
    let about = all.filter(|section| goals.iter().any(|goal| is_about(section, goal)));
    about.map(|section| scope::read(&section.children, ScopeKind::Proxy, report)).collect()
}

fn is_about(section: &Section, goal: &Goal) -> bool {
    let mut words = section.words.iter().map(|word| word.text.as_str());
    let mut first = words.next().unwrap_or_default();
    let mut pattern = section.is("ProxyMatch");
    if first == "~" {
        pattern = true;
        first = words.next().unwrap_or_default();
    }
    if pattern {
        return shape::compile(first).is_ok_and(|compiled| {
            shape::groups(&compiled, &format!("{}/", goal.url().trim_end_matches('/'))).is_some()
        });
    }
    if first == "*" {
        return true;
    }
    let first = first.trim_end_matches('*');
    // Every section is looked at for every target: balancers, of which there may be many, are told apart unread.
    match &goal.at {
        GoalPlace::Balancer(name) => is_of_balancer(first, name).unwrap_or(false),
        _ if is_of_balancer(first, "").is_some() => false,
        // Names without a scheme are of forward proxies.
        _ => super::goal::goal(first).is_ok_and(|named| named.at.origin() == goal.at.origin()),
    }
}

/// How servers behind `goals` are verified. `None`: Apache would not speak TLS to them.
pub(super) fn tls(
    scopes: &[&ScopeSettings<'_>],
    sections: &[ScopeSettings<'_>],
    place: &Place,
    report: &mut Report,
) -> Option<ClientTlsDraft> {
    let line = |name: &str| -> Option<&Directive> {
        let inner = sections.iter().rev().find_map(|section| section.tls_line(name));
        inner.or_else(|| scopes.iter().rev().find_map(|scope| scope.tls_line(name)))
    };
    let word = |name: &str| line(name).and_then(|line| line.word(0));
    if !word("SSLProxyEngine").is_some_and(is_on) {
        let what = "SSLProxyEngine is off, so that Apache answers 500 instead of speaking TLS to the server";
        report.refuse(place, what, "SSLProxyEngine On, or a plain http target; then import again");
        return None;
    }
    let mut draft = ClientTlsDraft {
        certificate: word("SSLProxyMachineCertificateFile").map(str::to_owned),
        ..ClientTlsDraft::default()
    };
    let off = |name: &str| line(name).filter(|line| line.word(0).is_some_and(|word| word.eq_ignore_ascii_case("off")));
    let unnamed = off("SSLProxyCheckPeerName").or_else(|| off("SSLProxyCheckPeerCN"));
    let verify = line("SSLProxyVerify");
    let ca = word("SSLProxyCACertificateFile");
    match verify.and_then(|line| line.word(0)).map(str::to_ascii_lowercase).as_deref() {
        Some("require" | "optional") => {
            draft.ca = ca.map(str::to_owned);
            if draft.ca.is_none()
                && let Some(line) = line("SSLProxyCACertificatePath")
            {
                report.refuse(
                    &line.place,
                    "certificates are named by file, not by folder",
                    "tls = { ca = \"FILE\" } with all of them in one file",
                );
            }
            if let Some(line) = unnamed {
                let what = "the chain is checked and the name is not, which `verify` cannot say: both are checked";
                report.add(
                    &line.place,
                    Severity::Changed,
                    what,
                    Some("tls.server_name with the name in the server's certificate"),
                );
            }
        }
        said => {
            let quiet = [unnamed, off("SSLProxyCheckPeerExpire"), verify.filter(|_line| said.is_some())];
            if let Some(line) = quiet.into_iter().flatten().next() {
                draft.unverified = true;
                for line in quiet.into_iter().flatten() {
                    report.add(
                        &line.place,
                        Severity::Changed,
                        "nothing of the server's certificate is verified: tls.verify = \"none\"",
                        Some("tls.ca with the certificate of the server, or tls.pin"),
                    );
                }
                let _first = line;
            } else {
                let what = "Apache checks name and dates of the server's certificate, not who signed it; here that \
                    is checked too";
                report.add(
                    place,
                    Severity::Changed,
                    what,
                    Some("for a server that signed its own: a [cluster] with tls = { ca = \"FILE\" } or a pin"),
                );
            }
        }
    }
    Some(draft)
}
