//! Reading a request, and deciding where it goes.

use ::http::request::Parts;
use ::http::{HeaderValue, Response};

use super::access::{Admission, admit};
use super::awaited::{AwaitedRequest, AwaitedStep, NextStep, PendingDecision};
use super::chain::{self, ChainEnd, ChainOutcome, ChainProgress};
use super::failure::RequestFailure;
use super::header_values::{ExchangeContext, FailedAt};
use super::in_flight::InFlight;
use super::{Client, Destination, RouteRules, Snapshot, Timeouts, begin, max_forwards, misdirected, tls_redirect};
use crate::http::{
    ClientUpgrade, Offer, RequestBody, ResponseBody, ServerRequest, UpgradeNeed, UpgradeRequest, read_target,
};
use crate::net::ROUTE_OF_RESPONSE;
use crate::policy::{Decision, DirectResponse, ExchangeEffects, ForwardTarget, RequestFacts, Routed};
use crate::telemetry::{Counter, limited};

/// A request that goes to a cluster.
pub(super) struct RoutedRequest<'a> {
    pub(super) decision: RouteDecision<'a>,
    pub(super) facts: RequestFacts,
    pub(super) parts: Parts,
    pub(super) body: RequestBody,
}

/// Where a request goes, and by which rules.
pub(super) struct RouteDecision<'a> {
    pub(super) client: &'a Client,
    pub(super) snapshot: &'a Snapshot,
    pub(super) rules: &'a RouteRules,
    pub(super) destination: &'a Destination,
    pub(super) target: ForwardTarget,
    pub(super) timeouts: &'a Timeouts,
    /// What of the client's offer to switch protocols the rules let through.
    pub(super) offer: Option<Offer>,
    pub(super) upgrade: Option<ClientUpgrade>,
    pub(super) need: UpgradeNeed,
}

/// A request that goes nowhere.
pub(super) enum Unrouted<'a> {
    /// It gets this response, of a plugin or of the gateway itself.
    Direct(Response<ResponseBody>),
    /// It failed; these rules apply, if it has come so far.
    Failed(RequestFailure, Option<&'a RouteRules>),
    /// It failed, and that is on record: it gets this response.
    Answered(Response<ResponseBody>),
}

impl From<RequestFailure> for Box<Unrouted<'_>> {
    fn from(failure: RequestFailure) -> Self {
        Self::new(Unrouted::Failed(failure, None))
    }
}

/// Why it is not said where a request goes.
pub(super) enum NotRouted<'a, W> {
    /// It goes nowhere.
    Ends(Box<Unrouted<'a>>),
    /// Something has to be awaited first.
    Waits(Box<W>),
}

impl<'a, W> From<Box<Unrouted<'a>>> for NotRouted<'a, W> {
    fn from(unrouted: Box<Unrouted<'a>>) -> Self {
        Self::Ends(unrouted)
    }
}

impl<W> From<RequestFailure> for NotRouted<'_, W> {
    fn from(failure: RequestFailure) -> Self {
        Self::Ends(failure.into())
    }
}

impl Unrouted<'_> {
    /// Ends `in_flight` with what the client gets.
    pub(super) fn respond(self, snapshot: &Snapshot, in_flight: InFlight) -> Response<ResponseBody> {
        match self {
            Self::Direct(response) => in_flight.finish(response),
            Self::Failed(failure, _) => in_flight.fail(&failure, FailedAt::Unrouted(snapshot)),
            Self::Answered(response) => response,
        }
    }

    /// The same, but that what failed has its response: later, there are no facts any more.
    #[cold]
    pub(super) fn settled(self, snapshot: &Snapshot, facts: &RequestFacts, in_flight: &mut InFlight) -> Self {
        match self {
            Self::Failed(failure, rules) => {
                in_flight.note_failed(&facts.headers);
                let unrouted = FailedAt::Unrouted(snapshot);
                let at = rules.map_or(unrouted, |rules| FailedAt::Routed(ExchangeContext { snapshot, rules, facts }));
                Self::Answered(in_flight.failed(&failure, at))
            }
            settled => settled,
        }
    }
}

