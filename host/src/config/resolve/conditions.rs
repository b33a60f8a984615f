//! What has to hold of a request beside its path and host: `listen`, `scheme` and `when` of a route.

use std::collections::BTreeMap;

use ::http::{HeaderName, HeaderValue, Method, header};
use ipnet::IpNet;
use serde_json::{Map, Value, json};
use toml::Spanned;

use super::super::model::UpgradeConfig;
use super::super::schema::{RouteSection, Text, ValueEntry, ValueTable, WhenTable};
use super::{Resolver, defaults};

/// All of it has to hold; what is empty always does.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Conditions {
    /// Names of listeners.
    listeners: Vec<String>,
    scheme: Option<ClientScheme>,
    methods: Vec<String>,
    /// In lower case.
    headers: BTreeMap<String, ValueTest>,
    query: BTreeMap<String, ValueTest>,
    clients: Vec<IpNet>,
    /// Whether it asks to switch to one of these protocols; none is every protocol.
    upgrade: Option<(bool, Vec<String>)>,
}

/// How a client came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientScheme {
    Http,
    Https,
}

/// What is asked of the values of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ValueTest {
    Is(String),
    Not(String),
    Regex(String),
    Present(bool),
}

impl Resolver<'_, '_> {
    /// Those of a route that lets its clients switch to `upgrade`.
    pub(super) fn conditions(&mut self, written: &RouteSection, upgrade: &UpgradeConfig) -> Conditions {
        let mut conditions = Conditions {
            listeners: self.words("listen", written.listen.as_ref(), "leave it out for every [[listen]]"),
            scheme: written.scheme.as_ref().and_then(|scheme| self.client_scheme(scheme)),
            ..Conditions::default()
        };
        if let Some(when) = &written.when {
            let WhenTable { methods, headers, query, clients, upgrade: asks } = when.get_ref();
            if methods.is_none() && headers.is_empty() && query.is_empty() && clients.is_none() && asks.is_none() {
                self.report.warn(when.span(), "`when` is empty: it holds of every request");
            }
            conditions.methods = self.words("methods", methods.as_ref(), "leave it out for every method");
            for method in methods.iter().flat_map(|methods| methods.get_ref()) {
                self.method(method);
            }
            conditions.headers = self.values("headers", headers);
            conditions.query = self.values("query", query);
            if let Some(clients) = clients {
                self.not_empty("clients", clients, "leave it out for every client");
                let networks = clients.get_ref().iter().filter_map(|network| self.network("clients", network));
                conditions.clients = networks.collect();
            }
            conditions.upgrade = asks.as_ref().and_then(|asks| self.asks_to_switch(asks, upgrade));
        }
        conditions
    }

    fn client_scheme(&mut self, written: &Text) -> Option<ClientScheme> {
        let words = [("http", Some(ClientScheme::Http)), ("https", Some(ClientScheme::Https))];
        if let "ws" | "wss" = written.get_ref().as_str() {
            let message = format!("`scheme` is \"{}\", expected one of `http`, `https`", written.get_ref());
            self.report.fault_hint(written.span(), message, "add when = { upgrade = true } for websockets alone");
            return None;
        }
        self.choice("scheme", Some(written), &words, None)
    }

    fn words(&mut self, key: &str, written: Option<&Spanned<Vec<Text>>>, hint: &str) -> Vec<String> {
        let Some(written) = written else { return Vec::new() };
        self.not_empty(key, written, hint);
        written.get_ref().iter().map(|word| word.get_ref().clone()).collect()
    }

    fn not_empty(&mut self, key: &str, written: &Spanned<Vec<Text>>, hint: &str) {
        if written.get_ref().is_empty() {
            self.report.fault_hint(written.span(), format!("`{key}` is empty: the route would never match"), hint);
        }
    }

    /// Methods are told apart by case (RFC 9110 §9.1).
    fn method(&mut self, written: &Text) {
        const USUAL: [Method; 8] = [
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::OPTIONS,
            Method::PATCH,
            Method::TRACE,
        ];
        let text = written.get_ref();
        let meant = USUAL.iter().find(|usual| usual.as_str().eq_ignore_ascii_case(text) && usual.as_str() != text);
        if let Some(meant) = meant {
            let message = format!("method `{text}` never comes: methods are told apart by case");
            self.report.fault_meant(written.span(), message, Some(meant.as_str()));
        } else if Method::from_bytes(text.as_bytes()).is_err() {
            self.report
                .fault(written.span(), format!("bad method \"{text}\" in `methods`, expected for example \"GET\""));
        }
    }

