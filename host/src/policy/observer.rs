//! Seeing what is decided: one call for each decision, with what it was made from.
//!
//! An observed decider is another decider around it. Where nobody observes, there is none: requests then pay nothing,
//! not even a branch.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::http::{HeaderName, HeaderValue, StatusCode};

use super::{
    Balancer, BodySight, CallMeter, Choice, Decision, Effects, EndpointId, Fault, HeaderEdit, Outcome, PickRequest,
    RequestFacts, ResponseContext, Rewriter, Rewritten, Routed, Router,
};

/// Is shown every decision of the plugins of a gateway, shipped ones among them.
pub trait DecisionObserver: fmt::Debug + Send + Sync {
    /// Called on the thread that decided, before the decision takes effect: for a pick, under the lock of its cluster.
    /// It must neither block nor panic; whatever time it takes, requests wait.
    fn observe(&self, observation: &Observation<'_>);
}

/// One decision.
#[derive(Debug)]
pub struct Observation<'a> {
    /// Who decided.
    pub decider: &'a DeciderLabel,
    /// From what, and what.
    pub decided: Observed<'a>,
    /// What the plugin did beside deciding.
    pub effects: &'a Effects,
    /// How long it took, wall clock, as requests have it: a replacement of the plugin's instance that was made meanwhile
    /// is in it.
    pub took: Duration,
}

/// Inputs of a decision, and what came of them.
#[derive(Debug)]
pub enum Observed<'a> {
    /// Of a balancer. In the place of one that failed stands [`LeastBusy`](super::LeastBusy).
    Pick(&'a PickRequest<'a>, Result<Choice, &'a Fault>),
    /// Of a router.
    Route(&'a RequestFacts, Result<&'a Decision, &'a Fault>),
    /// Of a rewriter.
    Rewrite(&'a ShownResponse<'a>, Result<&'a [HeaderEdit], &'a Fault>),
}

/// What a rewriter was shown.
#[derive(Debug)]
pub struct ShownResponse<'a> {
    /// Of which exchange.
    pub context: &'a ResponseContext<'a>,
    /// Status of the response.
    pub status: StatusCode,
    /// The fields of interest.
    pub fields: &'a [(HeaderName, HeaderValue)],
}

/// Which plugin decided, and what the numbers in its decisions stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeciderLabel {
    /// Name of the plugin, as configured.
    pub plugin: String,
    /// SHA-256 of its file, hex.
    pub digest: Arc<str>,
    /// The cluster that a balancer chooses for; none for other roles.
    pub cluster: Option<String>,
    /// What its ids index: the URLs of the endpoints for a balancer, the names of the clusters for a router.
    pub names: Vec<String>,
}

/// A decider that is observed.
#[derive(Debug)]
pub struct ObservedDecider<D> {
    decider: D,
    label: DeciderLabel,
    observer: Arc<dyn DecisionObserver>,
    /// Of the last pick, for whoever takes them behind the observer.
    effects: Effects,
}

impl<D> ObservedDecider<D> {
    /// `decider`, whose decisions `observer` is shown under `label`.
    pub fn new(decider: D, label: DeciderLabel, observer: Arc<dyn DecisionObserver>) -> Self {
        Self { decider, label, observer, effects: Effects::default() }
    }

    fn show(&self, took: Duration, decided: Observed<'_>, effects: &Effects) {
        self.observer.observe(&Observation { decider: &self.label, decided, effects, took });
    }
}

impl Balancer for ObservedDecider<Box<dyn Balancer>> {
    fn pick(&mut self, request: &PickRequest<'_>) -> Result<Choice, Fault> {
        let began = Instant::now();
        let chosen = self.decider.pick(request);
        let took = began.elapsed();
        self.effects = self.decider.take_effects();
        self.show(took, Observed::Pick(request, chosen.as_ref().copied()), &self.effects);
        chosen
    }

    fn take_effects(&mut self) -> Effects {
        std::mem::take(&mut self.effects)
    }

    fn wants_feedback(&self) -> bool {
        self.decider.wants_feedback()
    }

    fn opened(&mut self, endpoint: EndpointId) {
        self.decider.opened(endpoint);
    }

    fn closed(&mut self, endpoint: EndpointId, outcome: &Outcome) {
        self.decider.closed(endpoint, outcome);
    }

    fn sight(&self) -> Option<BodySight> {
        self.decider.sight()
    }

    fn meter(&self) -> Option<Arc<dyn CallMeter>> {
        self.decider.meter()
    }

    fn save(&mut self) -> Option<Vec<u8>> {
        self.decider.save()
    }
}

impl Router for ObservedDecider<Box<dyn Router>> {
    fn route(&self, request: &RequestFacts) -> Result<Routed, Fault> {
        let began = Instant::now();
        let routed = self.decider.route(request);
        let (took, nothing) = (began.elapsed(), Effects::default());
        let effects = routed.as_ref().map_or(&nothing, |routed| &routed.effects);
        self.show(took, Observed::Route(request, routed.as_ref().map(|routed| &routed.decision)), effects);
        routed
    }

