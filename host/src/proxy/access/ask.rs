//! Asking who a client is, where a route does that.

use super::super::in_flight::InFlight;
use super::super::{Client, RouteRules, Snapshot};
use super::end::AccessEnd;
use super::forward::ask_server;
use super::login::login;
use crate::policy::RequestFacts;

/// Asks, in this order, whom the route with these `rules` asks who the client of a request is. What is said of the client is
/// put into `facts`. Dropped amid it, it leaves nothing behind.
///
/// # Errors
/// [`AccessEnd`], where the request is not let in. That is on record.
pub(in crate::proxy) async fn ask(
    rules: &RouteRules,
    client: &Client,
    snapshot: &Snapshot,
    facts: &mut RequestFacts,
    in_flight: &mut InFlight,
) -> Result<(), AccessEnd> {
    let Some(access) = &rules.access else { return Ok(()) };
    if let Some(basic) = &access.basic
        && basic.known(&facts.headers).is_none()
    {
        login(basic, &rules.name, facts, in_flight).await.map_err(|fault| AccessEnd::Failed(fault.into()))?;
    }
    if let Some(auth) = &access.forward {
        ask_server(auth, rules, client, snapshot, facts, in_flight).await?;
    }
    Ok(())
}
