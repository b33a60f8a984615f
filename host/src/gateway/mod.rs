//! The composition root: prepare, commit, retire, rollback, reload, serve. The only module that imports everyone.
//!
//! ```text
//! config ─▶ prepare (may fail) ─▶ Prepared ─▶ commit (cannot) ─▶ Generation ─▶ retire
//!                                                 one swap ─▶ serve.rs reads it, per connection and per request
//!
//! Reloads, RuntimeChanges, following ─▶ RunningSet::replace_with ─▶ Generations, Listeners, Probing, EndpointNames,
//!                                                                    PluginTables
//! ```
//!
//! Each type of the last line owns its state and its lock; they share nothing but handles.

mod build;
mod busy_balancers;
mod changes;
mod check;
mod compiling;
mod composed;
mod control;
mod descriptors;
mod endpoints;
mod error;
mod following;
mod generation;
mod generations;
mod held;
mod history;
mod inherited;
mod listeners;
mod log_names;
mod names;
mod parts;
mod prepare;
mod probing;
mod reload;
mod reset;
mod run;
mod running;
mod secure;
mod serve;
mod services;
mod snapshot;
mod sources;
mod tables;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::cluster::Registry;
use crate::config::Config;
use crate::lifecycle::{Drain, WorkerThreads};
use crate::telemetry::Metrics;
use crate::{admin, heartbeat};

use changes::RuntimeChanges;
use control::ControlPort;
use reload::{Reloads, Trigger};
use running::RunningSet;
use services::Services;

pub use crate::heartbeat::ReceiverError;
pub use crate::net::raise_descriptor_limit;
pub use crate::plugin::{Bounds, Compiler, shipped};
pub use crate::tls::{SelfSigned, SelfSignedError, self_signed};
pub use build::{BuildError, BuildOptions, line_format};
pub use changes::ChangeRefused;
pub use check::Checked;
pub use compiling::{compile_plugin, own_compiler};
pub use descriptors::shortage_of_descriptors;
pub use error::PrepareError;
pub use generation::Generation;
pub use inherited::InheritedSockets;
pub use log_names::unknown_log_names;
pub use reload::ReloadError;
pub use run::Stopped;

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    set: Arc<RunningSet>,
    changes: Arc<RuntimeChanges>,
    reloads: Arc<Reloads>,
    admin: Option<admin::Server>,
    heartbeats: Option<heartbeat::Receiver>,
    /// Dropped last: tasks hold what they use.
    _threads: WorkerThreads,
}

impl Gateway {
    /// Accepts connections, and probes endpoints.
    pub fn start(&self) {
        self.set.start();
        if let Some(heartbeats) = &self.heartbeats {
            let Services { workers, drain, observers, .. } = &*self.set.services;
            let generations = self.set.generations.clone();
            heartbeats.start(workers, drain, &observers.metrics, move |known| {
                let live = generations.live();
                (!known.are_of(live.id)).then(|| live.senders())
            });
        }
    }

    /// Starts the admin server, if `[admin]` is configured, on the runtime that this is called on. The second call does
    /// nothing. The server responds until everything else has been drained.
    pub fn start_admin(&self) {
        if let Some(admin) = &self.admin {
            admin.start(Arc::new(ControlPort {
                set: self.set.clone(),
                changes: self.changes.clone(),
                reloads: self.reloads.clone(),
            }));
        }
    }

    /// Where the admin server listens; the port is the real one.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(admin::Server::address)
    }

    /// Where heartbeats are received; the port is the real one.
    #[must_use]
    pub fn heartbeat_address(&self) -> Option<SocketAddr> {
        self.heartbeats.as_ref().map(heartbeat::Receiver::address)
    }

    /// Where the gateway listens, in the order of the configuration; ports are the real ones.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.set.listeners.addresses(&self.set.generations.live())
    }

    /// Duplicates of the sockets that it is bound to, for a gateway that is to go on with them: see [`BuildOptions`].
    /// No connection is refused meanwhile, as both share the queue of a socket until one of them stops; a call of the
    /// admin API or a heartbeat comes to either. Once the gateway drains, only that of the admin server is left; once
    /// it has stopped, none.
    ///
    /// # Errors
    /// If there are no descriptors left.
    pub fn listening_sockets(&self) -> io::Result<InheritedSockets> {
        let admin = self.admin.as_ref().map(admin::Server::duplicate).transpose()?;
        let heartbeat = self.heartbeats.as_ref().map(heartbeat::Receiver::duplicate).transpose()?;
        let listeners = self.set.listeners.duplicates()?;
        Ok(InheritedSockets { listeners, admin: admin.flatten(), heartbeat: heartbeat.flatten() })
    }

    /// The generation that serves now.
    #[must_use]
    pub fn generation(&self) -> Arc<Generation> {
        Arc::clone(&self.set.generations.live())
    }

    /// Live numbers of endpoints.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.set.services.registry
    }

    /// Counts of everything.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.set.services.observers.metrics
    }

    /// The drain that ends it.
    #[must_use]
    pub fn drain(&self) -> &Drain {
        &self.set.services.drain
    }

    /// Client connections on each worker, tunnels included.
    #[must_use]
    pub fn loads(&self) -> Vec<usize> {
        self.set.services.workers.loads()
    }

    /// Reads the configuration file and everything it names anew, and swaps it in if it is good and different.
    ///
    /// # Errors
    /// [`ReloadError`]: it was counted and logged, and nothing has changed.
    pub fn reload(&self) -> Result<Arc<Generation>, ReloadError> {
        self.reloads.reload(Trigger::Request)
    }

    /// Swaps in `config`, which need not be in any file.
    ///
    /// # Errors
    /// As [`Self::reload`].
    pub fn replace(&self, config: Config) -> Result<Arc<Generation>, ReloadError> {
        self.reloads.replace(config)
    }

    /// Returns to the generation before. It was kept ready: only sockets that were closed since must be bound again.
    ///
    /// # Errors
    /// As [`Self::reload`].
    pub fn rollback(&self) -> Result<Arc<Generation>, ReloadError> {
        self.reloads.rollback()
    }
}
