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
pub(super) async fn begin(body: &mut RequestBody, facts: &mut RequestFacts, sight: BodySight) {
    let now = Instant::now();
    let until = facts.body.as_ref().map_or_else(|| now + PATIENCE, |body| body.until());
    let patience = until.saturating_duration_since(now);
    let (first, begun) = std::mem::replace(body, RequestBody::Empty).begin(sight.bytes(), patience).await;
    *body = begun;
    facts.body = Some(Arc::new(BodyStart::new(first, sight, until)));
}

/// What becomes of a request once enough of its body has come: waits and decides, as often as somebody wants to see more.
///
/// # Errors
/// [`Unrouted`], where it goes nowhere.
pub(super) async fn awaited<'a>(
    mut outcome: Result<RoutedRequest<'a>, NotRouted<'a, AwaitedRequest>>,
    client: &'a Client,
    snapshot: &'a Snapshot,
    in_flight: &mut InFlight,
) -> Result<RoutedRequest<'a>, Box<Unrouted<'a>>> {
    loop {
        let mut request = match outcome {
            Ok(routed) => return Ok(routed),
            Err(NotRouted::Ends(unrouted)) => return Err(unrouted),
            Err(NotRouted::Waits(request)) => request,
        };
        begin(&mut request.body, &mut request.facts, request.awaited.sight).await;
        outcome = resume(client, snapshot, request, in_flight);
    }
}