    fn values(&mut self, key: &str, written: &BTreeMap<Text, Spanned<ValueEntry>>) -> BTreeMap<String, ValueTest> {
        let mut read = BTreeMap::new();
        let mut entries: Vec<_> = written.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        for (name, entry) in entries {
            let test = self.value_test(name, entry);
            let name_read =
                if key == "headers" { self.header_to_test(name, test.as_ref()) } else { self.parameter(name) };
            if let (Some(text), Some(test)) = (name_read, test)
                && read.insert(text, test).is_some()
            {
                let message = format!("`{}` is in `{key}` already, expected each once", name.get_ref());
                self.report.fault_hint(name.span(), message, "names of headers do not differ by case: leave one out");
            }
        }
        read
    }

    fn value_test(&mut self, name: &Text, written: &Spanned<ValueEntry>) -> Option<ValueTest> {
        let table = match written.get_ref() {
            ValueEntry::Is(text) => return Some(ValueTest::Is(text.clone())),
            ValueEntry::Table(table) => table,
        };
        match table {
            ValueTable { is: Some(text), not: None, regex: None, present: None } => Some(ValueTest::Is(text.clone())),
            ValueTable { is: None, not: Some(text), regex: None, present: None } => Some(ValueTest::Not(text.clone())),
            ValueTable { is: None, not: None, regex: None, present: Some(wanted) } => Some(ValueTest::Present(*wanted)),
            ValueTable { is: None, not: None, regex: Some(regex), present: None } => {
                self.is_regex("regex", regex).then(|| ValueTest::Regex(regex.get_ref().clone()))
            }
            _ => {
                let message = format!(
                    "condition on `{}` has {}, expected one of `is`, `not`, `regex`, `present`",
                    name.get_ref(),
                    if table.is_empty() { "none of its keys" } else { "several keys" }
                );
                let hint =
                    "for example { regex = \"^v[0-9]+$\" }; what it does not match is for a route behind this one";
                self.report.fault_hint(written.span(), message, hint);
                None
            }
        }
    }

    /// The name of a header that can be asked for, in lower case.
    fn header_to_test(&mut self, written: &Text, test: Option<&ValueTest>) -> Option<String> {
        let text = written.get_ref();
        let Ok(name) = HeaderName::try_from(text.as_str()) else {
            self.report.fault(written.span(), format!("bad header name \"{text}\""));
            return None;
        };
        let hint = if name == header::HOST {
            "use `hosts`"
        } else if name == header::UPGRADE || name == header::CONNECTION {
            "use `upgrade = true` or `upgrade = false`"
        } else {
            if let Some(ValueTest::Is(value) | ValueTest::Not(value)) = test
                && (HeaderValue::try_from(value.as_str()).is_err() || value.trim() != value)
            {
                let message = format!(
                    "header `{text}` never has the value {value:?}: it holds no control characters, and no blanks around it"
                );
                self.report.fault(written.span(), message);
            }
            return Some(name.as_str().to_owned());
        };
        self.report.fault_hint(written.span(), format!("header `{text}` does not come over HTTP/2"), hint);
        None
    }

    fn parameter(&mut self, written: &Text) -> Option<String> {
        if written.get_ref().is_empty() {
            self.report.fault(written.span(), "parameter of the query without a name");
            return None;
        }
        Some(written.get_ref().clone())
    }

    fn asks_to_switch(&mut self, written: &Spanned<bool>, upgrade: &UpgradeConfig) -> Option<(bool, Vec<String>)> {
        let wanted = *written.get_ref();
        let protocols = match upgrade {
            UpgradeConfig::Any => Vec::new(),
            UpgradeConfig::Only(none) if none.is_empty() && wanted => {
                self.report.fault_hint(
                    written.span(),
                    "`when` has upgrade = true, and the route has upgrade = []: it lets nobody switch whom it waits for",
                    "leave one of them out",
                );
                return None;
            }
            UpgradeConfig::Only(none) if none.is_empty() => vec![defaults::UPGRADE.to_string()],
            UpgradeConfig::Only(protocols) => protocols.iter().map(ToString::to_string).collect(),
        };
        Some((wanted, protocols))
    }
}

impl ValueTable {
    fn is_empty(&self) -> bool {
        self.is.is_none() && self.not.is_none() && self.regex.is_none() && self.present.is_none()
    }
}

