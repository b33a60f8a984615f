//! Asking who a client is, where a route does that.

use ::http::Response;

use super::super::failure::RequestFailure;
use super::super::in_flight::InFlight;
use super::super::{Client, RouteRules, Snapshot};
use crate::http::ResponseBody;
use crate::policy::RequestFacts;

/// What becomes of a request that is not let in.
pub(in crate::proxy) enum AccessEnd {
    /// It gets this response as it is; what the route says of its responses is carried out on it.
    #[expect(dead_code, reason = "the checks that end with it are not here yet")]
    Respond(Response<ResponseBody>),
    /// It failed.
    Failed(RequestFailure),
}

/// Asks, in this order, whom the route with these `rules` asks who the client of a request is. What is said of the client is
/// put into `facts`. Dropped amid it, it leaves nothing behind.
///
/// # Errors
/// [`AccessEnd`], where the request is not let in. That is on record.
pub(in crate::proxy) async fn ask(
    rules: &RouteRules,
    _client: &Client,
    _snapshot: &Snapshot,
    _facts: &mut RequestFacts,
    _in_flight: &mut InFlight,
) -> Result<(), AccessEnd> {
    let Some(access) = &rules.access else { return Ok(()) };
    match &access.forward {
        Some(_) => Err(AccessEnd::Failed(RequestFailure::Unchecked)),
        None => Ok(()),
    }
}
