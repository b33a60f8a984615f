//! What the imported configuration will say, before it is text.

use std::collections::BTreeMap;

use super::tree::Place;

/// A `tidegate.toml` to be, as far as an import fills it.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// `[gateway.forwarded] trusted`
    pub trusted: Vec<String>,
    /// `[gateway] error_pages`
    pub error_pages: ErrorPagesDraft,
    /// `[[listen]]`
    pub listeners: Vec<ListenerDraft>,
    /// In the order in which they are to be tried.
    pub routes: Vec<RouteDraft>,
    /// `[cluster.NAME]`
    pub clusters: Vec<ClusterDraft>,
}

/// `[[listen]]`
#[derive(Clone, Debug)]
pub struct ListenerDraft {
    pub place: Place,
    /// `ip:port`
    pub address: String,
    /// Written where a route names it.
    pub name: Option<String>,
    pub redirect_to_tls: bool,
    pub tls: Option<TlsDraft>,
}

/// `[listen.tls]`
#[derive(Clone, Debug, Default)]
pub struct TlsDraft {
    pub own: CertificateDraft,
    pub min_version: Option<&'static str>,
    pub server_order: bool,
    /// Certificates of further names.
    pub more: Vec<(Vec<String>, CertificateDraft)>,
}

/// A certificate, and what is asked of clients under its names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateDraft {
    pub certificate: String,
    pub key: String,
    pub client_ca: Option<String>,
    /// `client_certificate = "optional"`
    pub optional: bool,
    /// Whether these are names of files that somebody has yet to choose.
    pub placeholder: bool,
}

/// Which paths a route takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathDraft {
    Prefix(String),
    Regex(String),
}

/// `[[route]]`
#[derive(Clone, Debug)]
pub struct RouteDraft {
    /// The lines that it comes from.
    pub places: Vec<Place>,
    /// Further sentences for the comment above it.
    pub remarks: Vec<String>,
    pub path: PathDraft,
    /// Empty: every host.
    pub hosts: Vec<String>,
    /// Names of listeners. Empty: all of them.
    pub listen: Vec<String>,
    pub when: WhenDraft,
    pub action: ActionDraft,
    pub options: RouteOptions,
}

/// `when = { … }`, and `scheme`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhenDraft {
    pub upgrade: Option<bool>,
    /// The request came by TLS, or did not.
    pub tls: Option<bool>,
    pub methods: Vec<String>,
    /// By name: the inside of an inline table, such as `regex = "x"`.
    pub headers: BTreeMap<String, String>,
    pub query: BTreeMap<String, String>,
    pub clients: Vec<String>,
}

impl WhenDraft {
    /// Whether it holds for every request.
    #[must_use]
    pub fn is_always(&self) -> bool {
        *self == Self::default()
    }
}

/// What a route does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionDraft {
    To(String),
    Redirect { to: String, status: u16 },
    Respond(u16),
    Exclude,
}

/// What a route has beside its matcher and its action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteOptions {
    pub preserve_host: bool,
    /// Networks of clients.
    pub allow: Vec<String>,
    pub deny: Vec<String>,
    pub basic_auth: Option<BasicAuthDraft>,
    /// `None`: the default, websockets.
    pub upgrade: Option<Vec<String>>,
    pub timeouts: TimeoutsDraft,
    pub request_headers: HeadersDraft,
    pub response_headers: HeadersDraft,
    pub error_pages: ErrorPagesDraft,
    pub reverse: ReverseDraft,
}

/// `basic_auth = { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasicAuthDraft {
    pub file: String,
    pub realm: Option<String>,
    /// `None`: every user of the file.
    pub users: Option<Vec<String>>,
}

/// `error_pages = { … }`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorPagesDraft {
    /// Files by status.
    pub files: BTreeMap<u16, String>,
    pub intercept: bool,
}

/// `reverse = { … }`, where the default says too little.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReverseDraft {
    pub origins: Vec<String>,
    pub paths: bool,
    pub cookie_paths: BTreeMap<String, String>,
    pub cookie_domains: BTreeMap<String, String>,
}

/// `timeouts = { … }`, durations as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeoutsDraft {
    pub connect: Option<String>,
    pub response: Option<String>,
    pub tunnel_idle: Option<String>,
}

impl TimeoutsDraft {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `request_headers = { … }` and `response_headers = { … }`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeadersDraft {
    pub set: BTreeMap<String, String>,
    pub append: BTreeMap<String, String>,
    pub set_if_absent: BTreeMap<String, String>,
    pub remove: Vec<String>,
}

impl HeadersDraft {
    /// Whether nothing is edited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `[cluster.NAME]`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterDraft {
    pub places: Vec<Place>,
    pub name: String,
    pub balancer: Option<&'static str>,
    pub endpoints: Vec<EndpointDraft>,
    pub timeouts: TimeoutsDraft,
    /// Endpoints are spoken to in HTTP/2.
    pub http2: bool,
    /// No connection waits for the next request.
    pub unpooled: bool,
    /// `pause`: both first and longest.
    pub pause: Option<String>,
    pub force_recovery: Option<bool>,
    pub wait: Option<String>,
    pub fail_on: Vec<u16>,
    pub attempts: Option<u32>,
    pub sticky: Option<StickyDraft>,
    pub health: Option<HealthDraft>,
    pub tls: Option<ClientTlsDraft>,
}

/// An entry of `endpoints`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointDraft {
    pub url: String,
    pub weight: Option<String>,
    pub route: Option<String>,
    pub redirect: Option<String>,
    pub group: u32,
    pub state: Option<&'static str>,
    pub max_connections: Option<u32>,
    pub ignore_errors: bool,
}

/// `[cluster.NAME.sticky]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StickyDraft {
    pub cookie: String,
    pub parameter: Option<String>,
    pub separator: Option<String>,
    pub no_failover: bool,
    /// The gateway sets the cookie.
    pub issue: bool,
}

/// `[cluster.NAME.health]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthDraft {
    pub probe: &'static str,
    pub path: Option<String>,
    pub method: Option<&'static str>,
    /// Statuses and ranges.
    pub expect: Option<String>,
    pub body: Option<String>,
    pub interval: String,
    pub rise: u32,
    pub fall: u32,
}

/// `[cluster.NAME.tls]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientTlsDraft {
    pub ca: Option<String>,
    pub unverified: bool,
    pub server_name: Option<String>,
    pub certificate: Option<String>,
}

impl RouteDraft {
    /// Whether it does the same for the same requests, wherever both come from.
    #[must_use]
    pub fn does_the_same(&self, other: &Self) -> bool {
        self.path == other.path
            && self.hosts == other.hosts
            && self.when == other.when
            && self.action == other.action
            && self.options == other.options
    }
}

impl ClusterDraft {
    /// Whether it is the same, wherever both come from.
    #[must_use]
    pub fn does_the_same(&self, other: &Self) -> bool {
        let other = Self { places: self.places.clone(), name: self.name.clone(), ..other.clone() };
        *self == other
    }
}
