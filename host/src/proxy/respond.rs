//! From an endpoint's response to the client's: a body, or a tunnel.

use ::http::response::Parts;
use ::http::{Response, StatusCode, header};
use bytes::Bytes;

use super::endpoint_fault::EndpointFault;
use super::failure::RequestFailure;
use super::head::{Withheld, prepare_response};
use super::header_values::FailedAt;
use super::in_flight::InFlight;
use super::outgoing::EndpointResponse;
use super::route::RouteDecision;
use super::switch::{self, TunnelSink};
use super::{ErrorPages, stickiness};
use crate::http::{ClientUpgrade, Offer, ResponseBody, UpgradeNeed, grpc, switched_to};
use crate::net::UpgradeProtocol;
use crate::policy::{RequestFacts, ResponseContext};
use crate::telemetry::{Counter, limited};
use crate::tunnel::Side;
use crate::upstream::{PendingUpload, ResponseContent, ResponseStream, Upstream};

/// What comes behind the head of a response that may go out.
enum CheckedContent {
    Whole(Bytes, Option<PendingUpload>),
    Stream(ResponseStream),
    Tunnel { client: ClientUpgrade, endpoint: Side, protocol: UpgradeProtocol },
}

impl RouteDecision<'_> {
    /// Passes an endpoint's response on to the client. What a 101 leads to is handed to `tunnels`.
    pub(super) fn respond(
        mut self,
        response: EndpointResponse,
        facts: &RequestFacts,
        mut in_flight: InFlight,
        tunnels: &dyn TunnelSink,
    ) -> Response<ResponseBody> {
        let EndpointResponse { response, upstream } = response;
        let (mut parts, content) = response.into_parts();
        in_flight.take_load_report(&self.destination.cluster, &mut parts.headers);
        in_flight.responded(parts.status);
        let content = match check(&parts, content, self.offer.as_ref(), self.upgrade.take()) {
            Ok(content) => content,
            Err(wrong) => {
                in_flight.log_fault(&EndpointFault::of_switch(&wrong));
                in_flight.fail_endpoint();
                return in_flight.fail(&RequestFailure::Switch(wrong), FailedAt::Routed(self.known(facts)));
            }
        };
        if self.offer.is_some() && !matches!(content, CheckedContent::Tunnel { .. }) {
            in_flight.metrics().increment(Counter::UpgradeRefused);
            if self.need == UpgradeNeed::Required && parts.status.is_success() {
                return in_flight.fail(&RequestFailure::NotSwitched, FailedAt::Routed(self.known(facts)));
            }
        }
        // Before anybody edits the head: what is said of its content is said of this.
        let content = match &self.rules.error_pages {
            None => content,
            Some(pages) => shown(pages, content, &mut parts, facts, &mut in_flight),
        };
        if let Err(withheld) = self.prepare(&mut parts, facts, &upstream) {
            in_flight.note_failed(&facts.headers);
            return self.withhold(withheld, facts, &upstream, in_flight);
        }
        in_flight.edit_response_further(self.known(facts), &mut parts.headers);
        let cluster = &self.destination.cluster;
        let cookie = in_flight.lease().and_then(|lease| stickiness::cookie(lease, cluster, facts, in_flight.metrics()));
        if let Some(cookie) = cookie {
            parts.headers.append(header::SET_COOKIE, cookie);
        }
        in_flight.record.set_status(parts.status);
        in_flight.record.note_grpc_status(&parts.headers);
        let body = match content {
            CheckedContent::Whole(bytes, pending) => {
                if let Some(pending) = pending {
                    pending.finish_in_background();
                }
                ResponseBody::whole(bytes)
            }
            CheckedContent::Stream(stream) => ResponseBody::stream(stream),
            CheckedContent::Tunnel { client, endpoint, protocol } => {
                switch::write_switch_headers(&mut parts.headers, &protocol);
                tunnels.accept(switch::tunnel(client, endpoint, &protocol, self.timeouts, in_flight));
                return Response::from_parts(parts, ResponseBody::empty());
            }
        };
        Response::from_parts(parts, body.observed(Box::new(in_flight)))
    }

    /// Makes a response's head the client's.
    fn prepare(&self, parts: &mut Parts, facts: &RequestFacts, upstream: &Upstream) -> Result<(), Withheld> {
        let context = ResponseContext {
            scheme: facts.scheme,
            host: facts.host_and_port(),
            path: &facts.path,
            route: self.target.route,
            endpoint: upstream.known_as(),
            request: Some(facts),
        };
        prepare_response(&mut parts.headers, parts.status, self.snapshot, self.rules, context)
    }

    /// What goes out in place of a response that must not.
    #[cold]
    fn withhold(
        &self,
        withheld: Withheld,
        facts: &RequestFacts,
        upstream: &Upstream,
        in_flight: InFlight,
    ) -> Response<ResponseBody> {
        if let Withheld::TooMuch { .. } = withheld {
            let (cluster, endpoint) = (self.destination.cluster.name(), upstream.url());
            limited!(warn, of: endpoint, %cluster, %endpoint, error = %withheld, "response withheld");
        }
        in_flight.fail(&withheld.into(), FailedAt::Routed(self.known(facts)))
    }
}

/// What of `pages` is shown in place of an endpoint's content, if any of it. The rest of the endpoint's is not waited
/// for.
#[cold]
fn shown(
    pages: &ErrorPages,
    content: CheckedContent,
    parts: &mut Parts,
    facts: &RequestFacts,
    in_flight: &mut InFlight,
) -> CheckedContent {
    if grpc::is_grpc(&facts.headers) {
        return content;
    }
    match pages.instead(parts.status, &mut parts.headers) {
        None => content,
        Some(page) => {
            in_flight.complete();
            match content {
                CheckedContent::Whole(_, pending) => CheckedContent::Whole(page, pending),
                _ => CheckedContent::Whole(page, None),
            }
        }
    }
}

/// Checks a switch of protocols: one that the client has offered, with both sides of a tunnel behind it. A 101 with
/// anything else behind it does not go out.
///
/// # Errors
/// What is wrong with it: a sentence for the log.
fn check(
    parts: &Parts,
    content: ResponseContent,
    offer: Option<&Offer>,
    client: Option<ClientUpgrade>,
) -> Result<CheckedContent, String> {
    if parts.status != StatusCode::SWITCHING_PROTOCOLS {
        return match content {
            ResponseContent::Whole(bytes, pending) => Ok(CheckedContent::Whole(bytes, pending)),
            ResponseContent::Stream(stream) => Ok(CheckedContent::Stream(stream)),
            ResponseContent::Duplex(..) => Err(format!("the endpoint switched protocols with a {}", parts.status)),
        };
    }
    let protocol = switched_to(&parts.headers, offer)?;
    match (content, client) {
        (ResponseContent::Duplex(stream, early), Some(client)) => {
            Ok(CheckedContent::Tunnel { client, endpoint: Side { stream: *stream, early }, protocol })
        }
        _ => Err("the endpoint switched protocols, and there are no two sides to a tunnel".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(status: StatusCode) -> Parts {
        let (mut parts, ()) = Response::new(()).into_parts();
        parts.status = status;
        parts
    }

    #[test]
    fn a_switch_without_a_tunnel_behind_it_does_not_go_out() {
        let whole = || ResponseContent::Whole(Bytes::new(), None);

        assert!(check(&parts(StatusCode::SWITCHING_PROTOCOLS), whole(), None, None).is_err());
        assert!(check(&parts(StatusCode::OK), whole(), None, None).is_ok());
    }
}
