//! Who may come: what Apache asks of clients in a scope, as it is written.
//!
//! `Require` (mod_authz_core), `Order`, `Allow` and `Deny` (mod_access_compat), and how clients log in are three settings, each
//! of which a scope within another may replace. What they come to is said by [`super::admission`].

use super::super::tree::{Directive, Node, Place, Section};
use super::networks::network;

/// What is asked of clients by one directive, or by several of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    Everybody,
    Nobody,
    /// Words of `Require ip` and `Allow from`, each of which is a network.
    Networks(Vec<ipnet::IpNet>),
    /// Clients on this machine.
    Local(Place),
    /// Who has logged in: these users, or all of them.
    Login(Place, Option<Vec<String>>),
    All(Vec<Demand>),
    Any(Vec<Demand>),
    Not(Box<Demand>),
    Other(Unsaid),
}

/// What has no counterpart, or none yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unsaid {
    pub(super) place: Place,
    pub(super) what: String,
    pub(super) remedy: &'static str,
}

/// What one scope says, or one within others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AccessReader {
    /// Require and its sections, one of which is enough.
    pub(super) require: Option<Required>,
    pub(super) merging: Option<Merging>,
    /// Order, Allow, Deny and Satisfy.
    pub(super) by_host: Option<ByHost>,
    pub(super) login: LoginSettings,
    /// Something else limits who may come.
    pub(super) other: Option<Unsaid>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Required {
    pub(super) places: Vec<Place>,
    pub(super) demand: Demand,
}

/// `AuthMerging`: what a scope says beside what those around it say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merging {
    Off,
    And,
    Or,
}

/// What Order, Allow, Deny and Satisfy of one scope say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ByHost {
    pub(super) places: Vec<Place>,
    /// Else who is named by neither list is let in, and who is named by both as well.
    pub(super) allow_first: bool,
    pub(super) allow: Vec<Demand>,
    pub(super) deny: Vec<Demand>,
    /// `Satisfy Any`: this or Require is enough.
    pub(super) any: bool,
}

/// How clients log in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LoginSettings {
    /// In lower case.
    pub(super) kind: Option<(String, Place)>,
    pub(super) realm: Option<String>,
    pub(super) file: Option<(String, Place)>,
    /// The line that says who looks passwords up.
    pub(super) provider: Option<(String, Place)>,
}

pub(super) const BY_ADDRESS: &str =
    "name the networks with `allow` and `deny` of the route, or say --without-access-control";
const BY_NAME: &str = "name their addresses with `allow` of the route, or say --without-access-control";
const BY_VARIABLE: &str = "a route for these requests with `when`, before one with respond = { status = 403 }, or say --without-access-control";
/// For logins that a file of users does not stand for.
pub(super) const BY_SERVER: &str = "forward_auth = { cluster = \"auth\", path = \"/verify\", headers = [\"remote-user\"] } on the \
     route, and oauth2-proxy, Authelia or the like as that cluster; or say --without-access-control";
const BY_GROUP: &str =
    "basic_auth = { file, realm, users } with the users of the group, or forward_auth and a server that knows groups";
const BY_METHOD: &str = "`when = { methods = [ … ] }` of the route, and one with respond = { status = 403 } behind it";
const REFUSED: &str = "Apache refuses the file: mend the line, then import again";

impl Unsaid {
    fn new(directive: &Directive, what: &str, remedy: &'static str) -> Self {
        let what = format!("{what} (`{} {}`)", directive.name, directive.raw.trim());
        Self { place: directive.place.clone(), what, remedy }
    }
}

