//! Waiting for what a decision needs: the beginning of a request's body, for who decides by it, and whether a route lets a
//! request in that it asks about.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::access::{AccessEnd, ask};
use super::awaited::{AwaitedRequest, AwaitedStep};
use super::header_values::ExchangeContext;
use super::in_flight::InFlight;
use super::route::{NotRouted, RoutedRequest, Unrouted, resume};
use super::{Client, RouteRules, Snapshot};
use crate::http::RequestBody;
use crate::policy::{BodySight, BodyStart, RequestFacts};

/// How long the beginning of a body is awaited, by all who want to see it together: that of a prompt of 256 KiB at one
/// megabit a second.
const PATIENCE: Duration = Duration::from_secs(2);

/// Waits for as much of `body` as `sight` asks for.
async fn begin(body: &mut RequestBody, facts: &mut RequestFacts, sight: BodySight) {
    let now = Instant::now();
    let until = facts.body.as_ref().map_or_else(|| now + PATIENCE, |body| body.until());
    let patience = until.saturating_duration_since(now);
    let (first, begun) = std::mem::replace(body, RequestBody::Empty).begin(sight.bytes(), patience).await;
    *body = begun;
    facts.body = Some(Arc::new(BodyStart::new(first, sight, until)));
}

impl<'a> AwaitedRequest<'a> {
    /// Waits, and decides; as often as somebody wants to see more, or another route asks.
    ///
    /// # Errors
    /// [`Unrouted`], where it goes nowhere.
    pub(super) async fn route(
        mut self: Box<Self>,
        client: &'a Client,
        snapshot: &'a Snapshot,
        in_flight: &mut InFlight,
    ) -> Result<RoutedRequest<'a>, Box<Unrouted<'a>>> {
        loop {
            match self.awaited.step {
                AwaitedStep::Body(sight) => begin(&mut self.body, &mut self.facts, sight).await,
                AwaitedStep::Access(rules) => match ask(rules, client, snapshot, &mut self.facts, in_flight).await {
                    Ok(()) => self.awaited.next.let_in(),
                    Err(end) => return Err(self.refused(end, rules, snapshot, in_flight)),
                },
            }
            match resume(client, snapshot, self, in_flight) {
                Ok(routed) => return Ok(routed),
                Err(NotRouted::Ends(unrouted)) => return Err(unrouted),
                Err(NotRouted::Waits(more)) => self = more,
            }
        }
    }

    /// What the client gets of a route that does not let it in.
    #[cold]
    fn refused(
        &self,
        end: AccessEnd,
        rules: &'a RouteRules,
        snapshot: &'a Snapshot,
        in_flight: &mut InFlight,
    ) -> Box<Unrouted<'a>> {
        let facts = &self.facts;
        in_flight.record.set_denied(&rules.name);
        Box::new(match end {
            AccessEnd::Failed(failure) => Unrouted::Failed(failure, Some(rules)).settled(snapshot, facts, in_flight),
            AccessEnd::Respond(mut response) => {
                in_flight.edit_response(ExchangeContext { snapshot, rules, facts }, response.headers_mut());
                Unrouted::Answered(in_flight.refused(response, &facts.headers))
            }
        })
    }
}
