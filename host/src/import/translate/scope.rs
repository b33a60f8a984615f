//! What the directives of one scope say: the main server, a virtual host, a Location or a Proxy section.

use super::super::report::{Report, Severity};
use super::super::tree::{Directive, Node, Place, Section};
use super::access::AccessReader;
use super::error_documents::{ErrorDocument, ErrorOverride};
use super::headers::{self, HeaderLine};
use super::lists::{Fate, fate};

/// What a scope says, in the order of its lines.
#[derive(Clone, Debug, Default)]
pub(super) struct ScopeSettings<'t> {
    pub(super) names: Vec<(String, Place)>,
    pub(super) server_name: Option<String>,
    pub(super) preserve_host: Option<bool>,
    /// Seconds.
    pub(super) timeout: Option<u64>,
    pub(super) proxy_timeout: Option<u64>,
    pub(super) rewriting: Option<bool>,
    /// RewriteCond and RewriteRule.
    pub(super) rewrites: Vec<&'t Directive>,
    /// ProxyPass and ProxyPassMatch.
    pub(super) mappings: Vec<&'t Directive>,
    pub(super) reverses: Vec<&'t Directive>,
    /// ProxyPassReverseCookiePath and -Domain.
    pub(super) cookies: Vec<&'t Directive>,
    /// Redirect and its relatives.
    pub(super) redirects: Vec<&'t Directive>,
    /// Alias, DocumentRoot and what else serves files.
    pub(super) files: Vec<&'t Directive>,
    pub(super) requests: Vec<HeaderLine>,
    pub(super) responses: Vec<HeaderLine>,
    pub(super) error_documents: Vec<ErrorDocument>,
    pub(super) error_override: Option<ErrorOverride>,
    pub(super) access: AccessReader,
    /// BalancerMember and ProxySet.
    pub(super) members: Vec<&'t Directive>,
    /// SSL lines, of clients and of servers, by name in lower case.
    pub(super) tls: Vec<&'t Directive>,
    pub(super) unpooled: Option<Place>,
    /// Upgrades alone go to ws lines.
    pub(super) no_fallback: bool,
    pub(super) health_expressions: Vec<&'t Directive>,
    pub(super) handler: Option<&'t Directive>,
    pub(super) remote_ip: Vec<&'t Directive>,
    pub(super) locations: Vec<&'t Section>,
    pub(super) proxies: Vec<&'t Section>,
}

/// Where directives stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeKind {
    Server,
    Location,
    Proxy,
}

/// Reads `nodes`; virtual hosts among them are left to the caller.
pub(super) fn read<'t>(nodes: &'t [Node], kind: ScopeKind, report: &mut Report) -> ScopeSettings<'t> {
    let mut scope = ScopeSettings::default();
    scope.take_nodes(nodes, kind, report);
    scope.name_users();
    scope
}

impl<'t> ScopeSettings<'t> {
    fn take_nodes(&mut self, nodes: &'t [Node], kind: ScopeKind, report: &mut Report) {
        for node in nodes {
            match node {
                Node::Directive(directive) => self.take(directive, kind, report),
                Node::Section(section) => self.take_section(section, kind, report),
            }
        }
    }

    /// `RewriteRule . - [E=NAME:%{LA-U:REMOTE_USER}]`, or its `%1` of a condition about that, gives the user another name, by which
    /// headers have it.
    fn name_users(&mut self) {
        let mut asked = false;
        for line in self.rewrites.clone() {
            if line.is("RewriteCond") {
                asked |= line.word(0).is_some_and(|subject| subject.to_ascii_uppercase().contains("REMOTE_USER}"));
                continue;
            }
            let about_user = std::mem::take(&mut asked);
            let flags = line.word(2).unwrap_or_default().trim_matches(['[', ']']).split(',');
            for flag in flags.filter_map(|flag| flag.trim().strip_prefix("E=")) {
                let Some((name, value)) = flag.split_once(':') else { continue };
                if value.to_ascii_uppercase().ends_with("REMOTE_USER}") || about_user && value == "%1" {
                    let (own, users) = (format!("%{{{name}}}e"), "%{REMOTE_USER}e");
                    for line in &mut self.requests {
                        line.value = line.value.take().map(|value| value.replace(&own, users));
                    }
                }
            }
        }
    }

