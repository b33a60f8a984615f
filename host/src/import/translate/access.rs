//! Who may come: what Apache asks of clients in a scope.

use super::super::tree::{Directive, Node, Place, Section};

/// What a scope says of access. The last scope that says something counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Open,
    /// Nobody.
    Denied(Place),
    /// Somebody: by address, by password, by certificate.
    Restricted {
        place: Place,
        what: String,
        remedy: &'static str,
    },
}

/// Collects what the directives of one scope say.
#[derive(Clone, Debug, Default)]
pub(super) struct AccessReader {
    found: Option<Access>,
    /// `Satisfy Any` and `RequireAny` make the weakest count.
    any: bool,
    allows_first: Option<bool>,
    allow_all: bool,
    deny_all: Option<Place>,
    allow_some: Option<(Place, String)>,
}

const BY_ADDRESS: &str = "limit the address of the listener or use a firewall, or say --without-access-control";
const BY_PASSWORD: &str =
    "let the server authenticate, or a plugin of the route (`jwt`), or say --without-access-control";

impl AccessReader {
    /// Whether the directive is about access; then it has been taken in.
    pub(super) fn take(&mut self, directive: &Directive) -> bool {
        let words: Vec<_> = directive.words.iter().map(|word| word.text.to_ascii_lowercase()).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let place = || directive.place.clone();
        let name = directive.name.to_ascii_lowercase();
        match name.as_str() {
            "require" => match words.as_slice() {
                ["all", "granted"] | ["not", "all", "denied"] => self.say(Access::Open),
                ["all", "denied"] | ["not", "all", "granted"] => self.say(Access::Denied(place())),
                ["ip" | "host" | "local" | "forward-dns" | "not", ..] => self.by_address(directive),
                ["method", ..] => {
                    self.restricted(directive, "only some methods are allowed", "`when = { methods = [ … ] }`")
                }
                ["ssl" | "ssl-verify-client", ..] => {
                    self.restricted(
                        directive,
                        "clients have to come by TLS or show a certificate",
                        "`client_ca` of the listener",
                    );
                }
                _ => self.by_password(directive),
            },
            "order" => self.allows_first = Some(words.first().is_some_and(|word| word.starts_with("allow"))),
            "allow" => {
                if words.contains(&"all") {
                    self.allow_all = true;
                } else if words.get(1).is_some_and(|word| word.starts_with("env=")) {
                    self.restricted(directive, "access depends on a variable", BY_ADDRESS);
                } else {
                    self.allow_some = Some((place(), directive.raw.clone()));
                }
            }
            "deny" => {
                if words.contains(&"all") {
                    self.deny_all = Some(place());
                } else {
                    self.by_address(directive);
                }
            }
            "satisfy" => self.any = words.contains(&"any"),
            "mellonenable" if words.first() == Some(&"auth") => self.by_password(directive),
            "shibrequestsetting" if words.first().is_some_and(|word| word.starts_with("requiresession")) => {
                self.by_password(directive);
            }
            // Without a Require they ask for nothing.
            "authtype"
            | "authuserfile"
            | "authgroupfile"
            | "authformprovider"
            | "authname"
            | "authbasicprovider"
            | "authdigestprovider"
            | "authldapurl"
            | "authldapbinddn"
            | "authldapbindpassword"
            | "authbasicauthoritative"
            | "authmerging"
            | "authldapgroupattribute"
            | "authldapgroupattributeisdn" => {}
            "sslverifyclient" if words.first() == Some(&"none") => {}
            "sslverifyclient" | "sslrequire" => {
                let remedy = "`client_ca` of a listener of its own, or say --without-access-control";
                self.restricted(directive, "clients have to show a certificate", remedy);
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
                self.say(Access::Restricted { place: place(), what, remedy });
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
                let mut inner = Self { any: name == "requireany", ..Self::default() };
                inner.take_all(&section.children);
                match inner.finish() {
                    Some(Access::Open) if name == "requirenone" => self.say(Access::Denied(section.place.clone())),
                    Some(access) if name != "requirenone" => self.say(access),
                    _ => {
                        let what = format!("<{}> limits who may come", section.name);
                        self.say(Access::Restricted { place: section.place.clone(), what, remedy: BY_ADDRESS });
                    }
                }
                true
            }
            "limit" | "limitexcept" => {
                let mut inner = Self::default();
                inner.take_all(&section.children);
                match inner.finish() {
                    None | Some(Access::Open) => {}
                    Some(_limited) => {
                        let what = format!("<{} {}> limits who may use a method", section.name, section.raw);
                        self.say(Access::Restricted {
                            place: section.place.clone(),
                            what,
                            remedy: "`when = { methods = [ … ] }`",
                        });
                    }
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

    /// What all of them say together.
    pub(super) fn finish(&self) -> Option<Access> {
        let mut found = self.found.clone();
        // Order Allow,Deny refuses whom nobody names; Order Deny,Allow lets them in.
        let by_order = match (&self.deny_all, self.allow_all, &self.allow_some, self.allows_first) {
            (_, _, Some((place, raw)), _) if self.deny_all.is_some() || self.allows_first == Some(true) => {
                let what = format!("only some addresses are let in (`Allow {raw}`)");
                Some(Access::Restricted { place: place.clone(), what, remedy: BY_ADDRESS })
            }
            (Some(_place), true, _, Some(false)) => Some(Access::Open),
            (Some(place), ..) => Some(Access::Denied(place.clone())),
            (None, true, ..) => Some(Access::Open),
            _ => None,
        };
        if let Some(access) = by_order {
            found = Some(match (found, self.any) {
                (Some(before), false) => stricter(before, access),
                (Some(before), true) => weaker(before, access),
                (None, _) => access,
            });
        }
        found
    }

    /// Something else decides who may come.
    pub(super) fn decided_by(&mut self, place: &Place, what: String) {
        self.say(Access::Restricted { place: place.clone(), what, remedy: BY_PASSWORD });
    }

    fn by_address(&mut self, directive: &Directive) {
        self.restricted(directive, "who may come is limited by address", BY_ADDRESS);
    }

    fn by_password(&mut self, directive: &Directive) {
        self.restricted(directive, "clients have to log in", BY_PASSWORD);
    }

    fn restricted(&mut self, directive: &Directive, what: &str, remedy: &'static str) {
        let what = format!("{what} (`{} {}`)", directive.name, directive.raw.trim());
        self.say(Access::Restricted { place: directive.place.clone(), what, remedy });
    }

    fn say(&mut self, access: Access) {
        self.found = Some(match self.found.take() {
            None => access,
            // Several Require lines without a section are alternatives; a login beside them is still asked for.
            Some(Access::Open) if !matches!(access, Access::Open) && self.any => Access::Open,
            Some(before) => stricter(before, access),
        });
    }
}

fn stricter(one: Access, other: Access) -> Access {
    match (&one, &other) {
        (Access::Open, _) => other,
        (Access::Denied(_), Access::Restricted { .. }) => other,
        _ => one,
    }
}

fn weaker(one: Access, other: Access) -> Access {
    if matches!(other, Access::Open) { other } else { one }
}