impl AccessReader {
    /// Whether the directive is about access; then it has been taken in.
    pub(super) fn take(&mut self, directive: &Directive) -> bool {
        let words: Vec<_> = directive.words.iter().map(|word| word.text.to_ascii_lowercase()).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let place = || directive.place.clone();
        let first = || (words.first().copied().unwrap_or_default().to_owned(), directive.place.clone());
        let name = directive.name.to_ascii_lowercase();
        match name.as_str() {
            "require" => {
                let demand = match words.first() {
                    Some(&"not") => {
                        let what = "only a <RequireAll> may hold a negative Require";
                        Demand::Other(Unsaid::new(directive, what, REFUSED))
                    }
                    _ => required(directive, &words),
                };
                self.require(directive.place.clone(), demand);
            }
            "authmerging" => {
                self.merging = Some(match words.first() {
                    Some(&"and") => Merging::And,
                    Some(&"or") => Merging::Or,
                    _ => Merging::Off,
                });
            }
            "order" => {
                let allow_first = words.first().is_some_and(|word| *word != "deny,allow");
                let by_host = self.by_host(place());
                by_host.allow_first = allow_first;
                if !["allow,deny", "deny,allow", "mutual-failure"]
                    .contains(&directive.raw.trim().to_ascii_lowercase().as_str())
                {
                    self.also(Unsaid::new(directive, "the order is none that Apache knows", REFUSED));
                }
            }
            "allow" => {
                let hosts = hosts(directive, &words);
                self.by_host(place()).allow.extend(hosts);
            }
            "deny" => {
                let hosts = hosts(directive, &words);
                self.by_host(place()).deny.extend(hosts);
            }
            "satisfy" => self.by_host(place()).any = words.contains(&"any"),
            "mellonenable" if words.first() == Some(&"auth") => self.by_password(directive),
            "shibrequestsetting" if words.first().is_some_and(|word| word.starts_with("requiresession")) => {
                self.by_password(directive);
            }
            "authtype" => self.login.kind = Some(first()),
            "authname" => self.login.realm = directive.word(0).map(str::to_owned),
            "authuserfile" => self.login.file = directive.word(0).map(|file| (file.to_owned(), place())),
            "authbasicprovider" | "authdigestprovider" | "authformprovider" | "authbasicfake" => {
                self.login.provider = Some((format!("{} {}", directive.name, directive.raw.trim()), place()));
            }
            // They say more of what Require asks for.
            "authgroupfile" | "authbasicauthoritative" => {}
            "sslverifyclient" if words.first() == Some(&"none") => {}
            "sslverifyclient" | "sslrequire" => {
                let remedy = "`client_ca` of a listener of its own, or say --without-access-control";
                self.also(Unsaid::new(directive, "clients have to show a certificate", remedy));
            }
            _ if [
                "oidc",
                "mellon",
                "shib",
                "authldap",
                "cas",
                "gssapi",
                "krb",
                "authdigest",
                "authform",
                "authcas",
            ]
            .iter()
            .any(|prefix| name.starts_with(prefix)) =>
            {
                // Settings of a module; what asks for it is Require.
            }
            "use" | "include" | "includeoptional" => {
                let what =
                    format!("what `{} {}` says is not there, and may be access control", directive.name, directive.raw);
                let remedy = "import it together with what it names, or say --without-access-control";
                let unsaid = Unsaid { place: place(), what, remedy };
                self.require(directive.place.clone(), Demand::Other(unsaid.clone()));
                // Beside what else the scope says it may ask for more.
                self.also(unsaid);
            }
            _ => return false,
        }
        true
    }

    /// Whether the section is about access; then it has been taken in.
    pub(super) fn take_section(&mut self, section: &Section) -> bool {
        let name = section.name.to_ascii_lowercase();
        match name.as_str() {
            "requireall" | "requireany" | "requirenone" => {
                let demand = match name.as_str() {
                    "requirenone" => Demand::Other(Unsaid {
                        place: section.place.clone(),
                        what: "only a <RequireAll> may hold a <RequireNone>".to_owned(),
                        remedy: REFUSED,
                    }),
                    _ => self.section(section),
                };
                self.require(section.place.clone(), demand);
                true
            }
            "limit" | "limitexcept" => {
                let mut inner = Self::default();
                inner.take_all(&section.children);
                if !inner.is_open() {
                    let what = format!("{} limits who may use a method", section.tag());
                    self.also(Unsaid { place: section.place.clone(), what, remedy: BY_METHOD });
                }
                true
            }
            _ => false,
        }
    }

