//! Is it the plugin that passes its deadline, or what it is asked?
//!
//! Matters where a fault is answered to somebody (503): nobody's doing may become the answer to all others. So a plugin is
//! put aside only if it passes its deadline for harmless questions of our own, and what provokes it is refused alone.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::super::breaker::Change;
use super::super::fault::Crash;
use super::super::instance::Instance;
use super::super::plan::{Cost, NoInstance, Role};
use super::super::suspects::{Occasion, Party};
use super::Seat;
use crate::policy::{Fault, FaultKind};
use crate::telemetry::limited;

/// What became of our own questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    InTime,
    /// Past the deadline, each of them; or there is nobody to ask.
    Late,
    /// As well, and nothing could end the attempt.
    Never,
}

impl<R: Role> Seat<R> {
    /// As [`Self::ready`]; refuses as well what made the plugin pass its deadline again and again.
    ///
    /// # Errors
    /// As well if that is so.
    #[inline]
    pub(in super::super) fn ready_for(&mut self, occasion: &impl Occasion) -> Result<&mut Instance<R::Guest>, Fault> {
        if !self.suspects.is_empty() && !self.suspects.admit(occasion, Instant::now()) {
            return Err(self.refused());
        }
        self.ready()
    }

    /// As [`Self::settle`], after [`Self::ready_for`].
    ///
    /// # Errors
    /// The crash, as the fault that the caller sees.
    #[inline]
    pub(in super::super) fn settle_for<T>(
        &mut self,
        occasion: &impl Occasion,
        answer: Result<T, Crash>,
    ) -> Result<T, Fault> {
        let settled = self.settle(answer);
        match &settled {
            Ok(_) if self.suspects.is_empty() => {}
            Ok(_) => self.suspects.clear(occasion),
            Err(fault) if fault.kind == FaultKind::Deadline && !self.breaker.is_aside() => self.blame(occasion),
            Err(_) => {}
        }
        settled
    }

    /// A deadline was passed. Is it the plugin, or what it was asked?
    #[cold]
    pub(super) fn suspect(&mut self) -> Change {
        if !self.breaker.strike() {
            return Change::None;
        }
        match self.ask(None) {
            Answer::InTime => self.breaker.succeeded(),
            Answer::Late => self.breaker.open(Instant::now()),
            Answer::Never => self.breaker.gave_out(Instant::now()),
        }
    }

    /// Counts a passed deadline towards what was asked, and towards who brought it.
    #[cold]
    fn blame(&mut self, occasion: &impl Occasion) {
        let now = Instant::now();
        let mut opened = matches!(self.suspects.blame_question(occasion, now), Change::Opened(_));
        let party = occasion.party();
        if let Some(party) = party.filter(|party| self.suspects.strike(*party, now)) {
            if self.ask(Some(party)) == Answer::InTime {
                self.suspects.forgive(party);
            } else {
                opened |= matches!(self.suspects.put_aside(party, Instant::now()), Change::Opened(_));
            }
        }
        if opened {
            let (plugin, role) = (&*self.plan.counters.plugin, self.plan.counters.role.as_str());
            let endpoint = party.map(|party| tracing::field::display(party.endpoint));
            limited!(warn, of: *plugin, plugin, role, endpoint, "what made the plugin pass its deadline is refused for a while");
        }
    }

    /// Asks our own questions until one is answered in time.
    #[cold]
    fn ask(&mut self, party: Option<Party<'_>>) -> Answer {
        for number in 0..R::PROBES {
            if self.instance.is_none() {
                match self.plan.restart() {
                    Ok(instance) => {
                        self.instance = Some(instance);
                        self.plan.counters.instances.fetch_add(1, Relaxed);
                    }
                    Err(NoInstance { problem, cost }) => {
                        self.lose(&Crash { kind: FaultKind::Unavailable, detail: problem.to_string() }, Instant::now());
                        return if cost == Cost::Endless { Answer::Never } else { Answer::Late };
                    }
                }
            }
            let (plan, ticks) = (Arc::clone(&self.plan), self.plan.artifact.ticks);
            let Some(instance) = &mut self.instance else { return Answer::Late };
            match instance.run(ticks, |guest, store| plan.role.probe(guest, store, number, party)) {
                Ok(()) => return Answer::InTime,
                Err(crash) => {
                    self.lose(&crash, Instant::now());
                    if crash.kind != FaultKind::Deadline {
                        return Answer::InTime;
                    }
                }
            }
        }
        Answer::Late
    }

    /// It is aside: whether the pause is over, and whether it answers again if that is for us to find out.
    #[cold]
    pub(super) fn may_be_tried(&mut self) -> bool {
        if !self.breaker.admits(Instant::now) {
            return false;
        }
        if R::PROBES == 0 {
            return true;
        }
        match self.ask(None) {
            Answer::InTime => {
                if self.breaker.succeeded() == Change::Closed {
                    self.back();
                }
                return true;
            }
            Answer::Late => self.breaker.open(Instant::now()),
            Answer::Never => self.breaker.gave_out(Instant::now()),
        };
        false
    }

    #[cold]
    fn refused(&self) -> Fault {
        let counters = &self.plan.counters;
        counters.count(FaultKind::Unavailable);
        let detail =
            "expected something that it answers in time, found what has made it pass its deadline again and again";
        Fault { plugin: Arc::clone(&counters.plugin), kind: FaultKind::Unavailable, detail: detail.to_owned() }
    }
}
