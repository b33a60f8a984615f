//! The facts about a request that a decision may rest on.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ::http::header::HOST;
use ::http::{HeaderMap, HeaderValue, Method};
use serde::{Deserialize, Serialize};

use super::{ArrivalFacts, BodySight, BodyStart, ExchangeEffects, wire};
use crate::net::{Authority, UpgradeProtocol};

/// How the client spoke to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// One request as its deciders see it: parsed once, owned, and the same from route to rewrite, but for what deciders
/// edit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestFacts {
    /// Method as sent, case kept.
    #[serde(with = "wire::text")]
    pub method: Method,
    /// How the client spoke to the gateway.
    pub scheme: Scheme,
    /// `Host` (or the authority of an absolute target) as sent. None for HTTP/1.0 without Host.
    pub authority: Option<Authority>,
    /// Starts with `/`, percent-encoding as sent, dot segments removed (RFC 3986 §5.2.4).
    pub path: String,
    /// Query without the `?`, as sent.
    pub query: Option<String>,
    /// First protocol that the client asks to switch to.
    #[serde(with = "wire::name")]
    pub upgrade: Option<UpgradeProtocol>,
    /// The client, trusted proxies already looked through; none on a unix listener.
    pub client: Option<IpAddr>,
    /// Server name of the client's TLS handshake.
    #[serde(with = "wire::name")]
    pub sni: Option<Arc<str>>,
    /// The headers as received, hop-by-hop ones included, without those that only a trusted proxy may send. Shared, so
    /// that what has to own them for a while (a plugin's store, a recorder) takes no copy.
    #[serde(with = "wire::headers")]
    pub headers: Arc<HeaderMap>,
    /// What else is known of the connection; none where there is nothing to be known.
    #[serde(default, with = "wire::shared", skip_serializing_if = "Option::is_none")]
    pub connection: Option<Arc<ArrivalFacts>>,
    /// What its deciders have done so far beside deciding.
    #[serde(default, skip_serializing_if = "ExchangeEffects::is_empty")]
    pub effects: ExchangeEffects,
    /// The beginning of the body, where who decides has asked to see it. Not recorded.
    #[serde(skip)]
    pub body: Option<Arc<BodyStart>>,
}

impl RequestFacts {
    /// A request of nobody, to try deciders with: GET of `path` of `host`, from an address of TEST-NET-2 (RFC 5737).
    #[must_use]
    pub fn made_up(host: &'static str, path: &str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static(host));
        Self {
            method: Method::GET,
            scheme: Scheme::Http,
            authority: host.parse().ok(),
            path: path.to_owned(),
            query: None,
            upgrade: None,
            client: Some(Ipv4Addr::new(198, 51, 100, 7).into()),
            sni: None,
            headers: Arc::new(headers),
            connection: None,
            effects: ExchangeEffects::default(),
            body: None,
        }
    }

    /// Host and port as sent; empty for HTTP/1.0 without Host.
    #[must_use]
    pub fn host_and_port(&self) -> &str {
        self.authority.as_ref().map_or("", Authority::as_str)
    }

    /// Whether more of the body has to come for who wants to see so much of it.
    #[must_use]
    pub fn awaits_body(&self, sight: BodySight) -> bool {
        self.body.as_ref().is_none_or(|body| !body.is_enough_for(sight))
    }

    /// Host without port, lower case; an IPv6 address keeps its brackets.
    #[must_use]
    pub fn host(&self) -> std::borrow::Cow<'_, str> {
        let host = self.authority.as_ref().map_or("", Authority::host);
        if host.bytes().any(|byte| byte.is_ascii_uppercase()) { host.to_ascii_lowercase().into() } else { host.into() }
    }
}