/// Reads a request and decides on it.
///
/// # Errors
/// [`NotRouted`], where it goes nowhere, or not yet.
pub(super) fn route<'a>(
    client: &'a Client,
    snapshot: &'a Snapshot,
    request: ServerRequest,
    in_flight: &mut InFlight,
) -> Result<RoutedRequest<'a>, NotRouted<'a, AwaitedRequest<'a>>> {
    let ServerRequest { version, request, mut upgrade, interim } = request;
    in_flight.record.set_version(version);
    in_flight.set_interim(interim);
    let request = request.map_err(|refused| {
        in_flight.record.set_refused(refused.method.as_ref(), &refused.target);
        in_flight.note_refused(refused.hears);
        RequestFailure::Violation(refused.violation)
    })?;
    let target = read_target(&request).map_err(|error| {
        in_flight.record.set_refused(Some(request.method()), &request.uri().to_string());
        in_flight.note_failed(request.headers());
        RequestFailure::Target(error)
    })?;
    let (mut parts, body) = request.into_parts();
    let mut facts =
        begin::facts(client, &snapshot.forwarding, target, upgrade.as_ref().map(|upgrade| &upgrade.offer), &mut parts);
    if snapshot.keeps_notes {
        facts.effects = ExchangeEffects::ready();
    }
    in_flight.record.set_request(&facts);
    let undecided = match snapshot.sight {
        None => match decide(client, snapshot, &mut facts, &mut upgrade, None, in_flight) {
            Ok(decision) => return Ok(RoutedRequest { decision, facts, parts, body }),
            Err(undecided) => undecided,
        },
        Some(sight) => NotRouted::waits(AwaitedStep::Body(sight), NextStep::Router),
    };
    Err(undecided.of(snapshot, facts, parts, body, upgrade, in_flight))
}

/// Decides on a request that what was awaited has come for.
///
/// # Errors
/// [`NotRouted`], where it goes nowhere, or not yet.
pub(super) fn resume<'a>(
    client: &'a Client,
    snapshot: &'a Snapshot,
    request: Box<AwaitedRequest<'a>>,
    in_flight: &mut InFlight,
) -> Result<RoutedRequest<'a>, NotRouted<'a, AwaitedRequest<'a>>> {
    let AwaitedRequest { mut facts, parts, body, mut upgrade, awaited } = *request;
    let decided = match awaited.next {
        NextStep::Router => decide(client, snapshot, &mut facts, &mut upgrade, None, in_flight),
        NextStep::Chain(progress) => decide(client, snapshot, &mut facts, &mut upgrade, Some(progress), in_flight),
        NextStep::Respond(direct, rules) => {
            Err(respond_directly(direct, snapshot, &facts, upgrade.as_ref(), Some(rules), in_flight))
        }
    };
    match decided {
        Ok(decision) => Ok(RoutedRequest { decision, facts, parts, body }),
        Err(undecided) => Err(undecided.of(snapshot, facts, parts, body, upgrade, in_flight)),
    }
}

impl<'a> NotRouted<'a, PendingDecision<'a>> {
    #[cold]
    fn waits(step: AwaitedStep<'a>, next: NextStep<'a>) -> Self {
        Self::Waits(Box::new(PendingDecision { step, next }))
    }

    /// The same of the whole request.
    #[cold]
    fn of(
        self,
        snapshot: &Snapshot,
        facts: RequestFacts,
        parts: Parts,
        body: RequestBody,
        upgrade: Option<UpgradeRequest>,
        in_flight: &mut InFlight,
    ) -> NotRouted<'a, AwaitedRequest<'a>> {
        match self {
            Self::Ends(unrouted) => NotRouted::Ends(Box::new(unrouted.settled(snapshot, &facts, in_flight))),
            Self::Waits(awaited) => {
                NotRouted::Waits(Box::new(AwaitedRequest { facts, parts, body, upgrade, awaited: *awaited }))
            }
        }
    }
}

