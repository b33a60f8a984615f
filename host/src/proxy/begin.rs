//! Reading a request once, for all that decide on it.

use std::sync::Arc;

use ::http::HeaderMap;
use ::http::request::Parts;

use super::Client;
use crate::http::{Forwarding, Offer, Target, client_behind, is_secure_behind};
use crate::policy::{ExchangeEffects, RequestFacts, Scheme};

/// The facts about a request. Its headers move in, but for those that its sender has no right to send: what goes to an
/// endpoint is made from them, each time anew.
pub(super) fn facts(
    client: &Client,
    forwarding: &Forwarding,
    target: Target,
    offer: Option<&Offer>,
    parts: &mut Parts,
) -> RequestFacts {
    let mut headers = std::mem::take(&mut parts.headers);
    let peer = client.forwarded.address();
    forwarding.admit(&mut headers, peer);
    let (from, scheme) = if forwarding.trusted.is_empty() {
        (peer, client.scheme)
    } else {
        (client_behind(forwarding, &headers, peer), scheme_behind(client, forwarding, &headers))
    };
    RequestFacts {
        method: parts.method.clone(),
        scheme,
        authority: target.authority,
        path: target.path,
        query: target.query,
        upgrade: offer.and_then(Offer::first).cloned(),
        client: from,
        sni: client.sni.clone(),
        connection: client.facts.clone(),
        headers: Arc::new(headers),
        effects: ExchangeEffects::default(),
        body: None,
    }
}

/// How the client spoke to who is nearest to it and trusted: to a proxy, or to us.
fn scheme_behind(client: &Client, forwarding: &Forwarding, headers: &HeaderMap) -> Scheme {
    match is_secure_behind(forwarding, headers, client.forwarded.address()) {
        Some(true) => Scheme::Https,
        Some(false) => Scheme::Http,
        None => client.scheme,
    }
}
