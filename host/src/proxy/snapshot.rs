//! The running set as one request sees it, from its start to its end.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue};

use super::{AccessRules, ErrorPages, RulesByListener, TlsPorts};
use crate::cluster::Cluster;
use crate::http::{Fields, Forwarding, Pseudonym, is_look_alike};
use crate::net::{FieldEdit, UpgradeProtocol};
use crate::policy::{BodySight, ClusterId, EndpointId, Rewriter, RouteId, Router};
use crate::upstream::Upstream;

/// One generation's deciders and destinations. Immutable; swapped whole.
pub struct Snapshot {
    /// Number of the generation, for logs.
    pub generation: u64,
    /// Chooses the cluster of a request.
    pub router: Arc<dyn Router>,
    /// How much of a request's body that wants to see. Kept, for it is asked for every request.
    pub sight: Option<BodySight>,
    /// The operator's own rewriter, in front of [`Self::reverse`].
    pub rewriter: Option<ResponseDecider>,
    /// Maps responses back: the last one.
    pub reverse: ResponseDecider,
    /// By [`ClusterId`].
    pub destinations: Vec<Destination>,
    /// By [`RouteId`].
    pub routes: Vec<RouteRules>,
    /// For decisions that name no route.
    pub defaults: RouteRules,
    /// What goes to endpoints about the client.
    pub forwarding: Forwarding,
    /// What tells requests that came by the wrong name's handshake.
    pub certificate_rules: RulesByListener,
    /// Where clients without TLS are sent.
    pub tls_ports: TlsPorts,
    /// What responses of the gateway's own show where no route is known.
    pub error_pages: Option<Arc<ErrorPages>>,
    /// Whether any plugin leaves or reads notes.
    pub keeps_notes: bool,
    /// By what requests that come back are known.
    pub pseudonym: Pseudonym,
}

/// A cluster and how to reach its endpoints.
#[derive(Debug)]
pub struct Destination {
    /// Members, and the balancer that chooses one.
    pub cluster: Arc<Cluster>,
    /// By [`EndpointId`]: as many as the cluster has members.
    pub upstreams: Vec<Arc<Upstream>>,
    /// Name of its balancer, for logs.
    pub balancer: Arc<str>,
    /// For decisions that name no route.
    pub timeouts: Timeouts,
}

/// What a `[[route]]` sets for the host.
#[derive(Clone, Debug)]
pub struct RouteRules {
    /// For logs: the path or pattern.
    pub name: Arc<str>,
    /// Protocols that may be switched to.
    pub upgrades: Upgrades,
    /// Who decides behind the router, in this order on requests, and in the other on responses.
    pub plugins: Vec<RoutePlugin>,
    /// Whether its responses are mapped back.
    pub reverse: bool,
    /// Limits in time; none takes those of the cluster.
    pub timeouts: Option<Timeouts>,
    /// Edits towards the endpoint.
    pub request_headers: HeaderEdits,
    /// Names that trailers of its requests must not have, for their fields of the head are not the client's. Nearly always
    /// nothing.
    pub withheld_trailers: Option<Arc<[HeaderName]>>,
    /// Edits towards the client.
    pub response_headers: HeaderEdits,
    /// Send the client's Host.
    pub preserve_host: bool,
    /// Who may use it. Nearly always nothing, which is everybody.
    pub access: Option<Box<AccessRules>>,
    /// What responses of the gateway's own show. Nearly always nothing.
    pub error_pages: Option<Arc<ErrorPages>>,
}

/// A plugin of a route: what it decides of requests, of responses, or both.
#[derive(Clone)]
pub struct RoutePlugin {
    /// As configured, for logs.
    pub name: Arc<str>,
    /// Decides on requests.
    pub router: Option<Arc<dyn Router>>,
    /// Decides on responses.
    pub rewriter: Option<ResponseDecider>,
}

/// A rewriter, with what is asked of it for each response.
#[derive(Clone)]
pub struct ResponseDecider {
    pub(super) rewriter: Arc<dyn Rewriter>,
    /// Whether it is shown every response. Kept, for it is asked where nothing else is.
    pub(super) sees_all: bool,
}

impl ResponseDecider {
    /// That of `rewriter`.
    #[must_use]
    pub fn new(rewriter: Arc<dyn Rewriter>) -> Self {
        Self { sees_all: rewriter.sees_all(), rewriter }
    }
}