    fn take_all(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Directive(directive) => _ = self.take(directive),
                Node::Section(section) => _ = self.take_section(section),
            }
        }
    }

    /// What `<RequireAll>`, `<RequireAny>` or `<RequireNone>` asks for.
    fn section(&mut self, section: &Section) -> Demand {
        let all = section.is("RequireAll");
        let mut demands = Vec::new();
        for node in &section.children {
            match node {
                Node::Directive(line) if line.is("Require") => {
                    let words: Vec<_> = line.words.iter().map(|word| word.text.to_ascii_lowercase()).collect();
                    let words: Vec<_> = words.iter().map(String::as_str).collect();
                    demands.push(match words.as_slice() {
                        ["not", rest @ ..] if all => Demand::Not(Box::new(required(line, rest))),
                        ["not", ..] => {
                            let what = "only a <RequireAll> may hold a negative Require";
                            Demand::Other(Unsaid::new(line, what, REFUSED))
                        }
                        words => required(line, words),
                    });
                }
                Node::Section(inner) if inner.is("RequireAll") || inner.is("RequireAny") => {
                    demands.push(self.section(inner));
                }
                Node::Section(inner) if inner.is("RequireNone") && all => demands.push(self.section(inner)),
                // What was decided while reading stands around what counts.
                Node::Section(inner) if inner.name.to_ascii_lowercase().starts_with("if") => {
                    let what = format!("{} within <{}>", inner.tag(), section.name);
                    demands.push(Demand::Other(Unsaid { place: inner.place.clone(), what, remedy: BY_ADDRESS }));
                }
                Node::Directive(line) => {
                    if !self.take(line) {
                        demands.push(Demand::Other(Unsaid::new(line, "this is no demand", REFUSED)));
                    }
                }
                Node::Section(inner) => {
                    let what = format!("<{}> stands within <{}>", inner.name, section.name);
                    demands.push(Demand::Other(Unsaid { place: inner.place.clone(), what, remedy: REFUSED }));
                }
            }
        }
        let only_negative = demands.iter().all(|demand| matches!(demand, Demand::Not(_)));
        if demands.is_empty() || all && only_negative {
            let what = format!("<{}> holds nothing that lets anybody in", section.name);
            return Demand::Other(Unsaid { place: section.place.clone(), what, remedy: REFUSED });
        }
        match section.name.to_ascii_lowercase().as_str() {
            "requireall" => Demand::All(demands),
            "requirenone" => Demand::Not(Box::new(Demand::Any(demands))),
            _ => Demand::Any(demands),
        }
    }

    /// Something else decides who may come.
    pub(super) fn decided_by(&mut self, place: &Place, what: String) {
        self.also(Unsaid { place: place.clone(), what, remedy: BY_VARIABLE });
    }

    /// Whether nothing is said.
    pub(super) fn is_silent(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it says nothing that keeps anybody out.
    fn is_open(&self) -> bool {
        self.other.is_none()
            && self.by_host.as_ref().is_none_or(|by_host| {
                by_host.deny.is_empty() && (!by_host.allow_first || by_host.allow.contains(&Demand::Everybody))
            })
            && self.require.as_ref().is_none_or(|required| required.demand == Demand::Any(vec![Demand::Everybody]))
    }

    /// What holds in this scope within `outer`: each module's settings replace those around it, but for what logs in, which is
    /// several settings, and what only adds to them.
    pub(super) fn within(&self, outer: &Self) -> Self {
        let require = match (&self.require, &outer.require) {
            (Some(own), Some(others)) => {
                let both = || vec![others.demand.clone(), own.demand.clone()];
                let places = || others.places.iter().chain(&own.places).cloned().collect();
                Some(match self.merging {
                    Some(Merging::And) => Required { places: places(), demand: Demand::All(both()) },
                    Some(Merging::Or) => Required { places: places(), demand: Demand::Any(both()) },
                    Some(Merging::Off) | None => own.clone(),
                })
            }
            (own, others) => own.clone().or_else(|| others.clone()),
        };
        // The setting of a scope is not one of those within it.
        let login = LoginSettings {
            kind: self.login.kind.clone().or_else(|| outer.login.kind.clone()),
            realm: self.login.realm.clone().or_else(|| outer.login.realm.clone()),
            file: self.login.file.clone().or_else(|| outer.login.file.clone()),
            provider: self.login.provider.clone().or_else(|| outer.login.provider.clone()),
        };
        Self {
            require,
            merging: None,
            by_host: self.by_host.clone().or_else(|| outer.by_host.clone()),
            login,
            other: self.other.clone().or_else(|| outer.other.clone()),
        }
    }

    fn by_password(&mut self, directive: &Directive) {
        self.also(Unsaid::new(directive, "clients have to log in", BY_SERVER));
    }

    /// Something else limits who may come, if nothing does yet.
    fn also(&mut self, unsaid: Unsaid) {
        self.other.get_or_insert(unsaid);
    }

    fn by_host(&mut self, place: Place) -> &mut ByHost {
        let by_host = self.by_host.get_or_insert_default();
        by_host.places.push(place);
        by_host
    }

    /// Several Require lines without a section are alternatives.
    fn require(&mut self, place: Place, demand: Demand) {
        let required =
            self.require.get_or_insert_with(|| Required { places: Vec::new(), demand: Demand::Any(Vec::new()) });
        required.places.push(place);
        if let Demand::Any(demands) = &mut required.demand {
            demands.push(demand);
        }
    }
}

