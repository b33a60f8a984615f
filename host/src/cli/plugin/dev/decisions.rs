//! Decisions of one plugin, shown as they are made.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::super::super::terminal::say;
use super::lines;
use crate::policy::{DecisionObserver, Observation, Observed};

/// Lines of one second. What is beyond is counted: who reads along cannot read more, and requests must not wait for it.
const PER_SECOND: usize = 20;

/// The same of faults, which are shown in full.
const FAULTS_PER_SECOND: usize = 5;

/// Shows the decisions of one plugin at the terminal.
#[derive(Debug)]
pub(super) struct ShownDecisions {
    plugin: String,
    allowance: Arc<Allowance>,
    lines: SyncSender<String>,
}

/// What may still be shown in this second, and how many could not be.
#[derive(Debug, Default)]
struct Allowance {
    decisions: AtomicUsize,
    faults: AtomicUsize,
    held_back: AtomicUsize,
}

impl ShownDecisions {
    /// Those of `plugin`, from now on, by a thread of their own.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(super) fn of(plugin: &str) -> std::io::Result<Self> {
        let allowance = Arc::new(Allowance::default());
        allowance.renew();
        // Never full: nothing is sent beyond what a second allows.
        let (lines, from) = sync_channel(4 * (PER_SECOND + FAULTS_PER_SECOND));
        let shared = Arc::clone(&allowance);
        std::thread::Builder::new().name("decisions".to_owned()).spawn(move || show(&from, &shared))?;
        Ok(Self { plugin: plugin.to_owned(), allowance, lines })
    }
}

impl DecisionObserver for ShownDecisions {
    fn observe(&self, observation: &Observation<'_>) {
        if observation.decider.plugin != self.plugin {
            return;
        }
        let is_fault = match &observation.decided {
            Observed::Pick(_, chosen) => chosen.is_err(),
            Observed::Route(_, decision) => decision.is_err(),
            Observed::Rewrite(_, edits) => edits.is_err(),
        };
        if !self.allowance.take(is_fault) || self.lines.try_send(lines::line(observation)).is_err() {
            self.allowance.held_back.fetch_add(1, Relaxed);
        }
    }
}

impl Allowance {
    fn renew(&self) {
        self.decisions.store(PER_SECOND, Relaxed);
        self.faults.store(FAULTS_PER_SECOND, Relaxed);
    }

    fn take(&self, is_fault: bool) -> bool {
        let left = if is_fault { &self.faults } else { &self.decisions };
        left.try_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

/// Shows lines until nobody can send any, and once a second how many were held back.
fn show(from: &Receiver<String>, allowance: &Allowance) {
    let mut renewed = Instant::now();
    loop {
        let left = Duration::from_secs(1).saturating_sub(renewed.elapsed());
        match from.recv_timeout(left) {
            Ok(line) => say(line),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if renewed.elapsed() >= Duration::from_secs(1) {
            let more = allowance.held_back.swap(0, Relaxed);
            if more > 0 {
                say(format_args!("… and {more} more"));
            }
            allowance.renew();
            renewed = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_shown_in_a_second_and_faults_have_an_allowance_of_their_own() {
        let allowance = Allowance::default();
        allowance.renew();

        let shown = (0..1000).filter(|_| allowance.take(false)).count();
        let faults = (0..1000).filter(|_| allowance.take(true)).count();

        assert_eq!((shown, faults), (PER_SECOND, FAULTS_PER_SECOND));
    }
}
