//! A request on its way to an endpoint, and perhaps to the next.

use std::sync::Arc;

use ::http::Response;
use ::http::request::Parts;

use super::failure::RequestFailure;
use super::head::{host_for, target_for};
use super::header_values::ExchangeContext;
use super::in_flight::InFlight;
use super::{RouteRules, Snapshot, Timeouts};
use crate::http::{Fields, Offer};
use crate::policy::RequestFacts;
use crate::upstream::{ExchangeLimits, RequestHead, ResendableBody, ResponseContent, Upstream};

/// A request that can be sent, and sent again.
pub(super) struct Outgoing<'a> {
    pub(super) offer: Option<&'a Offer>,
    pub(super) parts: Parts,
    /// The same for every endpoint.
    pub(super) fields: Fields<'a>,
    /// Whether the client waits to be asked for its body.
    pub(super) expects_continue: bool,
    pub(super) body: ResendableBody,
    pub(super) routed: Option<&'a str>,
    pub(super) snapshot: &'a Snapshot,
    pub(super) rules: &'a RouteRules,
    pub(super) timeouts: &'a Timeouts,
}

/// A response, and the endpoint that it came from.
pub(super) struct EndpointResponse {
    pub(super) response: Response<ResponseContent>,
    pub(super) upstream: Arc<Upstream>,
}

impl Outgoing<'_> {
    /// Sends it to one endpoint.
    ///
    /// # Errors
    /// [`RequestFailure::RoutedPath`] or [`RequestFailure::Exchange`].
    pub(super) async fn send(
        &mut self,
        upstream: &Arc<Upstream>,
        facts: &RequestFacts,
        in_flight: &mut InFlight,
    ) -> Result<EndpointResponse, RequestFailure> {
        let target = target_for(upstream, self.routed, facts, &self.parts.uri).ok_or(RequestFailure::RoutedPath)?;
        let authority = host_for(self.rules, facts, upstream);
        // Boxed: it is rare, and this future is moved with every connection.
        let edited = match &self.rules.request_headers.more {
            None => None,
            Some(edits) => {
                let known = ExchangeContext { snapshot: self.snapshot, rules: self.rules, facts };
                Some(in_flight.edit_request(&self.fields, edits, known))
            }
        };
        let head = RequestHead {
            method: &self.parts.method,
            target: &target,
            authority: &authority,
            fields: edited.as_deref().unwrap_or(&self.fields),
            offer: self.offer,
            expects_continue: self.expects_continue,
        };
        let limits = ExchangeLimits { connect: self.timeouts.connect, response: self.timeouts.response };
        let response = upstream.exchange(head, &mut self.body, limits, in_flight).await?;
        Ok(EndpointResponse { response, upstream: Arc::clone(upstream) })
    }
}