impl Conditions {
    /// How a client has to have come.
    pub(super) fn scheme(&self) -> Option<ClientScheme> {
        self.scheme
    }

    /// The same as the router reads it; none where there are none.
    pub(super) fn for_router(&self) -> Option<Value> {
        let Self { listeners, scheme, methods, headers, query, clients, upgrade } = self;
        let mut when = Map::new();
        let mut add = |key: &str, is_there: bool, value: Value| {
            if is_there {
                when.insert(key.to_owned(), value);
            }
        };
        let tests = |tests: &BTreeMap<String, ValueTest>| -> Value {
            tests.iter().map(|(name, test)| (name.clone(), test.for_router())).collect::<Map<_, _>>().into()
        };
        add("listeners", !listeners.is_empty(), json!(listeners));
        add("methods", !methods.is_empty(), json!(methods));
        add("headers", !headers.is_empty(), tests(headers));
        add("query", !query.is_empty(), tests(query));
        add("clients", !clients.is_empty(), clients.iter().map(|network| Value::from(network.to_string())).collect());
        if let Some(scheme) = scheme {
            add("scheme", true, scheme.as_str().into());
        }
        if let Some((wanted, protocols)) = upgrade {
            add("upgrade", true, (*wanted).into());
            add("protocols", !protocols.is_empty(), json!(protocols));
        }
        (!when.is_empty()).then(|| when.into())
    }

    /// Whether these hold wherever `later` do, as far as that can be seen.
    pub(super) fn cover(&self, later: &Self) -> bool {
        fn among(earlier: &[String], later: &[String]) -> bool {
            earlier.is_empty() || (!later.is_empty() && later.iter().all(|word| earlier.contains(word)))
        }
        let within = |network: &IpNet| self.clients.iter().any(|earlier| earlier.contains(network));
        let same = |earlier: &BTreeMap<String, ValueTest>, later: &BTreeMap<String, ValueTest>| {
            earlier.iter().all(|(name, test)| later.get(name) == Some(test))
        };
        among(&self.listeners, &later.listeners)
            && among(&self.methods, &later.methods)
            && (self.scheme.is_none() || self.scheme == later.scheme)
            && (self.upgrade.is_none() || self.upgrade == later.upgrade)
            && (self.clients.is_empty() || (!later.clients.is_empty() && later.clients.iter().all(within)))
            && same(&self.headers, &later.headers)
            && same(&self.query, &later.query)
    }
}

impl ClientScheme {
    /// As it is written.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl ValueTest {
    fn for_router(&self) -> Value {
        match self {
            Self::Is(text) => json!({ "is": text }),
            Self::Not(text) => json!({ "not": text }),
            Self::Regex(text) => json!({ "regex": text }),
            Self::Present(wanted) => json!({ "present": wanted }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_cover_what_asks_for_more() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let networks = |networks: &[&str]| networks.iter().map(|network| network.parse().unwrap()).collect::<Vec<_>>();
        let beta = |test: ValueTest| BTreeMap::from([("x-beta".to_owned(), test)]);
        let none = Conditions::default;
        let get = Conditions { methods: words(&["GET", "HEAD"]), ..none() };
        let head = Conditions { methods: words(&["HEAD"]), scheme: Some(ClientScheme::Http), ..none() };
        let wide = Conditions { clients: networks(&["10.0.0.0/8"]), ..none() };
        let narrow = Conditions { clients: networks(&["10.1.0.0/16"]), ..none() };
        let one = Conditions { headers: beta(ValueTest::Is("1".to_owned())), ..none() };
        let other = Conditions { headers: beta(ValueTest::Present(true)), ..none() };
        let table = [
            (&none(), &get, true),
            (&get, &none(), false),
            (&get, &head, true),
            (&head, &get, false),
            (&wide, &narrow, true),
            (&narrow, &wide, false),
            (&wide, &none(), false),
            (&one, &one, true),
            (&one, &other, false),
            (&one, &none(), false),
            (
                &Conditions { listeners: words(&["a"]), ..none() },
                &Conditions { listeners: words(&["a", "b"]), ..none() },
                false,
            ),
            (
                &Conditions { upgrade: Some((true, Vec::new())), ..none() },
                &Conditions { upgrade: Some((false, Vec::new())), ..none() },
                false,
            ),
        ];

        for (earlier, later, expected) in table {
            assert_eq!(earlier.cover(later), expected, "{earlier:?} {later:?}");
        }
    }
}