    fn take_section(&mut self, section: &'t Section, kind: ScopeKind, report: &mut Report) {
        let name = section.name.to_ascii_lowercase();
        let say = |report: &mut Report, severity, what: String, remedy: Option<&str>| {
            report.add(&section.place, severity, what, remedy);
        };
        match name.as_str() {
            "virtualhost" => {}
            "location" | "locationmatch" if kind == ScopeKind::Server => self.locations.push(section),
            "proxy" | "proxymatch" if kind == ScopeKind::Server => self.proxies.push(section),
            // They are about files, which requests that are forwarded never meet.
            "directory" | "directorymatch" | "files" | "filesmatch" => {}
            "if" | "elseif" | "else" => {
                if !is_about_tls_headers(section) {
                    let what = format!("{} holds for some requests only", section.tag());
                    say(report, Severity::Refused, what, Some("routes with `when`, `hosts` or `listen`"));
                    if guards(section) {
                        let what = format!("{} decides who may come", section.tag());
                        self.access.decided_by(&section.place, what);
                    }
                } else {
                    say(
                        report,
                        Severity::Note,
                        "X-Forwarded-Proto is sent by default, with the scheme of the client".to_owned(),
                        None,
                    );
                }
            }
            // What Apache would decide at its start has been decided.
            "ifmodule" | "ifdefine" | "ifversion" | "iffile" | "ifdirective" | "ifsection" => {
                self.take_nodes(&section.children, kind, report);
            }
            "mdomainset" | "mdomainsetsection" => {
                let remedy = "let certbot, lego or acme.sh write them and name the files in `certificate` and `key`";
                say(report, Severity::Refused, "certificates are not fetched by the gateway".to_owned(), Some(remedy));
            }
            _ if self.access.take_section(section) => {}
            _ => say(report, Severity::Refused, format!("<{}> has no counterpart here", section.name), None),
        }
    }

    fn take(&mut self, directive: &'t Directive, kind: ScopeKind, report: &mut Report) {
        let name = directive.name.to_ascii_lowercase();
        let first = directive.words.first().map(|word| word.text.as_str()).unwrap_or_default();
        let mut say = |severity, what: String, remedy: Option<&str>| {
            report.add(&directive.place, severity, what, remedy);
        };
        match name.as_str() {
            "listen" => {}
            "servername" => {
                self.server_name = Some(first.to_owned());
                self.names.insert(0, (first.to_owned(), directive.place.clone()));
            }
            "serveralias" => {
                self.names.extend(directive.words.iter().map(|word| (word.text.clone(), directive.place.clone())));
            }
            "proxypreservehost" => self.preserve_host = Some(is_on(first)),
            "timeout" => self.timeout = first.parse().ok().or(self.timeout),
            "proxytimeout" => self.proxy_timeout = first.parse().ok().or(self.proxy_timeout),
            "rewriteengine" => self.rewriting = Some(is_on(first)),
            "rewritecond" | "rewriterule" => self.rewrites.push(directive),
            "rewritebase" => {}
            "proxypass" | "proxypassmatch" => self.mappings.push(directive),
            "proxypassreverse" => self.reverses.push(directive),
            "proxypassreversecookiepath" | "proxypassreversecookiedomain" => self.cookies.push(directive),
            "redirect" | "redirectmatch" | "redirectpermanent" | "redirecttemp" => self.redirects.push(directive),
            "alias" | "aliasmatch" | "documentroot" => self.files.push(directive),
            "balancermember" | "proxyset" => self.members.push(directive),
            "proxyhcexpr" | "proxyhctemplate" => self.health_expressions.push(directive),
            "proxywebsocketfallbacktoproxyhttp" => self.no_fallback = !is_on(first),
            "requestheader" | "header" => match headers::read(directive) {
                Some(line) if name == "header" => self.responses.push(line),
                Some(line) => self.requests.push(line),
                None => say(Severity::Refused, format!("{} has too few words", directive.name), None),
            },
            "setenv" | "setenvif" | "setenvifnocase" => match variable(&directive.raw) {
                Variable::NoReuse => self.unpooled = Some(directive.place.clone()),
                // Where a variable decides about something, that line is told.
                Variable::Silent => {}
                Variable::OldProtocol => say(
                    Severity::Refused,
                    "servers are not spoken to in HTTP/1.0".to_owned(),
                    Some("the server has to speak HTTP/1.1"),
                ),
            },
            "sethandler" | "forcetype" => {
                if kind == ScopeKind::Location || first.to_ascii_lowercase().starts_with("proxy:") {
                    self.handler = Some(directive);
                }
            }
            "remoteipheader"
            | "remoteipinternalproxy"
            | "remoteipinternalproxylist"
            | "remoteiptrustedproxy"
            | "remoteiptrustedproxylist"
            | "remoteipproxiesheader" => self.remote_ip.push(directive),
            "errordocument" => match ErrorDocument::read(directive) {
                Some(document) => self.error_documents.push(document),
                None => say(
                    Severity::Refused,
                    "ErrorDocument: expected a status from 400 to 599 and a page".to_owned(),
                    Some("Apache refuses the file: mend the line, then import again"),
                ),
            },
            "proxyerroroverride" => self.error_override = Some(ErrorOverride::read(directive)),
            "proxyvia" if !first.eq_ignore_ascii_case("off") => {
                say(Severity::Dropped, "ProxyVia: Via is not sent".to_owned(), None);
            }
            "proxyaddheaders" if !is_on(first) => say(
                Severity::Changed,
                "ProxyAddHeaders: X-Forwarded-For, -Host, -Proto and -Port are sent all the same".to_owned(),
                Some("x_forwarded = false in [gateway.forwarded], for all routes"),
            ),
            "adddefaultcharset" if !first.eq_ignore_ascii_case("off") => say(
                Severity::Dropped,
                "AddDefaultCharset: no charset is added to responses".to_owned(),
                Some("let the server say it in Content-Type"),
            ),
            "proxyvia" | "proxyaddheaders" | "adddefaultcharset" => {}
            "proxyrequests" if is_on(first) => say(
                Severity::Refused,
                "this is a forward proxy: clients name the server themselves".to_owned(),
                Some("keep a forward proxy of its own; the routes of this file are imported without it"),
            ),
            "proxyrequests" => {}
            "sslrequiressl" => self.tls.push(directive),
            "sslverifyclient" if kind == ScopeKind::Server => self.tls.push(directive),
            "sslengine"
            | "sslcertificatefile"
            | "sslcertificatekeyfile"
            | "sslprotocol"
            | "sslhonorcipherorder"
            | "sslcacertificatefile"
            | "sslcacertificatepath"
            | "sslproxyengine"
            | "sslproxyverify"
            | "sslproxycheckpeername"
            | "sslproxycheckpeercn"
            | "sslproxycheckpeerexpire"
            | "sslproxycacertificatefile"
            | "sslproxycacertificatepath"
            | "sslproxymachinecertificatefile" => self.tls.push(directive),
            "use" | "include" | "includeoptional" if kind == ScopeKind::Server => {}
            _ if self.access.take(directive) => {
                if kind == ScopeKind::Server && OF_FOLDERS.contains(&name.as_str()) {
                    let what = format!("{} stands outside of every Location: Apache refuses the file", directive.name);
                    say(Severity::Refused, what, Some("put it into <Location />; it is taken so here"));
                }
            }
            _ => match fate(&name) {
                Fate::Silent => {}
                Fate::Dropped(what, remedy) => say(Severity::Dropped, format!("{}: {what}", directive.name), remedy),
                Fate::Refused(what, remedy) => say(Severity::Refused, format!("{}: {what}", directive.name), remedy),
                Fate::Unknown => say(
                    Severity::Refused,
                    format!("{} is not known to the import", directive.name),
                    Some("see whether the servers need what it does, and take the line out if they do not"),
                ),
            },
        }
    }

