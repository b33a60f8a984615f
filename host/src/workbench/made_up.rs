//! Made-up endpoints, requests and responses, as harmless as they look: addresses and names that are never in use.

use std::num::NonZeroUsize;
use std::sync::Arc;

use ::http::{HeaderMap, HeaderValue};
use serde_json::Value;

use crate::plugin::{Artifact, LoadError, PluginSecrets, RouterPlace, TrialInputs};
use crate::policy::{Balancer, Endpoint, RequestFacts, ResponseContext, Rewriter, Router, Scheme, UnusedNumbers};

/// Endpoints with names that differ. Addresses are of TEST-NET-1 (RFC 5737).
pub(super) fn endpoints(count: usize) -> Vec<Endpoint> {
    (0..count).map(|number| Endpoint::named(format!("ws://192.0.2.{}:{}", number % 254 + 1, 8000 + number))).collect()
}

/// The same with the smallest and the greatest weight in turn.
pub(super) fn unequal_endpoints(count: usize) -> Vec<Endpoint> {
    let weigh = |(number, endpoint)| Endpoint { weight: if number % 2 == 0 { 1 } else { 10_000 }, ..endpoint };
    endpoints(count).into_iter().enumerate().map(weigh).collect()
}

/// A plugin with what its roles are configured with.
#[derive(Clone, Debug)]
pub(super) struct ConfiguredPlugin {
    pub(super) artifact: Arc<Artifact>,
    pub(super) inputs: TrialInputs,
}

impl ConfiguredPlugin {
    pub(super) fn balancer(&self, endpoints: &[Endpoint]) -> Result<Box<dyn Balancer>, LoadError> {
        self.successor(endpoints, None)
    }

    /// A balancer that is handed what its predecessor saved.
    pub(super) fn successor(
        &self,
        endpoints: &[Endpoint],
        carry: Option<Vec<u8>>,
    ) -> Result<Box<dyn Balancer>, LoadError> {
        self.artifact.balancer(&self.inputs.for_balancer(), endpoints, Arc::new(UnusedNumbers), carry)
    }

    /// A router over so many clusters and `[[route]]`, or as many as it is tried with if those are more. It stands on a
    /// route, where it may say all that a router may.
    pub(super) fn router(&self, clusters: usize, routes: usize) -> Result<Box<dyn Router>, LoadError> {
        let (config, clusters) = (self.inputs.for_router_or_rewriter(), self.inputs.clusters(clusters));
        let routes = routes.max(self.inputs.route_count());
        self.artifact.router(&config, &clusters, routes, NonZeroUsize::MIN, RouterPlace::Route)
    }

    pub(super) fn rewriter(&self) -> Result<Box<dyn Rewriter>, LoadError> {
        self.artifact.rewriter(&self.inputs.for_router_or_rewriter(), NonZeroUsize::MIN)
    }

    /// The same with this configuration alone.
    pub(super) fn configured(&self, config: Value) -> Self {
        let inputs = TrialInputs { config: Some(config), secrets: PluginSecrets::default(), ..self.inputs.clone() };
        Self { artifact: Arc::clone(&self.artifact), inputs }
    }
}

/// A request of a client that says what it is.
pub(super) fn request(path: &str) -> RequestFacts {
    let made_up = RequestFacts::made_up("tidegate.invalid", path);
    let mut headers = HeaderMap::clone(&made_up.headers);
    headers.insert("user-agent", HeaderValue::from_static("tidegate-plugin-check"));
    RequestFacts { headers: Arc::new(headers), ..made_up }
}

/// The exchange that a made-up response is from.
pub(super) fn exchange() -> ResponseContext<'static> {
    ResponseContext {
        scheme: Scheme::Http,
        host: "tidegate.invalid",
        path: "/",
        route: None,
        endpoint: "http://192.0.2.1:8000",
        request: None,
    }
}
