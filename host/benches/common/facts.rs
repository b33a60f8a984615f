//! A request as a gateway knows it, for those that measure decisions.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method};
use tidegate::net::UpgradeProtocol;
use tidegate::policy::{ExchangeEffects, RequestFacts, Scheme};

/// The offer of a websocket by a client that has sent three headers, by TLS.
pub(crate) fn facts(path: &str) -> RequestFacts {
    let mut headers = HeaderMap::new();
    for (name, value) in [("host", "front.example"), ("user-agent", "bench/1"), ("accept", "*/*")] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    RequestFacts {
        method: Method::GET,
        scheme: Scheme::Https,
        authority: "front.example".parse().ok(),
        path: path.to_owned(),
        query: None,
        upgrade: Some(UpgradeProtocol::Websocket),
        client: Some([192, 0, 2, 9].into()),
        sni: None,
        headers: Arc::new(headers),
        connection: None,
        effects: ExchangeEffects::default(),
        body: None,
    }
}
