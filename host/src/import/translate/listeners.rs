//! Listeners: the addresses of the servers, and certificates by name.

use super::super::draft::{CertificateDraft, ListenerDraft, TlsDraft};
use super::super::report::{Report, Severity};
use super::super::tree::Place;
use super::scope::ScopeSettings;
use super::sites::{Site, SiteAddress, Sites};

/// A listener, and the servers behind it, the default first.
#[derive(Debug)]
pub(super) struct ListenerPlan {
    pub(super) draft: ListenerDraft,
    /// Indexes of sites.
    pub(super) sites: Vec<usize>,
}

/// The listeners of all servers.
pub(super) fn plan(sites: &Sites<'_>, report: &mut Report) -> Vec<ListenerPlan> {
    let mut addresses: Vec<(SiteAddress, Place)> = Vec::new();
    let served =
        sites.sites.iter().flat_map(|site| site.addresses.iter().map(|address| (address.clone(), site.place.clone())));
    for (address, place) in sites.listens.iter().cloned().chain(served) {
        if addresses.iter().any(|(known, _place)| known.takes(&address)) {
            continue;
        }
        if addresses.iter().any(|(known, _place)| address.takes(known)) {
            addresses.retain(|(known, _place)| !address.takes(known));
            report.add(
                &place,
                Severity::Changed,
                format!("port {} is listened at for every address", address.port),
                None,
            );
        }
        addresses.push((address, place));
    }
    if let Some((_address, place)) = addresses.iter().find(|(address, _place)| address.ip.is_none()) {
        let what = "ports without an address are listened at by IPv4 alone, where Apache takes IPv6 as well";
        let remedy = "for clients with IPv6, one more [[listen]] for each, with address = \"[::]:PORT\"";
        report.add(place, Severity::Note, what, Some(remedy));
    }
    let plans = addresses.into_iter().map(|(address, place)| {
        let behind: Vec<usize> = sites
            .sites
            .iter()
            .enumerate()
            .filter(|(_index, site)| {
                site.addresses.iter().any(|own| {
                    own.port == address.port && (address.ip.is_none() || own.ip.is_none() || own.ip == address.ip)
                })
            })
            .map(|(index, _site)| index)
            .collect();
        let chosen: Vec<&Site<'_>> = behind.iter().filter_map(|index| sites.sites.get(*index)).collect();
        doubles(&chosen, report);
        let tls = tls(&chosen, &sites.main, address.port, report);
        let ip = address.ip.unwrap_or_else(|| "0.0.0.0".to_owned());
        let draft =
            ListenerDraft { place, address: format!("{ip}:{}", address.port), name: None, redirect_to_tls: false, tls };
        ListenerPlan { draft, sites: behind }
    });
    plans.collect()
}

