//! Virtual hosts: their addresses, their names, and whether clients come by TLS.

use super::super::report::{Report, Severity};
use super::super::tree::{Node, Place, Section, Tree, Word};
use super::goal::host_and_port;
use super::scope::{self, ScopeKind, ScopeSettings, is_on};

/// A virtual host, or the main server where requests can get to it.
#[derive(Debug)]
pub(super) struct Site<'t> {
    pub(super) place: Place,
    pub(super) addresses: Vec<SiteAddress>,
    /// As `hosts` has them. Empty: it has none.
    pub(super) names: Vec<String>,
    /// It takes every name.
    pub(super) any_name: bool,
    /// Clients come by TLS; `None`: nothing is said of either.
    pub(super) tls: Option<bool>,
    pub(super) scope: ScopeSettings<'t>,
    pub(super) is_main: bool,
}

/// What a virtual host or a Listen stands at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SiteAddress {
    /// `None`: every address of the machine.
    pub(super) ip: Option<String>,
    pub(super) port: u16,
}

impl SiteAddress {
    /// Whether a listener there, of IPv4 as every one without an address, leaves nothing for one at `other`.
    pub(super) fn takes(&self, other: &Self) -> bool {
        let is_within = match (&self.ip, &other.ip) {
            (None, Some(ip)) => !ip.contains(':'),
            (own, ip) => own == ip,
        };
        self.port == other.port && is_within
    }
}

impl Site<'_> {
    /// Whether requests for `name`, which may be a wildcard of `hosts`, get to this server where it is asked before others.
    pub(super) fn takes(&self, name: &str) -> bool {
        self.names.iter().any(|own| {
            own == name
                || own
                    .strip_prefix("*.")
                    .and_then(|above| name.strip_suffix(above))
                    .is_some_and(|below| below.len() > 1 && below.ends_with('.'))
        })
    }

    /// Whether both stand at one address, so that names decide between them.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.addresses.iter().any(|own| other.addresses.contains(own))
    }
}

/// The servers of a configuration.
#[derive(Debug)]
pub(super) struct Sites<'t> {
    /// The main server as read: what others inherit.
    pub(super) main: ScopeSettings<'t>,
    pub(super) sites: Vec<Site<'t>>,
    /// With the line that says so.
    pub(super) listens: Vec<(SiteAddress, Place)>,
}

/// Reads the servers.
pub(super) fn read<'t>(tree: &'t Tree, report: &mut Report) -> Sites<'t> {
    let main = scope::read(&tree.nodes, ScopeKind::Server, report);
    let mut sections = Vec::new();
    let mut listens = Vec::new();
    collect(&tree.nodes, &mut sections, &mut listens, report);
    let ports: Vec<u16> = listens.iter().map(|(address, _place): &(SiteAddress, Place)| address.port).collect();
    let mut sites: Vec<Site<'t>> = sections.into_iter().map(|section| site(section, &main, &ports, report)).collect();
    let forwards = !main.mappings.is_empty()
        || !main.rewrites.is_empty()
        || !main.locations.is_empty()
        || !main.redirects.is_empty();
    let first = tree.nodes.first().map(Node::place).cloned();
    if let Some(place) = first.filter(|_place| sites.is_empty() || forwards) {
        let uncovered: Vec<_> = listens
            .iter()
            .map(|(address, _place)| address.clone())
            .filter(|address| !sites.iter().any(|site| site.addresses.iter().any(|own| own.port == address.port)))
            .collect();
        if sites.is_empty() || !uncovered.is_empty() {
            sites.push(main_site(&main, place, uncovered, report));
        }
    }
    Sites { main, sites, listens }
}

fn main_site<'t>(
    main: &ScopeSettings<'t>,
    place: Place,
    mut addresses: Vec<SiteAddress>,
    report: &mut Report,
) -> Site<'t> {
    let is_tls = tls(main, &ScopeSettings::default(), &[]);
    if addresses.is_empty() {
        let port = if is_tls == Some(true) { 443 } else { 80 };
        let what = format!("no Listen and no <VirtualHost> in what is imported: port {port} is taken");
        report.add(&place, Severity::Note, what, Some("correct the address in [[listen]]"));
        addresses.push(SiteAddress { ip: None, port });
    }
    let names = names(main, report);
    // A part of a file that is included somewhere serves whatever includes it.
    let scope = ScopeSettings { locations: main.locations.clone(), ..ScopeSettings::default() };
    Site { place, addresses, names, any_name: true, tls: is_tls, scope, is_main: true }
}

fn collect<'t>(
    nodes: &'t [Node],
    sections: &mut Vec<&'t Section>,
    listens: &mut Vec<(SiteAddress, Place)>,
    report: &mut Report,
) {
    for node in nodes {
        match node {
            Node::Directive(line) if line.is("Listen") => match line.word(0).and_then(listen) {
                Some(address) => {
                    if !listens.iter().any(|(known, _place)| *known == address) {
                        listens.push((address, line.place.clone()));
                    }
                }
                None => report.refuse(
                    &line.place,
                    format!("`Listen {}` is no port", line.raw.trim()),
                    "write PORT or IP:PORT",
                ),
            },
            Node::Directive(_) => {}
            Node::Section(section) if section.is("VirtualHost") => sections.push(section),
            Node::Section(section) if section.name.to_ascii_lowercase().starts_with("if") => {
                collect(&section.children, sections, listens, report);
            }
            Node::Section(_) => {}
        }
    }
}

