//! One request, from decision to response.

use std::sync::Arc;

use ::http::Response;
use ::http::request::Parts;

use super::attempt::attempt;
use super::head::request_fields;
use super::header_values::{ExchangeContext, FailedAt};
use super::in_flight::InFlight;
use super::outgoing::Outgoing;
use super::route::{NotRouted, RouteDecision, RoutedRequest, route};
use super::switch::TunnelSink;
use super::{Client, Snapshot};
use crate::http::{RequestBody, ResponseBody, ServerRequest};
use crate::policy::RequestFacts;
use crate::telemetry::limited;
use crate::upstream::ResendableBody;

/// Responds to one request under one generation.
///
/// Never fails: whatever goes wrong has a response, a count and a line in the log. What a 101 leads to is handed
/// to `tunnels`.
pub(super) async fn handle(
    client: &Arc<Client>,
    snapshot: &Arc<Snapshot>,
    tunnels: &dyn TunnelSink,
    request: ServerRequest,
) -> Response<ResponseBody> {
    let mut in_flight = InFlight::begin(client, snapshot.generation);
    let RoutedRequest { decision, facts, parts, body } = match route(client, snapshot, request, &mut in_flight) {
        Ok(routed) => routed,
        Err(NotRouted::Ends(unrouted)) => return unrouted.respond(snapshot, in_flight),
        // Boxed: it is rare, and this future is moved with every connection.
        Err(NotRouted::Waits(request)) => match Box::pin(request.route(client, snapshot, &mut in_flight)).await {
            Ok(routed) => routed,
            Err(unrouted) => return unrouted.respond(snapshot, in_flight),
        },
    };
    let mut outgoing = decision.outgoing(parts, body, &facts);
    // One function waits, and those before and behind do not: what they hold would be in this future, which is written
    // anew for every request.
    match attempt(decision.destination, &mut outgoing, &facts, &mut in_flight).await {
        Ok(response) => decision.respond(response, &facts, in_flight, tunnels),
        Err(failure) => {
            let cluster = decision.destination.cluster.name();
            tracing::debug!(%cluster, path = ?facts.path, error = %failure, "request failed");
            if failure.is_stalled() {
                report_stall(client, &in_flight);
            }
            in_flight.note_failed(&facts.headers);
            in_flight.fail(&failure, FailedAt::Routed(decision.known(&facts)))
        }
    }
}

/// A client sent nothing of its body for longer than it may.
#[cold]
fn report_stall(client: &Client, in_flight: &InFlight) {
    let (route, cluster) = in_flight.record.route_and_cluster();
    let remedy = "if it may be quiet for so long, raise `body_timeout` in the `limits` of the listener and `response` in \
                  the `timeouts` of route or cluster; for gRPC over HTTP/2 `response` alone counts";
    limited!(
        info, of: route, route, cluster, client = %client.peer, remedy,
        "a client was too slow with the body of its request"
    );
}

impl RouteDecision<'_> {
    /// What is known of it by now.
    pub(super) fn known<'s>(&'s self, facts: &'s RequestFacts) -> ExchangeContext<'s> {
        ExchangeContext { snapshot: self.snapshot, rules: self.rules, facts }
    }

    /// What is sent to the endpoints that are tried.
    fn outgoing<'s>(&'s self, parts: Parts, body: RequestBody, facts: &'s RequestFacts) -> Outgoing<'s> {
        let expects_continue = body.expects_continue();
        let keep = self.destination.cluster.retry().keeps(&parts.method);
        Outgoing {
            offer: self.offer.as_ref(),
            parts,
            fields: request_fields(self.client, self.snapshot, self.rules, facts),
            expects_continue,
            body: ResendableBody::new(body, keep).withholding(self.rules.withheld_trailers.as_ref()),
            routed: self.target.path.as_deref(),
            snapshot: self.snapshot,
            rules: self.rules,
            timeouts: self.timeouts,
        }
    }
}