/// What follows `Require`; `words` are in lower case and without `not`.
fn required(directive: &Directive, words: &[&str]) -> Demand {
    let other = |what: &str, remedy| Demand::Other(Unsaid::new(directive, what, remedy));
    match words {
        ["all", "granted"] => Demand::Everybody,
        ["all", "denied"] => Demand::Nobody,
        ["ip", written @ ..] if !written.is_empty() => match networks(written) {
            Some(networks) => Demand::Networks(networks),
            None => other("who may come is limited by what is no network", BY_ADDRESS),
        },
        ["local"] => Demand::Local(directive.place.clone()),
        ["host" | "forward-dns", ..] => other("who may come is limited by name", BY_NAME),
        ["env", ..] => other("who may come depends on a variable", BY_VARIABLE),
        ["expr", ..] => other("who may come is said by an expression", BY_VARIABLE),
        ["method", ..] => other("only some methods are allowed", BY_METHOD),
        ["ssl" | "ssl-verify-client", ..] => {
            other("clients have to come by TLS or show a certificate", "`client_ca` of the listener")
        }
        ["valid-user"] => Demand::Login(directive.place.clone(), None),
        ["user", names @ ..] if !names.is_empty() && !names.iter().any(|name| name.contains('%')) => {
            // Names of users are told apart by their case.
            let skipped = directive.words.len().saturating_sub(names.len());
            let names = directive.words.iter().skip(skipped).map(|word| word.text.clone()).collect();
            Demand::Login(directive.place.clone(), Some(names))
        }
        ["group" | "file-group" | "dbm-group", ..] => other("clients have to be in a group", BY_GROUP),
        _ => other("clients have to log in", BY_SERVER),
    }
}

/// What follows `Allow from` and `Deny from`.
fn hosts(directive: &Directive, words: &[&str]) -> Vec<Demand> {
    let words = words.strip_prefix(&["from"]).unwrap_or(words);
    if words.contains(&"all") {
        return vec![Demand::Everybody];
    }
    if let Some(networks) = networks(words) {
        return vec![Demand::Networks(networks)];
    }
    let by_variable = words.iter().any(|word| word.starts_with("env="));
    let (what, remedy) = if by_variable {
        ("who may come depends on a variable", BY_VARIABLE)
    } else {
        ("who may come is limited by name", BY_NAME)
    };
    vec![Demand::Other(Unsaid::new(directive, what, remedy))]
}

fn networks(words: &[&str]) -> Option<Vec<ipnet::IpNet>> {
    words.iter().map(|word| network(word)).collect()
}
