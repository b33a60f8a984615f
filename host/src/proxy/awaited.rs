//! A request that is not decided on before something has come for it.

use ::http::request::Parts;

use super::RouteRules;
use super::chain::ChainProgress;
use crate::http::{RequestBody, UpgradeRequest};
use crate::policy::{BodySight, DirectResponse, RequestFacts};

/// A request, and what is awaited for it.
pub(super) struct AwaitedRequest<'a> {
    pub(super) facts: RequestFacts,
    pub(super) parts: Parts,
    pub(super) body: RequestBody,
    pub(super) upgrade: Option<UpgradeRequest>,
    pub(super) awaited: PendingDecision<'a>,
}

/// What is awaited, and how it goes on then.
pub(super) struct PendingDecision<'a> {
    pub(super) step: AwaitedStep<'a>,
    pub(super) next: NextStep<'a>,
}

/// What is awaited.
#[derive(Clone, Copy)]
pub(super) enum AwaitedStep<'a> {
    /// So much of its body.
    Body(BodySight),
    /// Whether the route with these rules lets it in.
    Access(&'a RouteRules),
}

/// Where the decision goes on.
pub(super) enum NextStep<'a> {
    /// The router has not been asked.
    Router,
    /// So far it has come through its routes.
    Chain(ChainProgress),
    /// It gets this response of the router, which is by the route with these rules.
    Respond(DirectResponse, &'a RouteRules),
}

impl NextStep<'_> {
    /// The route that was asked about has let the request in.
    pub(super) fn let_in(&mut self) {
        match self {
            Self::Chain(progress) => progress.let_in(),
            // A response has one route, and it was that.
            Self::Respond(..) | Self::Router => {}
        }
    }
}
