//! From a configuration to a gateway that is ready to serve.

use std::collections::BTreeSet;
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use super::Gateway;
use super::busy_balancers;
use super::changes::{self, RuntimeChanges};
use super::composed::Composed;
use super::error::PrepareError;
use super::following::follow_names;
use super::generations::Generations;
use super::inherited::InheritedSockets;
use super::listeners::Listeners;
use super::names::EndpointNames;
use super::parts::files::NamedFiles;
use super::parts::listeners::{inherit, probe};
use super::prepare::prepare;
use super::probing::Probing;
use super::reload::Reloads;
use super::running::RunningSet;
use super::serve::Serving;
use super::services::Services;
use super::sources::add_sources;
use super::tables::PluginTables;
use crate::clock::Clock;
use crate::cluster::Registry;
use crate::config::{self, ChangesFileError, Config};
use crate::discovery::{Discovery, KnownNames};
use crate::http::Pseudonym;
use crate::lifecycle::{Drain, WorkerThreads};
use crate::plugin::{Compiler, Runtime, RuntimeError};
use crate::policy::DecisionObserver;
use crate::probe::Prober;
use crate::proxy::{Observers, PasswordChecks};
use crate::telemetry::{AccessLog, AccessTarget, LineFormat, Metrics};
use crate::{admin, heartbeat, telemetry, tls};

/// The number of the first generation.
const FIRST: u64 = 1;

/// The gateway could not start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The system gives no thread, or the access log cannot be opened.
    #[error("{what}")]
    System {
        /// What was being done.
        what: String,
        /// The error of the system.
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

/// What a gateway is built with, beside its configuration.
#[derive(Debug, Default)]
pub struct BuildOptions {
    /// Where plugins are compiled. Default: in this process, for programs that vouch for their plugins.
    pub compiler: Compiler,
    /// Sockets that need not be bound. Default: none.
    pub sockets: InheritedSockets,
    /// The time and the chance by which endpoints are judged, and that plugins read. Timers run by the machine's time
    /// whatever this is: of sockets, probes and waiting requests. Default: the machine's.
    pub clock: Clock,
    /// Is shown every decision of every plugin, with what it was made from. Default: nobody, which costs nothing.
    pub observer: Option<Arc<dyn DecisionObserver>>,
}

impl Gateway {
    /// [`Self::build_with`] what is the default.
    ///
    /// # Errors
    /// As there.
    pub fn build(config: Config) -> Result<Self, BuildError> {
        Self::build_with(config, BuildOptions::default())
    }

    /// Prepares the first generation: reads certificates, has plugins compiled, binds sockets. Blocks. Nothing is
    /// accepted before [`Self::start`].
    ///
    /// # Errors
    /// [`BuildError`]: what would have to be mended before it can serve.
    pub fn build_with(config: Config, options: BuildOptions) -> Result<Self, BuildError> {
        let gateway = Self::prepared(config, options, BuildPurpose::Serve)?;
        follow_names(&gateway.set);
        busy_balancers::watch(&gateway.set);
        gateway.changes.report_kept();
        Ok(gateway)
    }

    pub(super) fn prepared(config: Config, options: BuildOptions, purpose: BuildPurpose) -> Result<Self, BuildError> {
        let BuildOptions { compiler, sockets, clock, observer } = options;
        let system = |what: &str| {
            let what = what.to_owned();
            move |source| BuildError::System { what, source }
        };
        let admin = config.admin.as_ref().map(|admin| admin::Server::bind(admin, sockets.admin)).transpose()?;
        let receiver = |config| heartbeat::Receiver::bind(config, sockets.heartbeat);
        let heartbeats = config.heartbeat.as_ref().map(receiver).transpose()?;
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
        let services = Arc::new(Services {
            workers: threads.workers().clone(),
            drain: Drain::new(count),
            registry: Arc::new(Registry::with_clock(clock.clone())),
            runtime: Runtime::with_compiler(compiler, config.gateway.cache.as_deref(), clock)?,
            tickets: tls::Tickets::default(),
            observers: Observers { metrics: metrics.clone(), access },
            pseudonym: Pseudonym::random(),
            password_checks: Arc::new(PasswordChecks::new(count)),
            decisions: observer,
        });
        let names = EndpointNames::new(
            Discovery::new(config.gateway.resolver.clone(), metrics.clone()),
            services.workers.clone(),
        );
        let inherited = inherit(&config, sockets.listeners)?;
        let open: BTreeSet<_> = inherited.iter().map(|sockets| sockets.key).collect();
        probe(&config, &open)?;
        let files = NamedFiles::read(&config)?;
        let persist = config.admin.as_ref().and_then(|admin| admin.persist.clone());
        let folder = config.source.parent().unwrap_or(Path::new("")).to_owned();
        let changes = changes::load(persist.as_deref(), &folder)?;
        let composed = match purpose {
            BuildPurpose::Serve => names.compose(Arc::new(config), &changes),
            // A name server that is down is no fault of the configuration.
            BuildPurpose::Check => Composed::new(Arc::new(config), &changes, KnownNames::default()),
        };
        let prepared = prepare(&services, composed, &files, FIRST, None, &open)?;
        let (generation, bound) = prepared.into_parts();
        metrics.set_generation(generation.id);
        let generations = Arc::new(Generations::new(generation));
        let serving = Serving { services: services.clone(), generations: generations.clone() };
        let listeners = Listeners::new(Arc::new(serving));
        listeners.adopt(inherited);
        listeners.adopt(bound);
        let prober = Prober::new(services.workers.clone(), services.drain.clone());
        let probing = Probing::new(prober, metrics);
        let set =
            Arc::new(RunningSet { services, generations, listeners, probing, names, tables: PluginTables::default() });
        add_sources(&set);
        let changes = Arc::new(RuntimeChanges::new(set.clone(), persist));
        let reloads = Arc::new(Reloads::new(set.clone(), changes.clone()));
        Ok(Self { set, changes, reloads, admin, heartbeats, _threads: threads })
    }
}

/// What a gateway is prepared for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BuildPurpose {
    Serve,
    /// No name server is asked.
    Check,
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
