//! One swap, and what follows from it. Nothing here can fail.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Shared;
use super::generation::{Generation, ListenerKey};
use super::prepare::Prepared;
use super::probing;
use super::serve;
use crate::listener::{Bound, Gate};
use crate::telemetry::Counter;

/// Why a generation goes live.
#[derive(Debug)]
pub(super) enum Cause {
    /// Somebody wanted it: a file, a rollback.
    Decided,
    /// Somebody changed this while it ran.
    Changed(Vec<String>),
    /// Names have other addresses. Nobody decided anything: the generation to return to stays, and of many in a row
    /// the history keeps the last.
    Names(Vec<String>),
}

/// Most changes of members that a history entry and a log line name.
const NAMED: usize = 8;

/// Generations that the history remembers.
const HISTORY: usize = 32;

/// The sockets that are open, whatever generation runs.
#[derive(Debug, Default)]
pub(super) struct Listening {
    open: BTreeMap<ListenerKey, Open>,
    started: bool,
    /// The gateway drains: nothing is accepted on any more.
    stopped: bool,
}

#[derive(Debug)]
struct Open {
    address: SocketAddr,
    /// Taken when accepting begins.
    sockets: Vec<std::net::TcpListener>,
    gate: Arc<Gate>,
    stop: CancellationToken,
}

impl Listening {
    pub(super) fn keys(&self) -> BTreeSet<ListenerKey> {
        self.open.keys().copied().collect()
    }

    /// Takes over sockets that were bound for the next generation.
    pub(super) fn adopt(&mut self, bound: Vec<(ListenerKey, Bound)>) {
        for (key, bound) in bound {
            let address = bound.address();
            let open =
                Open { address, sockets: bound.into_sockets(), gate: Arc::default(), stop: CancellationToken::new() };
            self.open.insert(key, open);
        }
    }

    pub(super) fn addresses<'a>(&self, keys: impl Iterator<Item = &'a ListenerKey>) -> Vec<SocketAddr> {
        keys.filter_map(|key| self.open.get(key)).map(|open| open.address).collect()
    }

    /// Whether connections are accepted.
    pub(super) fn has_started(&self) -> bool {
        self.started
    }

    /// Client connections open now, by the address that they came in at. Those of a closed listener are not told.
    pub(super) fn connections(&self) -> Vec<(SocketAddr, usize)> {
        self.open.values().map(|open| (open.address, open.gate.open())).collect()
    }

    /// Stops listening where `generation` no longer does. What was accepted goes on.
    fn close_others(&mut self, generation: &Generation) {
        self.open.retain(|key, open| {
            let stays = generation.listeners.contains_key(key);
            if !stays {
                open.stop.cancel();
                tracing::info!(address = %open.address, "no longer listening");
            }
            stays
        });
    }
}

impl Shared {
    /// Accepts on every socket that is open and not accepted on yet.
    pub(super) fn start_listening(self: &Arc<Self>) {
        let mut listening = self.listening.lock();
        if listening.stopped {
            return;
        }
        listening.started = true;
        for (key, open) in &mut listening.open {
            if open.sockets.is_empty() {
                continue;
            }
            tracing::info!(address = %open.address, "listening");
            for (worker, socket) in std::mem::take(&mut open.sockets).into_iter().enumerate() {
                let (shared, stop) = (self.clone(), open.stop.clone());
                let door = serve::Door { key: *key, address: open.address, gate: open.gate.clone() };
                self.base.workers.run_on(worker, move || serve::accept(shared, door, socket, stop));
            }
        }
    }

    /// Makes `prepared` the generation that serves. Requests in flight finish under the one they began with; tunnels
    /// notice nothing.
    pub(super) fn commit(self: &Arc<Self>, prepared: Prepared, cause: Cause) -> Arc<Generation> {
        let (generation, bound) = prepared.into_parts();
        self.listening.lock().adopt(bound);
        probing::take_over(&generation, &self.current.load());
        let before = self.current.swap(generation.clone());
        let by_names = matches!(cause, Cause::Names(_));
        self.went_live(&generation, &before, cause);
        if !by_names {
            *self.previous.lock() = Some(before);
        }
        generation
    }

    /// Closes and opens sockets, and tells everybody.
    fn went_live(self: &Arc<Self>, generation: &Generation, before: &Generation, cause: Cause) {
        let mut listening = self.listening.lock();
        listening.close_others(generation);
        let started = listening.started;
        drop(listening);
        if started {
            self.start_listening();
            self.probe_endpoints();
        }
        let mut past = generation.describe(Some(before));
        past.by_names = matches!(cause, Cause::Names(_));
        if let Cause::Changed(mut said) | Cause::Names(mut said) = cause
            && !said.is_empty()
        {
            let more = said.len().saturating_sub(NAMED);
            said.truncate(NAMED);
            if more > 0 {
                said.push(format!("and {more} more"));
            }
            past.changes = said;
        }
        tracing::info!(generation = generation.id, changes = past.changes.join(", "), "generation is live");
        let mut history = self.history.lock();
        for entry in history.iter_mut() {
            entry.live = false;
        }
        if past.by_names && history.last().is_some_and(|last| last.by_names) {
            history.pop();
        }
        history.push(past);
        if history.len() > HISTORY {
            history.remove(0);
        }
        drop(history);
        self.base.observers.metrics.set_generation(generation.id);
    }

    /// Stops accepting everywhere.
    pub(super) fn stop_listening(&self) {
        let mut listening = self.listening.lock();
        listening.stopped = true;
        for open in listening.open.values() {
            open.stop.cancel();
        }
    }

    /// Counts a reload that was refused, and says why.
    pub(super) fn refused(&self, why: &str, hint: Option<String>) {
        // A configuration has as many faults as it has, each with its hint on a line of its own.
        let why = why.lines().map(str::trim).collect::<Vec<_>>().join("; ");
        self.base.observers.metrics.increment(Counter::ReloadRefused);
        let generation = self.current.load().id;
        match hint {
            Some(hint) => tracing::error!(generation, "reload refused, nothing changed: {why}; hint: {hint}"),
            None => tracing::error!(generation, "reload refused, nothing changed: {why}"),
        }
    }
}
