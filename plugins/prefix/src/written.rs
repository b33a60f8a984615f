//! The configuration as the gateway writes it from the operator's `[[route]]` list.

use std::collections::BTreeMap;

use serde::Deserialize;

/// All rules, in the order in which they are tried.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// The first that matches wins.
    pub routes: Vec<Route>,
}

/// One rule: a path prefix or a pattern, and what follows from it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Prefix on segment boundaries.
    pub path: Option<String>,
    /// Pattern that is looked for anywhere in the path: `^` and `$` anchor it.
    pub path_regex: Option<String>,
    /// Names and `*.suffixes`; none is every host.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// What else has to hold; else the next rule is tried.
    #[serde(default)]
    pub when: Option<When>,
    /// What to do.
    pub action: Action,
}

/// What has to hold of a request beside its host and path: all of it. What is left out or empty always holds.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// It came in by one of these.
    pub listeners: Vec<String>,
    /// How its client came.
    pub scheme: Option<ClientScheme>,
    /// Its method is one of these, as they are written.
    pub methods: Vec<String>,
    /// Headers by name, in any case.
    pub headers: BTreeMap<String, Test>,
    /// Parameters of its query by name, escapes undone.
    pub query: BTreeMap<String, Test>,
    /// Its client is in one of these networks: an address, or `address/bits`.
    pub clients: Vec<String>,
    /// Whether it asks to switch to one of `protocols`.
    pub upgrade: Option<bool>,
    /// In lower case; none is every protocol.
    pub protocols: Vec<String>,
}

/// How a client came.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ClientScheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

/// What is asked of the values of one name: exactly one of these.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Test {
    /// One of them is this.
    pub is: Option<String>,
    /// None of them is this; there may be none at all.
    pub not: Option<String>,
    /// This pattern is found in one of them.
    pub regex: Option<String>,
    /// Whether there is any.
    pub present: Option<bool>,
}

/// What a rule does.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Action {
    /// Send to a cluster.
    Forward(Forward),
    /// Send the client elsewhere.
    Redirect(Redirect),
    /// Answer right away.
    Respond(Respond),
    /// Match nothing, and look no further.
    Exclude,
}

/// Where to send.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// Name of the cluster.
    pub cluster: String,
    /// Takes the place of the prefix. For a pattern: `$1` and so on stand for its groups.
    #[serde(default)]
    pub path: String,
}

/// Where the client should go.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// The `Location`. For a pattern: `$1` and so on stand for its groups.
    pub to: String,
    /// 301, 302, 303, 307 or 308.
    pub status: u32,
    /// Sent beside it as they are.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
}

/// What to answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Respond {
    /// 200 to 599.
    pub status: u32,
    /// Sent as they are.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Sent as it is.
    #[serde(default)]
    pub body: String,
}
