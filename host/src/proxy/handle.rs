//! One request, from decision to answer.

use std::sync::Arc;

use ::http::request::Parts;
use ::http::{Response, StatusCode, header};

use super::attempt::{Answer, AttemptError, Outgoing, attempt};
use super::endpoint_fault::EndpointFault;
use super::head::{Withheld, prepare_response, request_fields};
use super::record::Record;
use super::switch::{self, Switch};
use super::{Client, Destination, Rules, Snapshot, begin, max_forwards};
use crate::http::{
    ClientUpgrade, Offer, RequestBody, ResponseBody, ServerRequest, UpgradeRequest, read_target, reply, switched_to,
};
use crate::policy::{Decision, DirectResponse, RequestFacts, ResponseContext, Target};
use crate::telemetry::{Counter, limited};
use crate::tunnel::Side;
use crate::upstream::{ExchangeCause, ResendableBody, ResponseContent, Upstream};

/// Answers one request under one generation.
///
/// Never fails: whatever goes wrong has an answer, a count and a line in the log. What a 101 leads to is left in `switch`.
pub(super) async fn handle(
    client: &Arc<Client>,
    snapshot: &Arc<Snapshot>,
    switch: &Switch,
    request: ServerRequest,
) -> Response<ResponseBody> {
    let mut record = Record::begin(client, snapshot);
    let Routed { exchange, facts, parts, body } = match route(client, snapshot, switch, request, &mut record) {
        Ok(routed) => routed,
        Err(response) => return finish(record, *response),
    };
    let mut outgoing = exchange.outgoing(parts, body, &facts);
    let timeouts = outgoing.timeouts;
    // One function waits, and those before and behind do not: what they hold would be in this future, which is written anew for
    // every request.
    match attempt(exchange.destination, &mut outgoing, &facts, &mut record).await {
        Ok(mut answer) => {
            record.reported(&exchange.destination.cluster, answer.response.headers_mut());
            exchange.answer(answer, timeouts, &facts, record)
        }
        Err(error) => {
            tracing::debug!(cluster = %exchange.destination.cluster.name(), path = ?facts.path, %error, "request failed");
            record.ending(ending(&error));
            let (status, text) = error.reply();
            finish(record, edited(exchange.rules, reply::sentence(status, text)))
        }
    }
}

/// A request and where it goes.
struct Routed<'a> {
    exchange: Exchange<'a>,
    facts: RequestFacts,
    parts: Parts,
    body: RequestBody,
}

/// Reads a request and decides on it.
///
/// # Errors
/// The answer, where that is the gateway's own.
fn route<'a>(
    client: &'a Arc<Client>,
    snapshot: &'a Arc<Snapshot>,
    switch: &'a Switch,
    request: ServerRequest,
    record: &mut Record,
) -> Result<Routed<'a>, Box<Response<ResponseBody>>> {
    let ServerRequest { request, upgrade, interim: _ } = request;
    let request = request.map_err(|refused| {
        record.refused(refused.method.as_ref(), &refused.target);
        Box::new(refused.reply())
    })?;
    let target = read_target(&request).map_err(|error| {
        record.refused(Some(request.method()), &request.uri().to_string());
        Box::new(reply::last_sentence(error.status(), &error.to_string()))
    })?;
    let (offer, upgrade) = match upgrade {
        Some(UpgradeRequest { offer, client }) => (Some(offer), Some(client)),
        None => (None, None),
    };
    let (mut parts, body) = request.into_parts();
    let mut facts = begin::facts(client, &snapshot.forwarding, target, offer.as_ref(), &mut parts);
    record.request(&facts);
    max_forwards::count(&mut facts)?;
    let target = match snapshot.router.route(&facts) {
        Ok(Decision::Forward(target)) => target,
        Ok(Decision::Respond(direct)) => return Err(Box::new(respond(direct))),
        Ok(Decision::Unmatched) => {
            return Err(Box::new(reply::sentence(StatusCode::NOT_FOUND, "no route leads there")));
        }
        Err(fault) => {
            record.ending(fault.kind.as_str());
            return Err(Box::new(unroutable()));
        }
    };
    let rules = snapshot.rules(target.route);
    let destination = snapshot.destination(target.cluster).ok_or_else(|| Box::new(unroutable()))?;
    record.routed(&rules.name, destination.cluster.name(), &destination.balancer);
    if snapshot.pseudonym.is_looping(&facts.headers) {
        return Err(Box::new(edited(rules, looping(client, record))));
    }
    let offer = permitted(offer, rules, record);
    let exchange = Exchange { client, snapshot, switch, rules, destination, target, offer, upgrade };
    Ok(Routed { exchange, facts, parts, body })
}

fn unroutable() -> Response<ResponseBody> {
    reply::sentence(StatusCode::SERVICE_UNAVAILABLE, "the request could not be routed")
}

/// The answer to a request that has come through here too often (RFC 5842 §7.2).
fn looping(client: &Client, record: &mut Record) -> Response<ResponseBody> {
    record.ending("loop");
    record.metrics().increment(Counter::LoopRefused);
    let (route, cluster) = record.way();
    let remedy = "an endpoint of the cluster is this gateway itself, or leads back to it: change it";
    limited!(warn, of: (route, cluster), route, cluster, client = %client.peer, remedy, "a route leads back to this gateway");
    reply::sentence(
        StatusCode::LOOP_DETECTED,
        "the request has come through this gateway too often: its route leads back here",
    )
}

/// An answer of the gateway's own, with the operator's edits: what protects a page has to be on its errors as well.
fn edited(rules: &Rules, mut response: Response<ResponseBody>) -> Response<ResponseBody> {
    rules.response_headers.apply(response.headers_mut());
    response
}