/// Of two virtual hosts with one name, the first is served.
fn doubles(sites: &[&Site<'_>], report: &mut Report) {
    let mut known: std::collections::HashMap<&str, &Place> = std::collections::HashMap::new();
    for site in sites {
        for name in &site.names {
            match known.get(name.as_str()) {
                Some(first) => {
                    let what = format!(
                        "the virtual host at {first} has the name {name} already and is first: this one never gets a \
                         request for it"
                    );
                    report.add(
                        &site.place,
                        Severity::Dropped,
                        what,
                        Some("give them different names, or make them one"),
                    );
                }
                None => _ = known.insert(name, &site.place),
            }
        }
    }
}

fn tls(sites: &[&Site<'_>], main: &ScopeSettings<'_>, port: u16, report: &mut Report) -> Option<TlsDraft> {
    let secure: Vec<_> = sites.iter().filter(|site| site.tls == Some(true)).collect();
    let first = secure.first()?;
    for plain in sites.iter().filter(|site| site.tls == Some(false)) {
        let what =
            format!("the virtual host speaks plain HTTP on port {port}, where others speak TLS; it is served by TLS");
        report.add(&plain.place, Severity::Changed, what, Some("give it a port of its own"));
    }
    let line = |name: &str| first.scope.tls_word(name).or_else(|| main.tls_word(name));
    let mut draft = TlsDraft {
        own: certificate(first, main, report),
        server_order: line("SSLHonorCipherOrder").is_some_and(|word| word.eq_ignore_ascii_case("on")),
        min_version: min_version(first, main, report),
        more: Vec::new(),
    };
    for (at, site) in secure.iter().enumerate().skip(1) {
        let own = certificate(site, main, report);
        // The first that has a name shows its certificate.
        let before = || secure.iter().take(at);
        let is_free = |name: &&String| !before().any(|other| other.is_beside(site) && other.names.contains(name));
        let names: Vec<_> = site.names.iter().filter(is_free).cloned().collect();
        if own != draft.own && !names.is_empty() {
            draft.more.push((names, own));
        }
    }
    Some(draft)
}

fn certificate(site: &Site<'_>, main: &ScopeSettings<'_>, report: &mut Report) -> CertificateDraft {
    let line = |name: &str| site.scope.tls_line(name).or_else(|| main.tls_line(name));
    let word = |name: &str| line(name).and_then(|line| line.word(0)).map(str::to_owned);
    let mut draft = CertificateDraft::default();
    match word("SSLCertificateFile") {
        Some(file) => {
            draft.key = word("SSLCertificateKeyFile").unwrap_or_else(|| file.clone());
            draft.certificate = file;
        }
        None => {
            let what = "a port for TLS without a certificate in what is imported";
            report.refuse(
                &site.place,
                what,
                "import the file that has SSLCertificateFile as well, or give `certificate` and `key` in [listen.tls]",
            );
            draft = CertificateDraft {
                certificate: "cert.pem".to_owned(),
                key: "key.pem".to_owned(),
                placeholder: true,
                ..draft
            };
        }
    }
    let asked = line("SSLVerifyClient").and_then(|line| Some((line.word(0)?.to_ascii_lowercase(), &line.place)));
    if let Some((how, place)) = asked.filter(|(how, _place)| how != "none") {
        match word("SSLCACertificateFile") {
            Some(ca) => {
                draft.client_ca = Some(ca);
                draft.optional = how != "require";
                if how == "optional_no_ca" {
                    report.add(
                        place,
                        Severity::Changed,
                        "optional_no_ca takes any certificate; here one that is shown has to chain to `client_ca`",
                        None,
                    );
                }
            }
            None => {
                report.refuse(
                    place,
                    "clients have to show certificates, and no SSLCACertificateFile says of whom",
                    "client_ca = \"FILE\" with the certificates in one file",
                );
                draft.client_ca = Some("client-ca.pem".to_owned());
                draft.optional = how != "require";
                draft.placeholder = true;
            }
        }
    }
    draft
}

fn min_version(site: &Site<'_>, main: &ScopeSettings<'_>, report: &mut Report) -> Option<&'static str> {
    let line = site.scope.tls_line("SSLProtocol").or_else(|| main.tls_line("SSLProtocol"))?;
    const VERSIONS: [&str; 5] = ["sslv3", "tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3"];
    let mut on = [false; 5];
    for word in &line.words {
        let lower = word.text.to_ascii_lowercase();
        let (sign, name) = match lower.strip_prefix(['+', '-']) {
            Some(name) => (lower.chars().next(), name),
            None => (None, lower.as_str()),
        };
        let value = sign != Some('-');
        for (known, flag) in VERSIONS.iter().zip(&mut on) {
            if *known == name || name == "all" {
                *flag = value;
            }
        }
    }
    match on {
        [_, _, _, false, true] => Some("1.3"),
        [_, false, false, true, _] => Some("1.2"),
        [_, _, _, true, _] => {
            report.add(&line.place, Severity::Changed, "TLS 1.0 and 1.1 are not spoken: 1.2 is the lowest", None);
            None
        }
        _ => {
            report.add(
                &line.place,
                Severity::Changed,
                "the versions of TLS that are named are not spoken: 1.2 is the lowest",
                None,
            );
            None
        }
    }
}