/// Decides on a request that has been read; behind the router, if that was asked and `resumed` is where it led.
///
/// # Errors
/// [`NotRouted`], where it goes nowhere, or not yet.
// For every request from one place; the other one is rare, and would have what this returns copied for all.
#[inline(always)]
fn decide<'a>(
    client: &'a Client,
    snapshot: &'a Snapshot,
    facts: &mut RequestFacts,
    upgrade: &mut Option<UpgradeRequest>,
    resumed: Option<ChainProgress>,
    in_flight: &mut InFlight,
) -> Result<RouteDecision<'a>, NotRouted<'a, PendingDecision<'a>>> {
    let mut progress = match resumed {
        None => ask_router(client, snapshot, facts, upgrade.as_ref(), in_flight)?.into(),
        Some(progress) => progress,
    };
    let mut rules = snapshot.rules(progress.target.route);
    if !rules.plugins.is_empty() || rules.access.is_some() {
        progress = chain::decide(snapshot, progress, facts, &mut in_flight.record).map_err(|end| {
            let ChainEnd { rules, outcome } = end;
            match *outcome {
                ChainOutcome::Failed(failure) => NotRouted::Ends(Box::new(Unrouted::Failed(failure, Some(rules)))),
                ChainOutcome::Respond(direct) => {
                    respond_directly(direct, snapshot, facts, upgrade.as_ref(), Some(rules), in_flight)
                }
                ChainOutcome::WaitsForBody(sight, chain) => {
                    NotRouted::waits(AwaitedStep::Body(sight), NextStep::Chain(chain))
                }
                ChainOutcome::WaitsForAccess(chain) => {
                    NotRouted::waits(AwaitedStep::Access(rules), NextStep::Chain(chain))
                }
            }
        })?;
        rules = snapshot.rules(progress.target.route);
    }
    let destination = snapshot.destination(progress.target.cluster).ok_or(RequestFailure::NoSuchCluster)?;
    in_flight.record.set_route(&rules.name, destination.cluster.name(), &destination.balancer);
    if snapshot.pseudonym.is_looping(&facts.headers) {
        report_loop(client, in_flight);
        return Err(NotRouted::Ends(Box::new(Unrouted::Failed(RequestFailure::Loop, Some(rules)))));
    }
    if let Some(sight) = destination.cluster.sight().filter(|sight| facts.awaits_body(*sight)) {
        return Err(NotRouted::waits(AwaitedStep::Body(sight), NextStep::Chain(progress.settled())));
    }
    let target = progress.target;
    let (offer, upgrade, need) = match upgrade.take() {
        Some(UpgradeRequest { offer, client, need }) => (permitted(offer, rules, in_flight), Some(client), need),
        None => (None, None, UpgradeNeed::Optional),
    };
    if offer.is_none() && need == UpgradeNeed::Required {
        return Err(NotRouted::Ends(Box::new(Unrouted::Failed(RequestFailure::NoSwitch, Some(rules)))));
    }
    let timeouts = rules.timeouts.as_ref().unwrap_or(&destination.timeouts);
    Ok(RouteDecision { client, snapshot, rules, destination, target, timeouts, offer, upgrade, need })
}

