//! The composition root: prepare, commit, retire, rollback, reload, serve. The only module that imports everyone.
//!
//! ```text
//! config ─▶ prepare (may fail) ─▶ Prepared ─▶ commit (cannot) ─▶ Generation ─▶ retire
//!                                                 one swap ─▶ serve.rs reads it, per connection and per request
//! ```

mod changes;
mod commit;
mod compiling;
mod compose;
mod descriptors;
mod generation;
mod names;
mod overview;
mod prepare;
mod probing;
mod pushed;
mod reload;
mod run;
mod serve;
mod sources;

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::cluster::Registry;
use crate::config::{Changes, ChangesFileError, Config, Dropped};
use crate::discovery::{Discovery, Known};
use crate::http::Pseudonym;
use crate::lifecycle::{Drain, WorkerThreads, Workers};
use crate::plugin::{Runtime, RuntimeError};
use crate::probe::Prober;
use crate::proxy::Observers;
use crate::telemetry::{AccessLog, AccessTarget, LineFormat, Metrics};
use crate::{admin, config, heartbeat, net, telemetry, tls};

pub use crate::net::raise_descriptor_limit;
pub use crate::plugin::{Bounds, Compiler, shipped};
pub use crate::tls::{SelfSigned, SelfSignedError, self_signed};
pub use changes::ChangeRefused;
use commit::Listening;
pub use compiling::{compile_plugin, own_compiler};
pub use descriptors::shortage_of_descriptors;
pub use generation::{Generation, Past};
pub use prepare::PrepareError;
pub use reload::ReloadError;
pub use run::Stopped;

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    shared: Arc<Shared>,
    admin: Option<admin::Server>,
    heartbeats: Option<heartbeat::Receiver>,
    /// Dropped last: tasks hold what they use.
    _threads: WorkerThreads,
}

/// What [`Gateway::check`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What would be served, in one line.
    pub summary: String,
    /// What works in the files that the configuration names, but deserves a word: one sentence each.
    pub warnings: Vec<String>,
}

/// What every part of a running gateway knows.
#[derive(Debug)]
struct Shared {
    current: ArcSwap<Generation>,
    /// The generation before, ready to return to.
    previous: Mutex<Option<Arc<Generation>>>,
    /// All that were ever live, oldest first, the last few.
    history: Mutex<Vec<Past>>,
    /// Held by whoever prepares and commits: one change at a time.
    changing: Mutex<u64>,
    listening: Mutex<Listening>,
    probing: Mutex<probing::Probing>,
    /// Files of the configuration that was read last.
    named: Mutex<Vec<PathBuf>>,
    /// Why the last reload changed nothing; none if it did.
    refusal: Mutex<Option<reload::Refusal>>,
    /// Runtime changes that were given up when a file was read last.
    dropped: Mutex<Vec<Dropped>>,
    /// Another generation went live by an admin call: what is watched may have to change.
    changed: Notify,
    base: Base,
}

/// What outlives every generation.
#[derive(Debug)]
struct Base {
    workers: Workers,
    drain: Drain,
    registry: Arc<Registry>,
    prober: Prober,
    runtime: Arc<Runtime>,
    tickets: tls::Tickets,
    observers: Observers,
    pseudonym: Pseudonym,
    discovery: Arc<Discovery>,
    /// Where runtime changes are kept over restarts.
    persist: Option<PathBuf>,
}

