//! TLS towards servers (`SSLProxy*`), and what Proxy sections lay over the routes to them.

use std::collections::HashMap;

use regex_automata::nfa::thompson::backtrack::BoundedBacktracker;

use super::super::draft::ClientTlsDraft;
use super::super::report::{Report, Severity};
use super::super::tree::{Directive, Place, Section};
use super::goal::{Goal, GoalPlace};
use super::scope::{self, ScopeKind, ScopeSettings, is_on};
use super::shape;

/// The Proxy sections of a server, with what stands in them, by what they are about.
#[derive(Debug, Default)]
pub(super) struct ProxySections<'t> {
    all: Vec<ScopeSettings<'t>>,
    /// By balancer.
    balancers: HashMap<String, Vec<usize>>,
    /// By scheme, host and port.
    servers: HashMap<String, Vec<usize>>,
    /// `*`, and patterns.
    others: Vec<(usize, Option<BoundedBacktracker>)>,
}

impl<'t> ProxySections<'t> {
    pub(super) fn read(scopes: &[&ScopeSettings<'t>], report: &mut Report) -> Self {
        let mut sections = Self::default();
        for section in scopes.iter().flat_map(|scope| scope.proxies.iter()) {
            let at = sections.all.len();
            sections.all.push(scope::read(&section.children, ScopeKind::Proxy, report));
            sections.index(at, section);
        }
        sections
    }

    fn index(&mut self, at: usize, section: &Section) {
        let mut words = section.words.iter().map(|word| word.text.as_str());
        let mut first = words.next().unwrap_or_default();
        let mut pattern = section.is("ProxyMatch");
        if first == "~" {
            pattern = true;
            first = words.next().unwrap_or_default();
        }
        if pattern {
            self.others.extend(shape::compile(first).ok().map(|compiled| (at, Some(compiled))));
            return;
        }
        if first == "*" {
            self.others.push((at, None));
            return;
        }
        // Names without a scheme are of forward proxies.
        let Ok(named) = super::goal::goal(first.trim_end_matches('*')) else { return };
        match named.at {
            GoalPlace::Balancer(name) => self.balancers.entry(name).or_default().push(at),
            place => self.servers.entry(place.origin()).or_default().push(at),
        }
    }

    /// Those about one of these goals, in their order.
    pub(super) fn about(&self, goals: &[&Goal]) -> Vec<&ScopeSettings<'t>> {
        let mut found = Vec::new();
        for goal in goals {
            let own = match &goal.at {
                GoalPlace::Balancer(name) => self.balancers.get(name),
                place => self.servers.get(&place.origin()),
            };
            found.extend(own.into_iter().flatten().copied());
            let others = self.others.iter().filter(|(_at, pattern)| {
                let url = || format!("{}/", goal.url().trim_end_matches('/'));
                pattern.as_ref().is_none_or(|pattern| shape::groups(pattern, &url()).is_some())
            });
            found.extend(others.map(|(at, _pattern)| *at));
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(|at| self.all.get(at)).collect()
    }
}

/// How servers behind `goals` are verified. `None`: Apache would not speak TLS to them.
pub(super) fn tls(
    scopes: &[&ScopeSettings<'_>],
    sections: &[&ScopeSettings<'_>],
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