    /// The last line of this name, lower case, in `tls`.
    pub(super) fn tls_line(&self, name: &str) -> Option<&'t Directive> {
        self.tls.iter().rev().find(|directive| directive.name.eq_ignore_ascii_case(name)).copied()
    }

    /// The first word of the last line of this name.
    pub(super) fn tls_word(&self, name: &str) -> Option<&'t str> {
        self.tls_line(name)?.words.first().map(|word| word.text.as_str())
    }
}

/// What Apache takes within Location, Directory and Proxy alone.
const OF_FOLDERS: [&str; 8] = ["require", "order", "allow", "deny", "satisfy", "authtype", "authname", "authuserfile"];

/// Apache's flags: On, and whatever it takes for it.
pub(super) fn is_on(word: &str) -> bool {
    word.eq_ignore_ascii_case("on")
}

/// What a variable of SetEnv or SetEnvIf does.
enum Variable {
    NoReuse,
    OldProtocol,
    Silent,
}

fn variable(raw: &str) -> Variable {
    let lower = raw.to_ascii_lowercase();
    if lower.contains("proxy-nokeepalive") {
        Variable::NoReuse
    } else if lower.contains("force-proxy-request-1.0") || lower.contains("downgrade-1.0") {
        Variable::OldProtocol
    } else {
        Variable::Silent
    }
}

/// `<If>` around nothing but X-Forwarded-Proto and its like, which are sent with the scheme anyway.
fn is_about_tls_headers(section: &Section) -> bool {
    section.children.iter().all(|node| match node {
        Node::Directive(directive) if directive.name.eq_ignore_ascii_case("RequestHeader") => headers::read(directive)
            .is_some_and(|line| {
                ["x-forwarded-proto", "x-forwarded-port"].contains(&line.name.to_ascii_lowercase().as_str())
            }),
        _ => false,
    })
}

/// Whether something in it is about access.
fn guards(section: &Section) -> bool {
    section.children.iter().any(|node| match node {
        Node::Directive(directive) => AccessReader::default().take(directive),
        Node::Section(inner) => AccessReader::default().take_section(inner) || guards(inner),
    })
}