/// The gateway could not start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The system gives no thread, or the access log cannot be opened.
    #[error("{what}")]
    System {
        /// What was being done.
        what: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The wasm runtime does not start on this machine.
    #[error("the plugin runtime does not start")]
    Runtime(#[from] RuntimeError),
    /// The admin server's address or token.
    #[error(transparent)]
    Admin(#[from] admin::BindError),
    /// The address of `[heartbeat]`.
    #[error(transparent)]
    Heartbeat(#[from] heartbeat::ReceiverError),
    /// The configuration cannot be served.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The runtime changes that are kept cannot be read.
    #[error(transparent)]
    Changes(#[from] ChangesFileError),
}

impl Gateway {
    /// [`Self::build_with`] a compiler in this process: for programs that vouch for their plugins.
    ///
    /// # Errors
    /// As there.
    pub fn build(config: Config) -> Result<Self, BuildError> {
        Self::build_with(config, Compiler::InProcess)
    }

    /// Prepares the first generation: reads certificates, has plugins compiled, binds sockets. Blocks. Nothing is accepted
    /// before [`Self::start`].
    ///
    /// # Errors
    /// [`BuildError`]: what would have to be mended before it can serve.
    pub fn build_with(config: Config, compiler: Compiler) -> Result<Self, BuildError> {
        let gateway = Self::prepared(config, compiler, Purpose::Serve)?;
        gateway.shared.follow_names();
        gateway.shared.kept_over_restart();
        Ok(gateway)
    }

    fn prepared(config: Config, compiler: Compiler, purpose: Purpose) -> Result<Self, BuildError> {
        let system = |what: &str| {
            let what = what.to_owned();
            move |source| BuildError::System { what, source }
        };
        let admin = config.admin.as_ref().map(admin::Server::bind).transpose()?;
        let heartbeats = config.heartbeat.as_ref().map(heartbeat::Receiver::bind).transpose()?;
        let count = NonZeroUsize::new(config.gateway.workers).unwrap_or(NonZeroUsize::MIN);
        let threads = WorkerThreads::start(count).map_err(system("cannot start the worker threads"))?;
        let metrics = Metrics::new(count);
        let access = open_access(&config.log).map_err(system(&cannot_open(&config.log)))?;
        metrics.add_source({
            let access = access.clone();
            move |samples| {
                access.report(samples);
                telemetry::log::report(samples);
            }
        });
        let drain = Drain::new(count);
        let base = Base {
            workers: threads.workers().clone(),
            registry: Arc::default(),
            prober: Prober::new(threads.workers().clone(), drain.clone()),
            drain,
            discovery: Discovery::new(config.gateway.resolver.clone(), metrics.clone()),
            persist: config.admin.as_ref().and_then(|admin| admin.persist.clone()),
            runtime: Runtime::with_compiler(compiler, config.gateway.cache.as_deref())?,
            tickets: tls::Tickets::default(),
            observers: Observers { metrics, access },
            pseudonym: Pseudonym::random(),
        };
        let mut listening = Listening::default();
        prepare::probe(&config)?;
        let files = prepare::Files::read(&config)?;
        let folder = config.source.parent().unwrap_or(Path::new("")).to_owned();
        let kept = base.persist.as_deref().map(|path| Changes::load(path, &folder)).transpose()?.unwrap_or_default();
        let composed = match purpose {
            Purpose::Serve => base.compose(Arc::new(config), &kept),
            // Whether name servers answer is no fault of the configuration.
            Purpose::Check => compose::Composed::new(Arc::new(config), &kept, Known::default()),
        };
        let dropped = composed.dropped.clone();
        let prepared = prepare::prepare(&base, composed, &files, 1, None, &listening.keys())?;
        let (generation, bound) = prepared.into_parts();
        listening.adopt(bound);
        base.observers.metrics.set_generation(generation.id());
        let shared = Arc::new(Shared {
            history: Mutex::new(vec![generation.describe(None)]),
            current: ArcSwap::new(generation),
            previous: Mutex::new(None),
            changing: Mutex::new(1),
            listening: Mutex::new(listening),
            probing: Mutex::default(),
            named: Mutex::default(),
            refusal: Mutex::default(),
            dropped: Mutex::new(dropped),
            changed: Notify::new(),
            base,
        });
        shared.add_sources();
        Ok(Self { shared, admin, heartbeats, _threads: threads })
    }

    /// Prepares as [`Self::build`] does, says in one line what would be served, and takes everything down again. Sockets
    /// that are in use are no fault here: mostly it is the gateway that runs with an earlier version of the file.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub fn check(config: Config, compiler: Compiler) -> Result<Checked, BuildError> {
        let config = Config { log: config::LogConfig { access: config::AccessLogConfig::Off, ..config.log }, ..config };
        let summary = format!(
            "good: {} listeners, {} routes, {} clusters",
            config.listeners.len(),
            config.routes.len(),
            config.clusters.len()
        );
        let admin_in_use = match config.admin.as_ref().map(|admin| (admin.address, net::probe(admin.address))) {
            None | Some((_, Ok(()))) => String::new(),
            Some((address, Err(error))) if error.kind() == io::ErrorKind::AddrInUse => {
                format!("; {address} is in use, by a running gateway?")
            }
            Some((address, Err(source))) => return Err(admin::BindError::Address { address, source }.into()),
        };
        let heartbeat_in_use = match config.heartbeat.as_ref().map(heartbeat::Receiver::bind) {
            Some(Err(error)) if error.is_in_use() => format!("; {} is in use, by a running gateway?", error.address),
            bound => bound.transpose().map(|_closed_again| String::new())?,
        };
        let in_use = match prepare::probe(&config) {
            Err(PrepareError::Bind { address, source }) if source.kind() == io::ErrorKind::AddrInUse => {
                format!("; {address} is in use, by a running gateway?")
            }
            probed => probed.map(|()| String::new())?,
        };
        // Not bound for real: sockets that listen, however shortly, would take connections from a running gateway.
        let anywhere = config.listeners.into_iter().map(elsewhere).collect();
        let admin = config.admin.map(|admin| config::AdminConfig { address: free(), ..admin });
        let heartbeat = config.heartbeat.map(|heartbeat| config::HeartbeatConfig { listen: free(), ..heartbeat });
        let elsewhere = Config { listeners: anywhere, heartbeat, admin, ..config };
        let taken_down = Self::prepared(elsewhere, compiler, Purpose::Check)?;
        let warnings = taken_down.shared.current.load().warnings.clone();
        Ok(Checked { summary: format!("{summary}{in_use}{admin_in_use}{heartbeat_in_use}"), warnings })
    }

    /// Accepts connections, and probes endpoints.
    pub fn start(&self) {
        self.shared.probe_endpoints();
        self.shared.start_listening();
        if let Some(heartbeats) = &self.heartbeats {
            let Base { workers, drain, observers, .. } = &self.shared.base;
            let shared = self.shared.clone();
            heartbeats.start(workers, drain, &observers.metrics, move |known| {
                let live = shared.current.load();
                (!known.are_of(live.id)).then(|| live.senders())
            });
        }
    }

    /// Answers admin calls, if `[admin]` is configured, on the runtime that this is called on. The second time does
    /// nothing. They are answered until everything else has been drained.
    pub fn start_admin(&self) {
        if let Some(admin) = &self.admin {
            admin.start(Arc::new(overview::Whole(self.shared.clone())));
        }
    }

    /// Where admin calls are answered; the port is the real one.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(admin::Server::address)
    }

    /// Where heartbeats are received; the port is the real one.
    #[must_use]
    pub fn heartbeat_address(&self) -> Option<SocketAddr> {
        self.heartbeats.as_ref().map(heartbeat::Receiver::address)
    }

    /// Where it listens, in the order of the configuration; ports are the real ones.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let generation = self.shared.current.load();
        self.shared.listening.lock().addresses(generation.listeners.keys())
    }

    /// The generation that serves now.
    #[must_use]
    pub fn generation(&self) -> Arc<Generation> {
        self.shared.current.load_full()
    }

    /// Live numbers of endpoints.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.shared.base.registry
    }

    /// Counts of everything.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.shared.base.observers.metrics
    }

    /// The drain that ends it.
    #[must_use]
    pub fn drain(&self) -> &Drain {
        &self.shared.base.drain
    }

    /// Client connections on each worker, tunnels included.
    #[must_use]
    pub fn loads(&self) -> Vec<usize> {
        self.shared.base.workers.loads()
    }
}

