//! Requests and members for the tests of this room.

use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{FailurePolicy, Live, Member};
use crate::config::EndpointState;
use crate::policy::{ExchangeEffects, RequestFacts, Scheme};

/// A request of 192.0.2.7.
pub(super) fn facts(path: &str, query: Option<&str>, headers: &[(&str, &str)]) -> RequestFacts {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap());
    }
    RequestFacts {
        method: Method::GET,
        scheme: Scheme::Http,
        authority: "h".parse().ok(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        upgrade: None,
        client: Some([192, 0, 2, 7].into()),
        sni: None,
        headers: Arc::new(map),
        connection: None,
        effects: ExchangeEffects::default(),
        body: None,
    }
}

/// A member that has not been used.
pub(super) fn member(number: usize, state: EndpointState) -> Member {
    Member {
        live: Arc::new(Live::new(&format!("ws://e{number}"))),
        group: 0,
        state,
        max_connections: None,
        failure_policy: FailurePolicy::default(),
        shared: None,
    }
}
