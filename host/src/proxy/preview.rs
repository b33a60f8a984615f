//! Waiting for the beginning of a request's body, for who decides by it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::in_flight::InFlight;
use super::route::{AwaitedRequest, NotRouted, RoutedRequest, Unrouted, resume};
use super::{Client, Snapshot};
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

impl AwaitedRequest {
    /// Waits, and decides; as often as somebody wants to see more.
    ///
    /// # Errors
    /// [`Unrouted`], where it goes nowhere.
    pub(super) async fn route<'a>(
        mut self: Box<Self>,
        client: &'a Client,
        snapshot: &'a Snapshot,
        in_flight: &mut InFlight,
    ) -> Result<RoutedRequest<'a>, Box<Unrouted<'a>>> {
        loop {
            begin(&mut self.body, &mut self.facts, self.awaited.sight).await;
            match resume(client, snapshot, self, in_flight) {
                Ok(routed) => return Ok(routed),
                Err(NotRouted::Ends(unrouted)) => return Err(unrouted),
                Err(NotRouted::Waits(more)) => self = more,
            }
        }
    }
}
