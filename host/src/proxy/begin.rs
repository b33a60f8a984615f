//! Reading a request once, for all that decide on it.

use std::sync::Arc;

use ::http::request::Parts;

use super::Client;
use crate::http::{Forwarding, Offer, Target, client_behind};
use crate::policy::{ExchangeEffects, RequestFacts};

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
    RequestFacts {
        method: parts.method.clone(),
        scheme: client.scheme,
        authority: target.authority,
        path: target.path,
        query: target.query,
        upgrade: offer.and_then(Offer::first).cloned(),
        client: client_behind(forwarding, &headers, peer),
        sni: client.sni.clone(),
        connection: client.facts.clone(),
        headers: Arc::new(headers),
        effects: ExchangeEffects::default(),
        body: None,
    }
}