/// What a gateway is prepared for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Serve,
    /// Nothing is asked of anybody, and nothing written.
    Check,
}

/// The same listener on a free loopback port.
fn elsewhere(listener: config::ListenerConfig) -> config::ListenerConfig {
    config::ListenerConfig { address: free(), ..listener }
}

/// A loopback address with a port that the system chooses.
fn free() -> SocketAddr {
    (std::net::Ipv4Addr::LOCALHOST, 0).into()
}

fn open_access(log: &config::LogConfig) -> io::Result<AccessLog> {
    let target = match &log.access {
        config::AccessLogConfig::Off => AccessTarget::Off,
        config::AccessLogConfig::Stdout => AccessTarget::Stdout,
        config::AccessLogConfig::File(path) => AccessTarget::File(path.clone()),
    };
    AccessLog::open(&target, line_format(log))
}

/// What failed, if the access log cannot be opened.
fn cannot_open(log: &config::LogConfig) -> String {
    match &log.access {
        config::AccessLogConfig::File(path) => format!("cannot open the access log {}", path.display()),
        _ => "cannot open the access log".to_owned(),
    }
}

/// The look of log lines, in telemetry's own words.
#[must_use]
pub fn line_format(log: &config::LogConfig) -> LineFormat {
    match log.format {
        config::LogFormat::Text => LineFormat::Text,
        config::LogFormat::Json => LineFormat::Json,
    }
}