    fn sight(&self) -> Option<BodySight> {
        self.decider.sight()
    }
}

impl Rewriter for ObservedDecider<Box<dyn Rewriter>> {
    fn interest(&self) -> &[HeaderName] {
        self.decider.interest()
    }

    fn sees_all(&self) -> bool {
        self.decider.sees_all()
    }

    fn rewrite(
        &self,
        context: &ResponseContext<'_>,
        status: StatusCode,
        fields: &[(HeaderName, HeaderValue)],
    ) -> Result<Rewritten, Fault> {
        let began = Instant::now();
        let rewritten = self.decider.rewrite(context, status, fields);
        let (took, nothing) = (began.elapsed(), Effects::default());
        let shown = ShownResponse { context, status, fields };
        let effects = rewritten.as_ref().map_or(&nothing, |rewritten| &rewritten.effects);
        self.show(took, Observed::Rewrite(&shown, rewritten.as_ref().map(|rewritten| &*rewritten.edits)), effects);
        rewritten
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;
    use crate::policy::{FaultKind, LeaseEnding};

    /// Writes down what it is shown.
    #[derive(Debug, Default)]
    struct Notes(Mutex<Vec<String>>);

    impl DecisionObserver for Notes {
        fn observe(&self, observation: &Observation<'_>) {
            let Observed::Pick(request, chosen) = &observation.decided else { panic!("a pick was made") };
            let (ids, busy) = (request.eligible.as_numbers(), request.busy);
            self.0.lock().push(format!("{} {ids:?} {busy:?} {chosen:?}", observation.decider.plugin));
        }
    }

    /// Takes the last, fails where there is one alone, and writes down which of its functions were called.
    struct Last(Arc<Notes>);

    impl Balancer for Last {
        fn pick(&mut self, request: &PickRequest<'_>) -> Result<Choice, Fault> {
            match request.eligible.len() {
                1 => Err(Fault { plugin: "last".into(), kind: FaultKind::Trap, detail: "alone".to_owned() }),
                _ => Ok(request.eligible.iter().last().into()),
            }
        }

        fn wants_feedback(&self) -> bool {
            true
        }

        fn opened(&mut self, endpoint: EndpointId) {
            self.0.0.lock().push(format!("opened {endpoint}"));
        }

        fn closed(&mut self, endpoint: EndpointId, _outcome: &Outcome) {
            self.0.0.lock().push(format!("closed {endpoint}"));
        }

        fn save(&mut self) -> Option<Vec<u8>> {
            Some(vec![7])
        }
    }

    #[test]
    fn an_observed_balancer_decides_as_before_and_every_pick_is_seen() {
        let (seen, called) = (Arc::new(Notes::default()), Arc::new(Notes::default()));
        let label =
            DeciderLabel { plugin: "last".to_owned(), digest: "00".into(), cluster: None, names: Vec::default() };
        let inner: Box<dyn Balancer> = Box::new(Last(called.clone()));
        let mut observed = ObservedDecider::new(inner, label, seen.clone());

        let two = PickRequest { eligible: &[1, 4].into(), busy: &[3, 2], affinity: None, request: None };
        assert_eq!(observed.pick(&two).unwrap(), Choice::one(EndpointId(4)));
        let one = PickRequest { eligible: &[4].into(), busy: &[2], affinity: None, request: None };
        assert!(observed.pick(&one).is_err());

        let seen = seen.0.lock();
        assert_eq!(seen[0], "last [1, 4] [3, 2] Ok(Take(EndpointId(4), LeaseUnits(1)))");
        assert!(seen[1].starts_with("last [4] [2] Err(") && seen[1].contains("alone"), "{}", seen[1]);
    }

    #[test]
    fn what_is_no_decision_goes_through_to_the_balancer() {
        let called = Arc::new(Notes::default());
        let label =
            DeciderLabel { plugin: "last".to_owned(), digest: "00".into(), cluster: None, names: Vec::default() };
        let inner: Box<dyn Balancer> = Box::new(Last(called.clone()));
        let mut observed = ObservedDecider::new(inner, label, Arc::new(Notes::default()));

        observed.opened(EndpointId(1));
        let outcome = Outcome {
            ending: LeaseEnding::Complete,
            status: None,
            duration: Duration::ZERO,
            first_byte: None,
            sent: 0,
            received: 0,
        };
        observed.closed(EndpointId(1), &outcome);

        assert!(observed.wants_feedback(), "its own word");
        assert_eq!(observed.save(), Some(vec![7]), "its state");
        assert_eq!(*called.0.lock(), ["opened 1", "closed 1"]);
    }
}