impl std::fmt::Debug for RoutePlugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RoutePlugin").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Limits in time of one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To an open connection.
    pub connect: Duration,
    /// To the head of the response, and between two pieces of its body.
    pub response: Duration,
    /// A tunnel without a byte.
    pub tunnel_idle: Duration,
    /// Time without a byte after which both sides of a websocket are pinged; none pings nobody.
    pub tunnel_ping: Option<Duration>,
}

/// Protocols that may be switched to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upgrades {
    /// Every one.
    Any,
    /// These.
    Only(Vec<UpgradeProtocol>),
}

impl Upgrades {
    /// Whether `protocol` may be switched to.
    #[must_use]
    pub fn allow(&self, protocol: &UpgradeProtocol) -> bool {
        match self {
            Self::Any => true,
            Self::Only(these) => these.contains(protocol),
        }
    }
}

/// Operator's edits of a head.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeaderEdits {
    /// Drop first.
    pub remove: Vec<HeaderName>,
    /// Then replace or add.
    pub set: Vec<(HeaderName, HeaderValue)>,
    /// Then this: what depends on the exchange, or on what is there. Nearly always nothing.
    pub more: Option<Box<[FieldEdit]>>,
}

impl HeaderEdits {
    /// Carries out those that are constant.
    pub fn apply(&self, headers: &mut HeaderMap) {
        for name in &self.remove {
            headers.remove(name);
        }
        for (name, value) in &self.set {
            headers.insert(name, value.clone());
        }
    }

    /// The same on what goes to an endpoint.
    pub fn apply_to<'a>(&'a self, fields: &mut Fields<'a>) {
        if !self.remove.is_empty() || !self.set.is_empty() {
            // No client has its own beside it, in a spelling that a server takes for the same.
            let names = self.remove.iter().chain(self.set.iter().map(|(name, _)| name));
            fields.remove(|there| self.remove.contains(there) || names.clone().any(|name| is_look_alike(there, name)));
        }
        for (name, value) in &self.set {
            fields.set(Cow::Borrowed(name), Cow::Borrowed(value));
        }
    }
}

/// What the balancer chose is no endpoint of its cluster. A fault of the gateway's own: choices are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cluster has no endpoint with the id {0}")]
pub struct NoSuchEndpoint(pub EndpointId);

impl Destination {
    /// The way to one of the cluster's endpoints.
    ///
    /// # Errors
    /// `NoSuchEndpoint` if the cluster has none with this id.
    pub fn upstream(&self, endpoint: EndpointId) -> Result<&Arc<Upstream>, NoSuchEndpoint> {
        endpoint.of(&self.upstreams).ok_or(NoSuchEndpoint(endpoint))
    }
}

impl Snapshot {
    /// Where requests for `cluster` go.
    #[must_use]
    pub fn destination(&self, cluster: ClusterId) -> Option<&Destination> {
        cluster.of(&self.destinations)
    }

    /// Whether any rules let requests switch to `protocol`.
    #[must_use]
    pub fn may_switch_to(&self, protocol: &UpgradeProtocol) -> bool {
        // What names no route is the exception where there are some.
        let mut rules = if self.routes.is_empty() { std::slice::from_ref(&self.defaults) } else { &self.routes }.iter();
        rules.any(|rules| rules.upgrades.allow(protocol))
    }

    /// The rules for a decision.
    #[must_use]
    pub fn rules(&self, route: Option<RouteId>) -> &RouteRules {
        route.and_then(|route| route.of(&self.routes)).unwrap_or(&self.defaults)
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("generation", &self.generation).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::LeastBusy;

    #[test]
    fn an_endpoint_that_a_cluster_does_not_have_leads_nowhere() {
        let second = Duration::from_secs(1);
        let destination = Destination {
            cluster: Arc::new(Cluster::new("pool".into(), Vec::new(), Box::new(LeastBusy))),
            upstreams: Vec::new(),
            balancer: "least-busy".into(),
            timeouts: Timeouts { connect: second, response: second, tunnel_idle: second, tunnel_ping: None },
        };

        assert_eq!(destination.upstream(EndpointId(0)).unwrap_err(), NoSuchEndpoint(EndpointId(0)));
    }
}
