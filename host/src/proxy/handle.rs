//! One request, from decision to answer.

use std::sync::Arc;

use ::http::{Request, Response, StatusCode, header};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;

use super::attempt::{Answer, AttemptError, Outgoing, attempt};
use super::head::{prepare_response, request_fields};
use super::record::Record;
use super::retry::Source;
use super::switch::{self, Switch};
use super::{Client, Destination, Rules, Snapshot, begin};
use crate::http::{Body, Offer, offered, read_target, reply};
use crate::policy::{Decision, DirectResponse, RequestFacts, ResponseContext, Target};
use crate::telemetry::Counter;
use crate::tunnel::Side;
use crate::upstream::Content;

/// Answers one request under one generation.
///
/// Never fails: whatever goes wrong has an answer, a count and a line in the log. What a 101 leads to is left in `switch`.
pub(super) async fn handle(
    client: &Arc<Client>,
    snapshot: &Arc<Snapshot>,
    switch: &Switch,
    mut request: Request<Incoming>,
) -> Response<Body> {
    let mut record = Record::begin(client, snapshot);
    let target = match read_target(&request) {
        Ok(target) => target,
        Err(error) => {
            record.ending("refused");
            return finish(record, reply::last_sentence(error.status(), &error.to_string()));
        }
    };
    let offer = offered(&request, !request.body().is_end_stream());
    let on_upgrade = offer.is_some().then(|| hyper::upgrade::on(&mut request));
    let (mut parts, body) = request.into_parts();
    let mut facts = begin::facts(client, &snapshot.forwarding, target, offer.as_ref(), &mut parts);
    record.request(&facts);
    match snapshot.router.route(&mut facts) {
        Ok(Decision::Forward(target)) => {
            let exchange = Exchange { client, snapshot, switch, target, offer, on_upgrade };
            exchange.forward(Request::from_parts(parts, body), facts, record).await
        }
        Ok(Decision::Respond(direct)) => finish(record, respond(direct)),
        Ok(Decision::Unmatched) => finish(record, reply::sentence(StatusCode::NOT_FOUND, "no route leads there")),
        Err(fault) => {
            record.ending(fault.kind.as_str());
            let text = "the request could not be routed";
            finish(record, reply::sentence(StatusCode::SERVICE_UNAVAILABLE, text))
        }
    }
}

/// An answer of the gateway's own. Its few bytes need no watching.
fn finish(mut record: Record, response: Response<Body>) -> Response<Body> {
    record.status(response.status().as_u16());
    response
}

fn respond(direct: DirectResponse) -> Response<Body> {
    let mut response = Response::new(Body::whole(direct.body));
    *response.status_mut() = direct.status;
    *response.headers_mut() = direct.headers;
    response
}

/// A request that goes to a cluster.
struct Exchange<'a> {
    client: &'a Arc<Client>,
    snapshot: &'a Arc<Snapshot>,
    switch: &'a Switch,
    target: Target,
    offer: Option<Offer>,
    on_upgrade: Option<OnUpgrade>,
}

impl Exchange<'_> {
    async fn forward(
        mut self,
        request: Request<Incoming>,
        mut facts: RequestFacts,
        mut record: Record,
    ) -> Response<Body> {
        let snapshot = self.snapshot;
        let rules = snapshot.rules(self.target.route);
        let Some(destination) = snapshot.destinations.get(self.target.cluster as usize) else {
            let text = "the request could not be routed";
            return finish(record, reply::sentence(StatusCode::SERVICE_UNAVAILABLE, text));
        };
        record.routed(&rules.name, destination.cluster.name(), &destination.balancer);
        let asked = self.offer.is_some();
        self.offer = self.offer.take().and_then(|offer| offer.allowed(|protocol| rules.upgrades.allow(protocol)));
        if asked && self.offer.is_none() {
            record.metrics().increment(Counter::UpgradeRefused);
        }
        let outgoing = self.outgoing(request, &facts, rules, destination);
        let timeouts = outgoing.timeouts;
        match attempt(destination, outgoing, &mut facts, &mut record).await {
            Ok(mut answer) => {
                record.reported(&destination.cluster, answer.response.headers_mut());
                self.answer(answer, destination, rules, timeouts, &facts, record)
            }
            Err(error) => {
                tracing::debug!(cluster = %destination.cluster.name(), path = ?facts.path, %error, "request failed");
                record.ending(ending(&error));
                let (status, text) = error.reply();
                finish(record, reply::sentence(status, text))
            }
        }
    }

    fn outgoing<'o>(
        &'o self,
        request: Request<Incoming>,
        facts: &RequestFacts,
        rules: &'o Rules,
        destination: &Destination,
    ) -> Outgoing<'o> {
        let (parts, body) = request.into_parts();
        let (source, body) = Source::of(body, &destination.cluster, &parts.method);
        Outgoing {
            offer: self.offer.as_ref(),
            parts,
            fields: request_fields(self.client, self.snapshot, rules, facts, self.offer.as_ref()),
            body,
            source,
            routed: self.target.path.as_deref(),
            rules,
            timeouts: rules.timeouts.unwrap_or(destination.timeouts),
        }
    }

    fn answer(
        self,
        answer: Answer,
        destination: &Destination,
        rules: &Rules,
        timeouts: super::Timeouts,
        facts: &RequestFacts,
        mut record: Record,
    ) -> Response<Body> {
        let Answer { response, upstream } = answer;
        let status = response.status();
        record.answered(status.as_u16());
        let protocol = if status == StatusCode::SWITCHING_PROTOCOLS {
            match switch::check(response.headers(), self.offer.as_ref(), upstream.url()) {
                Ok(protocol) => Some(protocol),
                Err(refusal) => {
                    record.endpoint_broke();
                    record.ending("switch-refused");
                    return finish(record, *refusal);
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
            host: &facts.authority,
            path: &facts.path,
            route: self.target.route,
            endpoint: upstream.known_as(),
        };
        if let Err(fault) = prepare_response(&mut parts.headers, status, self.snapshot, rules, context) {
            record.ending(fault.kind.as_str());
            let text = "the response could not be mapped back";
            return finish(record, reply::sentence(StatusCode::SERVICE_UNAVAILABLE, text));
        }
        if let Some(cookie) = record.sticky(&destination.cluster, facts, self.client.scheme) {
            parts.headers.append(header::SET_COOKIE, cookie);
        }
        record.status(status.as_u16());
        let body = match content {
            Content::Whole(bytes, unsent) => {
                if let Some(unsent) = unsent {
                    unsent.go_on();
                }
                Body::whole(bytes)
            }
            Content::Stream(download) => Body::stream(download),
            Content::Switched(stream, early) => {
                if let (Some(protocol), Some(client)) = (protocol, self.on_upgrade) {
                    switch::announce(&mut parts.headers, &protocol);
                    let endpoint = Side { stream: *stream, early };
                    self.switch.to(client, endpoint, &protocol, timeouts.tunnel_idle, record);
                }
                return Response::from_parts(parts, Body::empty());
            }
        };
        Response::from_parts(parts, body.watched(Box::new(record)))
    }
}

/// Word for the access log.
fn ending(error: &AttemptError) -> &'static str {
    match error {
        AttemptError::Select(_) => "no-endpoint",
        AttemptError::Connect(_) => "unreachable",
        AttemptError::Broken(_) => "endpoint-gone",
        AttemptError::TimedOut => "timed-out",
        AttemptError::ClientGone => "client-gone",
        AttemptError::ClientStalled => "client-stalled",
        AttemptError::Target => "answer",
    }
}
