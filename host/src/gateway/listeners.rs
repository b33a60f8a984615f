//! The sockets that are open, whatever generation runs.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::generation::Generation;
use super::parts::listeners::NewSockets;
use super::serve::{self, ListenerHandle, Serving};
use crate::listener::{Bound, Gate};
use crate::proxy::ListenerKey;

/// Every listener with its sockets.
#[derive(Debug)]
pub(super) struct Listeners {
    serving: Arc<Serving>,
    state: Mutex<ListenersState>,
}

#[derive(Debug, Default)]
struct ListenersState {
    open: BTreeMap<ListenerKey, OpenListener>,
    phase: AcceptPhase,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum AcceptPhase {
    /// Connections queue in the kernel.
    #[default]
    Bound,
    Accepting,
    /// The gateway drains: nothing is accepted on any more.
    Stopped,
}

#[derive(Debug)]
struct OpenListener {
    address: SocketAddr,
    /// One for each worker, until accepting begins.
    to_accept_on: Vec<TcpListener>,
    /// The same sockets again, so that they can be handed on. A socket listens until its last duplicate is closed:
    /// these go when accepting ends.
    kept: Option<Bound>,
    gate: Arc<Gate>,
    stop: CancellationToken,
}

impl Listeners {
    /// Connections that they accept are served by `serving`.
    pub(super) fn new(serving: Arc<Serving>) -> Self {
        Self { serving, state: Mutex::default() }
    }

    pub(super) fn keys(&self) -> BTreeSet<ListenerKey> {
        self.state.lock().open.keys().copied().collect()
    }

    /// Takes sockets that were bound for the next generation; closes them if accepting has ended.
    pub(super) fn adopt(&self, sockets: Vec<NewSockets>) {
        let mut state = self.state.lock();
        if state.phase == AcceptPhase::Stopped {
            return;
        }
        for NewSockets { key, bound, kept } in sockets {
            let open = OpenListener {
                address: bound.address(),
                to_accept_on: bound.into_sockets(),
                kept: Some(kept),
                gate: Arc::default(),
                stop: CancellationToken::new(),
            };
            state.open.insert(key, open);
        }
    }

    /// Where `generation` listens, in the order of its configuration; ports are the real ones.
    pub(super) fn addresses(&self, generation: &Generation) -> Vec<SocketAddr> {
        let state = self.state.lock();
        generation.listeners().keys().filter_map(|key| state.open.get(key)).map(|open| open.address).collect()
    }

    /// Duplicates of all sockets, for a process that is to go on with them. None once accepting has ended.
    ///
    /// # Errors
    /// If there are no descriptors left.
    pub(super) fn duplicates(&self) -> io::Result<Vec<Bound>> {
        self.state.lock().open.values().filter_map(|open| open.kept.as_ref()).map(Bound::try_clone).collect()
    }

    /// Whether connections are or were accepted.
    pub(super) fn have_started(&self) -> bool {
        self.state.lock().phase != AcceptPhase::Bound
    }

    /// Client connections open now, by the address that they came in at. Those of a closed listener are left out.
    pub(super) fn connections(&self) -> Vec<(SocketAddr, usize)> {
        self.state.lock().open.values().map(|open| (open.address, open.gate.open())).collect()
    }

    /// Accepts on every socket that is not accepted on yet.
    pub(super) fn start(&self) {
        let mut state = self.state.lock();
        if state.phase == AcceptPhase::Stopped {
            return;
        }
        state.phase = AcceptPhase::Accepting;
        for (key, open) in &mut state.open {
            if open.to_accept_on.is_empty() {
                continue;
            }
            tracing::info!(address = %open.address, "listening");
            let workers = &self.serving.services.workers;
            for (number, socket) in std::mem::take(&mut open.to_accept_on).into_iter().enumerate() {
                let (serving, stop) = (self.serving.clone(), open.stop.clone());
                let listener = ListenerHandle { key: *key, address: open.address, gate: open.gate.clone() };
                // As many as there are workers, unless another process had other workers and handed its sockets on.
                let worker = number % workers.count();
                workers.run_on(worker, move || serve::accept(serving, listener, socket, stop));
            }
        }
    }

    /// Listens where `generation` does and nowhere else. What was accepted goes on.
    pub(super) fn follow(&self, generation: &Generation) {
        self.state.lock().open.retain(|key, open| {
            let stays = generation.listeners().contains_key(key);
            if !stays {
                open.stop_accepting();
                tracing::info!(address = %open.address, "no longer listening");
            }
            stays
        });
        if self.have_started() {
            self.start();
        }
    }

    /// Stops accepting everywhere.
    pub(super) fn stop(&self) {
        let mut state = self.state.lock();
        state.phase = AcceptPhase::Stopped;
        for open in state.open.values_mut() {
            open.stop_accepting();
        }
    }
}

impl OpenListener {
    /// The duplicate first: a socket must be closed by the accept loop, which has just seen that no connection queues
    /// at it.
    fn stop_accepting(&mut self) {
        self.kept = None;
        self.stop.cancel();
    }
}
