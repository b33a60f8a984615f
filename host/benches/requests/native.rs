//! The shipped plugins' own code, native: what the wasm around it is compared with.

use http::{HeaderName, HeaderValue, StatusCode};
use tidegate::policy::{
    Balancer, Choice, ClusterId, Decision, EndpointId, Fault, ForwardTarget, PickRequest, RequestFacts,
    ResponseContext, Rewriter, Rewritten, RouteId, Routed, Router, Scheme,
};
use tidegate_bybusyness::choose;
use tidegate_parts::Turns;
use tidegate_prefix::rules::Rules;

/// `prefix`.
pub(crate) struct Prefix(pub(crate) Rules);

impl Router for Prefix {
    fn route(&self, request: &RequestFacts) -> Result<Routed, Fault> {
        let line = tidegate_plugin::RequestLine {
            method: request.method.as_str().to_owned(),
            scheme: match request.scheme {
                Scheme::Http => tidegate_plugin::Scheme::Http,
                Scheme::Https => tidegate_plugin::Scheme::Https,
            },
            host: request.host().into_owned(),
            path: request.path.clone(),
            query: request.query.clone(),
            upgrade: request.upgrade.as_ref().map(ToString::to_string),
        };
        match self.0.decide(&line) {
            tidegate_plugin::Decision::Forward(target) => {
                let (cluster, route) = (ClusterId(target.cluster), target.route.map(RouteId));
                Ok(Decision::Forward(ForwardTarget { cluster, path: target.path, route }).into())
            }
            other => panic!("the one route matches everything, but: {other:?}"),
        }
    }
}

/// `bybusyness`.
pub(crate) struct ByBusyness(pub(crate) Turns);

impl Balancer for ByBusyness {
    fn pick(&mut self, request: &PickRequest<'_>) -> Result<Choice, Fault> {
        Ok(choose::pick(&mut self.0, request.eligible.as_numbers(), request.busy).map(EndpointId).into())
    }
}

/// `reverse`, as far as a response goes that carries no field of interest: it is never asked.
pub(crate) struct Reverse(pub(crate) Vec<HeaderName>);

impl Rewriter for Reverse {
    fn interest(&self) -> &[HeaderName] {
        &self.0
    }

    fn rewrite(
        &self,
        _context: &ResponseContext<'_>,
        _status: StatusCode,
        _fields: &[(HeaderName, HeaderValue)],
    ) -> Result<Rewritten, Fault> {
        panic!("no response here carries a field of interest")
    }
}
