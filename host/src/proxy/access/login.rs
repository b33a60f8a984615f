//! Trying the name and the password of a request, and saying what came of it.

use std::net::IpAddr;

use super::super::in_flight::InFlight;
use super::basic::{BasicAuth, LoginFault, UserName};
use crate::policy::RequestFacts;
use crate::telemetry::{Counter, limited};

/// Lets in whom `basic` lets in, which may take a while. What came of it is on record; the name is, if it is let in.
///
/// # Errors
/// [`LoginFault`]
pub(super) async fn login(
    basic: &BasicAuth,
    route: &str,
    facts: &RequestFacts,
    in_flight: &mut InFlight,
) -> Result<(), LoginFault> {
    let (fault, user) = match basic.ask(&facts.headers, facts.client).await {
        Ok(user) => {
            in_flight.metrics().increment(Counter::LoginRight);
            in_flight.record.set_user(user);
            return Ok(());
        }
        Err(refused) => refused,
    };
    report(&fault, user.as_ref(), route, facts, in_flight);
    Err(fault)
}

#[cold]
fn report(fault: &LoginFault, user: Option<&UserName>, route: &str, facts: &RequestFacts, in_flight: &InFlight) {
    if facts.upgrade.is_some() {
        in_flight.metrics().increment(Counter::UpgradeRefused);
    }
    let client = facts.client.as_ref().map_or_else(|| "unknown".to_owned(), IpAddr::to_string);
    let user = user.map(UserName::shown).unwrap_or_default();
    match fault {
        // What browsers send before they ask whoever uses them.
        LoginFault::Missing(_) => in_flight.metrics().increment(Counter::LoginMissing),
        LoginFault::Wrong(_) => {
            in_flight.metrics().increment(Counter::LoginWrong);
            limited!(info, of: (route, &client), route, user, client, "a route did not let a user in");
        }
        LoginFault::TooMany => {
            in_flight.metrics().increment(Counter::LoginTooMany);
            let remedy = "if these are no attacks, make the hashes cheaper (`htpasswd -B -C 10`), or raise `workers` of \
                          [gateway] where there are processors for it";
            limited!(warn, of: route, route, user, client, remedy, "too many logins are under way to try another one");
        }
    }
}