fn listen(word: &str) -> Option<SiteAddress> {
    if let Ok(port) = word.parse() {
        return Some(SiteAddress { ip: None, port });
    }
    let (host, port) = host_and_port(word)?;
    let any = ["*", "0.0.0.0", "[::]", "_default_"].contains(&host.as_str());
    Some(SiteAddress { ip: (!any).then_some(host), port: port? })
}

fn site<'t>(section: &'t Section, main: &ScopeSettings<'t>, listens: &[u16], report: &mut Report) -> Site<'t> {
    let scope = scope::read(&section.children, ScopeKind::Server, report);
    let mut addresses = Vec::new();
    for word in &section.words {
        addresses.extend(address(word, &scope, main, listens, &section.place, report));
    }
    if addresses.is_empty() {
        let port = if tls(&scope, main, &[]) == Some(true) { 443 } else { 80 };
        let what = format!("the virtual host has no address that can be listened at: port {port} is taken");
        report.refuse(&section.place, what, "write *:80 or *:443, or correct the address in [[listen]]");
        addresses.push(SiteAddress { ip: None, port });
    }
    let names = names(&scope, report);
    let any_name = scope.names.iter().any(|(name, _place)| name == "*");
    let tls = tls(&scope, main, &addresses);
    Site { place: section.place.clone(), addresses, names, any_name, tls, scope, is_main: false }
}

fn address(
    word: &Word,
    scope: &ScopeSettings<'_>,
    main: &ScopeSettings<'_>,
    listens: &[u16],
    place: &Place,
    report: &mut Report,
) -> Vec<SiteAddress> {
    let text = word.text.as_str();
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let ip = match host.trim_matches(['[', ']']) {
        "*" | "_default_" | "0.0.0.0" | "::" | "" => None,
        ip if ip.parse::<std::net::IpAddr>().is_ok() => Some(host.to_owned()),
        _ => {
            let what = format!("`{host}` is a name, which Apache looks up when it starts; taken as every address");
            report.add(place, Severity::Changed, what, Some("write * and give the name with ServerName"));
            None
        }
    };
    let ports = match port {
        Some("*") | None => {
            if listens.is_empty() {
                vec![if tls(scope, main, &[]) == Some(true) { 443 } else { 80 }]
            } else {
                listens.to_vec()
            }
        }
        Some(port) => match port.parse() {
            Ok(port) => vec![port],
            Err(_no_number) => {
                report.refuse(
                    place,
                    format!("`{port}` is no port"),
                    "fill in what stands for it (-D NAME=VALUE or the environment), then import again",
                );
                Vec::new()
            }
        },
    };
    ports.into_iter().map(|port| SiteAddress { ip: ip.clone(), port }).collect()
}

/// Whether clients come by TLS: what is said, a certificate, or port 443.
fn tls(scope: &ScopeSettings<'_>, main: &ScopeSettings<'_>, addresses: &[SiteAddress]) -> Option<bool> {
    let said = |scope: &ScopeSettings<'_>| {
        scope.tls_word("SSLEngine").map(|word| is_on(word) || word.eq_ignore_ascii_case("optional"))
    };
    let certified = scope.tls_line("SSLCertificateFile").is_some();
    match said(scope).or_else(|| said(main)) {
        Some(said) => Some(said),
        None if certified => Some(true),
        None if addresses.is_empty() => None,
        None => Some(addresses.iter().any(|address| address.port == 443)),
    }
}

/// ServerName and ServerAlias, as `hosts` takes them.
fn names(scope: &ScopeSettings<'_>, report: &mut Report) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (written, place) in &scope.names {
        let bare = written.split_once("://").map_or(written.as_str(), |(_scheme, rest)| rest);
        let bare = bare
            .rsplit_once(':')
            .filter(|(_host, port)| port.parse::<u16>().is_ok())
            .map_or(bare, |(host, _port)| host);
        let name = bare.trim_end_matches(['/', '.']).to_ascii_lowercase();
        // What stands for a name is told by who reads the file.
        if name == "*" || names.contains(&name) || name.contains(['<', '>']) {
            continue;
        }
        let stem = name.strip_prefix("*.").unwrap_or(&name);
        if stem.contains(['*', '?']) {
            report.refuse(
                place,
                format!("`{written}` has a wildcard inside a label, and `hosts` knows *.NAME alone"),
                "list the names in `hosts`",
            );
        } else if stem.is_empty()
            || !stem.chars().all(|c| c.is_alphanumeric() || "-_.:[]".contains(c))
            || !stem.is_ascii()
        {
            report.refuse(place, format!("`{written}` is no name of a host"), "write the name that clients ask for");
        } else {
            names.push(name);
        }
    }
    names
}