/// What of an offer to switch the rules let through.
fn permitted(offer: Option<Offer>, rules: &Rules, record: &Record) -> Option<Offer> {
    let allowed = offer?.allowed(|protocol| rules.upgrades.allow(protocol));
    if allowed.is_none() {
        record.metrics().increment(Counter::UpgradeRefused);
    }
    allowed
}

/// An answer of the gateway's own. Its few bytes need no watching.
fn finish(mut record: Record, response: Response<ResponseBody>) -> Response<ResponseBody> {
    record.status(response.status().as_u16());
    response
}

fn respond(direct: DirectResponse) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(direct.body));
    *response.status_mut() = direct.status;
    *response.headers_mut() = direct.headers;
    response
}

/// A request that goes to a cluster.
struct Exchange<'a> {
    client: &'a Arc<Client>,
    snapshot: &'a Arc<Snapshot>,
    switch: &'a Switch,
    rules: &'a Rules,
    destination: &'a Destination,
    target: Target,
    offer: Option<Offer>,
    upgrade: Option<ClientUpgrade>,
}

impl Exchange<'_> {
    /// What goes out in place of a response that must not.
    #[cold]
    fn withheld(&self, withheld: &Withheld, upstream: &Upstream, mut record: Record) -> Response<ResponseBody> {
        let (status, ending, text) = match withheld {
            Withheld::Fault(fault) => {
                (StatusCode::SERVICE_UNAVAILABLE, fault.kind.as_str(), "the response could not be mapped back")
            }
            Withheld::TooMuch { .. } => {
                let (cluster, endpoint) = (self.destination.cluster.name(), upstream.url());
                limited!(warn, of: endpoint, %cluster, %endpoint, error = %withheld, "response withheld");
                (StatusCode::BAD_GATEWAY, "too-much", "the endpoint sent more fields than can be mapped back")
            }
        };
        record.ending(ending);
        finish(record, edited(self.rules, reply::sentence(status, text)))
    }

    fn outgoing<'s>(&'s self, parts: Parts, body: RequestBody, facts: &'s RequestFacts) -> Outgoing<'s> {
        let expects_continue = body.expects_continue();
        let keep = self.destination.cluster.retry().keeps(&parts.method);
        Outgoing {
            offer: self.offer.as_ref(),
            parts,
            fields: request_fields(self.client, self.snapshot, self.rules, facts),
            expects_continue,
            body: ResendableBody::new(body, keep),
            routed: self.target.path.as_deref(),
            rules: self.rules,
            timeouts: self.rules.timeouts.unwrap_or(self.destination.timeouts),
        }
    }

    fn answer(
        self,
        answer: Answer,
        timeouts: super::Timeouts,
        facts: &RequestFacts,
        mut record: Record,
    ) -> Response<ResponseBody> {
        let Answer { response, upstream } = answer;
        let status = response.status();
        record.answered(status.as_u16());
        let protocol = if status == StatusCode::SWITCHING_PROTOCOLS {
            match switched_to(response.headers(), self.offer.as_ref()) {
                Ok(protocol) => Some(protocol),
                Err(wrong) => {
                    EndpointFault::of_switch(&wrong).tell(&record);
                    record.endpoint_broke();
                    record.ending("switch-refused");
                    let text = "the endpoint switched to a protocol nobody asked for";
                    return finish(record, edited(self.rules, reply::sentence(StatusCode::BAD_GATEWAY, text)));
                }
            }
        } else {
            if self.offer.is_some() {
                record.metrics().increment(Counter::UpgradeRefused);
            }
            None
        };
        let (mut parts, content) = response.into_parts();
        let context = ResponseContext {
            scheme: self.client.scheme,
            host: facts.host_and_port(),
            path: &facts.path,
            route: self.target.route,
            endpoint: upstream.known_as(),
        };
        if let Err(withheld) = prepare_response(&mut parts.headers, status, self.snapshot, self.rules, context) {
            return self.withheld(&withheld, &upstream, record);
        }
        if let Some(cookie) = record.sticky(&self.destination.cluster, facts, self.client.scheme) {
            parts.headers.append(header::SET_COOKIE, cookie);
        }
        record.status(status.as_u16());
        let body = match content {
            ResponseContent::Whole(bytes, unsent) => {
                if let Some(unsent) = unsent {
                    unsent.finish_in_background();
                }
                ResponseBody::whole(bytes)
            }
            ResponseContent::Stream(stream) => ResponseBody::stream(stream),
            ResponseContent::Duplex(stream, early) => {
                if let (Some(protocol), Some(client)) = (protocol, self.upgrade) {
                    switch::announce(&mut parts.headers, &protocol);
                    let endpoint = Side { stream: *stream, early };
                    self.switch.to(client, endpoint, &protocol, timeouts.tunnel_idle, record);
                }
                return Response::from_parts(parts, ResponseBody::empty());
            }
        };
        Response::from_parts(parts, body.observed(Box::new(record)))
    }
}

/// Word for the access log.
fn ending(error: &AttemptError) -> &'static str {
    let cause = match error {
        AttemptError::Select(_) => return "no-endpoint",
        AttemptError::Target => return "answer",
        AttemptError::NoSuchEndpoint(_) => return "no-such-endpoint",
        AttemptError::Exchange(error) => &error.cause,
    };
    match cause {
        ExchangeCause::Connect(_) => "unreachable",
        ExchangeCause::Broken(_) => "endpoint-gone",
        ExchangeCause::Unreadable(_) => "unreadable",
        ExchangeCause::TimedOut(_) => "timed-out",
        ExchangeCause::BodyBroken(_) => "client-gone",
        ExchangeCause::BodyStalled => "client-stalled",
    }
}
