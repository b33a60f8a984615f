//! What the answer of a server comes to that is asked who a client is.

use ::http::{Response, header};

use super::super::super::failure::RequestFailure;
use super::super::super::in_flight::InFlight;
use super::super::super::{Client, RouteRules, Snapshot};
use super::super::end::AccessEnd;
use super::ForwardAuth;
use super::call::{AuthAnswer, AuthQuestion, call};
use super::failure::AuthFailure;
use super::question;
use crate::http::ResponseBody;
use crate::policy::RequestFacts;
use crate::telemetry::{AccessEnding, Counter, limited};

/// Asks the server of `auth` about a request of the route with these `rules`. What it says of the client is put into `facts`.
///
/// # Errors
/// [`AccessEnd`]: any response but 2xx, which goes to the client, or that there was none: then nobody gets in.
pub(in super::super) async fn ask_server(
    auth: &ForwardAuth,
    rules: &RouteRules,
    client: &Client,
    snapshot: &Snapshot,
    facts: &mut RequestFacts,
    in_flight: &mut InFlight,
) -> Result<(), AccessEnd> {
    let metrics = in_flight.metrics().clone();
    // Here as well: what asks this gateway again about each question never comes to an endpoint.
    if snapshot.pseudonym.is_looping(&facts.headers) {
        metrics.increment(Counter::LoopRefused);
        return Err(AccessEnd::Failed(RequestFailure::Loop));
    }
    let answer = match snapshot.destination(auth.cluster) {
        None => Err(AuthFailure::NoSuchCluster),
        Some(destination) => {
            let fields = question::fields(client, snapshot, facts);
            let question = AuthQuestion { path: &auth.path, fields: &fields, within: auth.timeout };
            call(destination, &question, facts, &metrics).await
        }
    };
    match answer {
        Ok(AuthAnswer { status, headers, .. }) if status.is_success() => {
            metrics.increment(Counter::AuthLetIn);
            auth.carry(&headers, facts);
            Ok(())
        }
        Ok(answer) => {
            metrics.increment(Counter::AuthDenied);
            note_switch(facts, in_flight);
            in_flight.record.set_ending(AccessEnding::AuthDenied);
            Err(AccessEnd::Respond(passed_on(answer)))
        }
        Err(failure) => {
            metrics.increment(Counter::AuthFailed);
            note_switch(facts, in_flight);
            report(&failure, auth, rules, snapshot);
            Err(AccessEnd::Failed(RequestFailure::Unchecked))
        }
    }
}

/// A handshake that comes to nothing is counted as one.
fn note_switch(facts: &RequestFacts, in_flight: &InFlight) {
    if facts.upgrade.is_some() {
        in_flight.metrics().increment(Counter::UpgradeRefused);
    }
}

/// The server's response as the client gets it: all that is from end to end, and the body with a length of its own.
fn passed_on(answer: AuthAnswer) -> Response<ResponseBody> {
    let AuthAnswer { status, mut headers, body } = answer;
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::TRAILER);
    let mut response = Response::new(ResponseBody::whole(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Nobody gets in: someone must look after it.
#[cold]
fn report(failure: &AuthFailure, auth: &ForwardAuth, rules: &RouteRules, snapshot: &Snapshot) {
    let route = &*rules.name;
    let cluster = snapshot.destination(auth.cluster).map(|destination| &**destination.cluster.name());
    let (why, remedy) = (failure, failure.remedy());
    limited!(
        warn, of: (route, cluster), route, cluster, %why, remedy,
        "a route lets nobody in that it cannot ask about: `forward_auth` got no answer"
    );
}