/// Asks the router where a request goes.
///
/// # Errors
/// [`NotRouted`], where that is nowhere, or it is by a route that asks first who its client is.
#[inline(always)]
fn ask_router<'a>(
    client: &'a Client,
    snapshot: &'a Snapshot,
    facts: &mut RequestFacts,
    upgrade: Option<&UpgradeRequest>,
    in_flight: &mut InFlight,
) -> Result<ForwardTarget, NotRouted<'a, PendingDecision<'a>>> {
    misdirected::check(&snapshot.certificate_rules, client, facts.authority.as_ref()).map_err(|misdirected| {
        in_flight.metrics().increment(Counter::RequestMisdirected);
        RequestFailure::Misdirected(misdirected)
    })?;
    if !snapshot.tls_ports.is_empty()
        && let Some(response) =
            tls_redirect::redirect(&snapshot.tls_ports, client, facts).map_err(RequestFailure::NoTls)?
    {
        return Err(NotRouted::Ends(Box::new(Unrouted::Direct(response))));
    }
    if let Some(response) = max_forwards::count(facts)? {
        return Err(NotRouted::Ends(Box::new(Unrouted::Direct(response))));
    }
    let Routed { decision, effects } = snapshot.router.route(facts).map_err(RequestFailure::Router)?;
    if !effects.is_empty() {
        chain::carry_out(effects, facts);
    }
    match decision {
        Decision::Forward(target) => Ok(target),
        Decision::Respond(direct) => Err(respond_directly(direct, snapshot, facts, upgrade, None, in_flight)),
        // Behind the gateway's own router there is nobody.
        Decision::Unmatched | Decision::Next => Err(RequestFailure::Unmatched.into()),
    }
}

/// A request has come through here too often (RFC 5842 §7.2).
fn report_loop(client: &Client, in_flight: &InFlight) {
    in_flight.metrics().increment(Counter::LoopRefused);
    let (route, cluster) = in_flight.record.route_and_cluster();
    let remedy = "an endpoint of the cluster is this gateway itself, or leads back to it: change it";
    limited!(
        warn, of: (route, cluster), route, cluster, client = %client.peer, remedy,
        "a route leads back to this gateway"
    );
}

/// What of an offer to switch the rules let through.
fn permitted(offer: Offer, rules: &RouteRules, in_flight: &InFlight) -> Option<Offer> {
    let allowed = offer.allowed(|protocol| rules.upgrades.allow(protocol));
    if allowed.is_none() {
        in_flight.metrics().increment(Counter::UpgradeRefused);
    }
    allowed
}

/// What becomes of a request that a plugin responds to: the router, or one of the route with these `rules`, which has let
/// the request in.
fn respond_directly<'a>(
    direct: DirectResponse,
    snapshot: &'a Snapshot,
    facts: &RequestFacts,
    upgrade: Option<&UpgradeRequest>,
    rules: Option<&'a RouteRules>,
    in_flight: &mut InFlight,
) -> NotRouted<'a, PendingDecision<'a>> {
    // Success would say that protocols were switched (RFC 8441 §4).
    if direct.status.is_success() && upgrade.is_some_and(|upgrade| upgrade.need == UpgradeNeed::Required) {
        in_flight.metrics().increment(Counter::UpgradeRefused);
        return NotRouted::Ends(Box::new(Unrouted::Failed(RequestFailure::NoSwitch, rules)));
    }
    let mut rules = rules;
    // A router's response is by a route that nobody has come into yet.
    if rules.is_none()
        && let Some(named) = named(direct.headers.get(ROUTE_OF_RESPONSE), snapshot)
    {
        match admit(named, facts, &mut in_flight.record) {
            Ok(Admission::LetIn) => rules = Some(named),
            Ok(Admission::Asks) => {
                return NotRouted::waits(AwaitedStep::Access(named), NextStep::Respond(direct, named));
            }
            Err(denied) => {
                return NotRouted::Ends(Box::new(Unrouted::Failed(RequestFailure::Denied(denied), Some(named))));
            }
        }
    }
    let mut response = Response::new(ResponseBody::whole(direct.body));
    *response.status_mut() = direct.status;
    *response.headers_mut() = direct.headers;
    response.headers_mut().remove(ROUTE_OF_RESPONSE);
    facts.effects.apply_to_response(response.headers_mut());
    if let Some(rules) = rules {
        in_flight.edit_response(ExchangeContext { snapshot, rules, facts }, response.headers_mut());
    }
    NotRouted::Ends(Box::new(Unrouted::Direct(response)))
}

/// The rules of the route that a router's response is by, as it says itself.
#[cold]
fn named<'a>(route: Option<&HeaderValue>, snapshot: &'a Snapshot) -> Option<&'a RouteRules> {
    route?.to_str().ok()?.parse().ok().and_then(|number: usize| snapshot.routes.get(number))
}
