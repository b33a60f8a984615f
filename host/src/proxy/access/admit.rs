//! Letting requests into routes, and saying which were not.

use std::net::IpAddr;

use ::http::header::ORIGIN;

use super::super::RouteRules;
use super::super::record::RequestRecord;
use super::rules::Denied;
use crate::policy::RequestFacts;
use crate::telemetry::{Counter, limited};
use crate::text::shortened;

/// Most of an `Origin` that the log shows, in characters.
const SHOWN: usize = 200;

/// Whether a request may use a route, as far as that is known at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) enum Admission {
    /// It may.
    LetIn,
    /// The route asks first who its client is ([`ask`](super::ask())), which takes time.
    Asks,
}

/// Whether the request may use the route with these `rules`. That it may not is on record.
///
/// # Errors
/// [`Denied`]
pub(in crate::proxy) fn admit(
    rules: &RouteRules,
    facts: &RequestFacts,
    record: &mut RequestRecord,
) -> Result<Admission, Denied> {
    let Some(access) = &rules.access else { return Ok(Admission::LetIn) };
    access.check(facts).inspect_err(|denied| {
        record.set_denied(&rules.name);
        report(*denied, &rules.name, facts, record);
    })?;
    if let Some(basic) = &access.basic {
        let Some(user) = basic.known(&facts.headers) else { return Ok(Admission::Asks) };
        if record.set_user(user) {
            record.metrics().increment(Counter::LoginKnown);
        }
    }
    Ok(if access.asks() { Admission::Asks } else { Admission::LetIn })
}

#[cold]
fn report(denied: Denied, route: &str, facts: &RequestFacts, record: &RequestRecord) {
    record.metrics().increment(denied.counter());
    if facts.upgrade.is_some() {
        record.metrics().increment(Counter::UpgradeRefused);
    }
    let client = facts.client.as_ref().map_or_else(|| "unknown".to_owned(), IpAddr::to_string);
    match denied {
        Denied::Address => {
            let remedy = "to let it in, change `allow` or `deny` of the route; if it is a proxy that clients come by, name \
                          it in `trusted` of [gateway.forwarded]";
            limited!(info, of: route, route, client, remedy, "a route did not let a client in");
        }
        Denied::Origin => {
            let sent = facts.headers.get_all(ORIGIN).iter();
            let sent: Vec<_> = sent.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
            let origin = shortened(&sent.join(" "), SHOWN);
            let (scheme, host) = (facts.scheme.as_str(), facts.host_and_port());
            let remedy = "to let its pages in, add it to `origins` of the route; if \"same\" is meant and scheme or host \
                          are those of a proxy in front, name that in `trusted` of [gateway.forwarded]";
            limited!(
                info, of: route, route, origin, scheme, host, client, remedy,
                "a route did not let a page of another origin switch protocols"
            );
        }
    }
}
