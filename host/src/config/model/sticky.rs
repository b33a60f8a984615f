//! What keeps a client at an endpoint: `sticky` and `affinity` of a cluster.

use std::time::Duration;

use ::http::HeaderName;

/// A client's requests go to the endpoint whose route they name. At least one of `cookie` and `parameter` is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StickyConfig {
    /// Name of the cookie that carries the route.
    pub cookie: Option<String>,
    /// Name of the parameter in path or query that carries it; looked at before the cookie, as Apache does.
    pub parameter: Option<String>,
    /// The route is what follows the first of these in the value; none: it is the whole value. Default `.`.
    pub separator: Option<char>,
    /// Whether the balancer chooses when the endpoint of a known route cannot take work. Default true; false is 503.
    pub failover: bool,
    /// The cookie that the gateway sets itself; none sets none.
    pub issue: Option<Issue>,
}

/// How the gateway's cookie is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Starts with `/`. Default `/`.
    pub path: String,
    /// Default lax.
    pub same_site: SameSite,
    /// None: as the client came, by TLS or not.
    pub secure: Option<bool>,
    /// Default true.
    pub http_only: bool,
    /// None: as long as the browser runs.
    pub max_age: Option<Duration>,
}

/// `SameSite` of a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Sent from the same site alone.
    Strict,
    /// Sent with top-level navigation, too.
    Lax,
    /// Sent always; browsers ask for `Secure` then.
    None,
}

/// What requests have in common that should meet at one endpoint: the key of a hashing balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Affinity {
    /// Value of a cookie.
    Cookie(String),
    /// Value of a header.
    Header(HeaderName),
    /// Value of a query parameter, as sent.
    Query(String),
    /// The path without the query, as sent.
    Path,
    /// The client's address.
    Client,
}
