//! From a changed file to a new generation, or to the reason why there is none.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::changes::{RuntimeChanges, log_overrides};
use super::error::PrepareError;
use super::generation::Generation;
use super::held::HeldBack;
use super::history::ReplacementCause;
use super::parts::files::{FileDigests, NamedFiles};
use super::prepare::{prepare, prepare_rollback};
use super::running::{Draining, Replacement, ReplacementOutcome, RunningSet};
use crate::config::{self, Config};
use crate::diagnose::FileFaults;
use crate::telemetry::Counter;
use crate::text::joined_lines;

/// A reload that changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The configuration is wrong.
    #[error("{0}")]
    Config(#[from] FileFaults),
    /// It cannot be served.
    #[error("{0}")]
    Prepare(#[from] PrepareError),
    /// It cannot be served, for several reasons, or with plugins that have new files and wait.
    #[error("{}{}", lines(refused), show_waiting(waiting))]
    Several {
        /// Why it cannot be served; at least one reason.
        refused: Vec<PrepareError>,
        /// The names of the plugins that wait.
        waiting: Vec<String>,
    },
    /// There is nothing to return to.
    #[error("no earlier generation to return to")]
    NoEarlier,
    /// The gateway is ending.
    #[error("the gateway is draining")]
    Draining,
}

impl ReloadError {
    fn of(mut refused: Vec<PrepareError>, waiting: Vec<String>) -> Self {
        match refused.pop() {
            Some(only) if refused.is_empty() && waiting.is_empty() => only.into(),
            last => Self::Several { refused: refused.into_iter().chain(last).collect(), waiting },
        }
    }

    /// What to do about it, if that is known and not in the text.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Prepare(error) => error.hint(),
            Self::Several { refused, .. } => refused.iter().find_map(PrepareError::hint),
            _ => None,
        }
    }
}

impl From<Draining> for ReloadError {
    fn from(_draining: Draining) -> Self {
        Self::Draining
    }
}

/// What makes the gateway read its files anew, and what came of it.
#[derive(Debug)]
pub(super) struct Reloads {
    set: Arc<RunningSet>,
    changes: Arc<RuntimeChanges>,
    /// Files of the configuration that was read last.
    named: Mutex<Vec<PathBuf>>,
    /// Why the last reload changed nothing; none if it did.
    refusal: Mutex<Option<ReloadRefusal>>,
    /// Plugin files that were refused while others were taken, with what they held.
    held: Mutex<FileDigests>,
    /// Another generation went live by a call of the control port: what is watched may have to change.
    called: Notify,
}

impl Reloads {
    pub(super) fn new(set: Arc<RunningSet>, changes: Arc<RuntimeChanges>) -> Self {
        Self {
            set,
            changes,
            named: Mutex::default(),
            refusal: Mutex::default(),
            held: Mutex::default(),
            called: Notify::new(),
        }
    }

    /// Reads the configuration file and everything it names anew, and swaps it in if it is good and different.
    pub(super) fn reload(&self, trigger: Trigger) -> Result<Arc<Generation>, ReloadError> {
        self.observe(trigger, self.try_replace(|live| read(&live.config().source)))
    }

    /// Swaps in `config`, which need not be in any file.
    pub(super) fn replace(&self, config: Config) -> Result<Arc<Generation>, ReloadError> {
        self.observe(Trigger::Request, self.try_replace(|_live| Ok(config)))
    }

    /// Returns to the generation before. It was kept ready: only sockets that were closed since must be bound again.
    pub(super) fn rollback(&self) -> Result<Arc<Generation>, ReloadError> {
        self.observe(Trigger::Request, self.try_rollback())
    }

    /// Every file whose change may lead to another generation: those of the one that serves, and those that the
    /// configuration names which was read last, even if it was refused for one of them.
    pub(super) fn files_to_watch(&self) -> Vec<PathBuf> {
        let mut files = self.set.generations.live().config().watched_files();
        files.extend(self.named.lock().iter().cloned());
        files.sort();
        files.dedup();
        files
    }

    /// Whether the configuration was refused for a fault of its own or a file that is not there, not for what a plugin
    /// or certificate holds. Then a file may be missing whose arrival nothing reports.
    pub(super) fn is_refused(&self) -> bool {
        self.refusal.lock().as_ref().is_some_and(|refusal| refusal.of_configuration)
    }

    /// Whether the files say something else than what is served. Some that are wrong do; none at all does not.
    pub(super) fn is_outdated(&self) -> bool {
        let live = Arc::clone(&self.set.generations.live());
        let source = &live.config().source;
        if !source.exists() {
            return false;
        }
        let now = read(source).and_then(|config| Ok((NamedFiles::read(&config)?, config)));
        now.map_or(true, |(files, config)| {
            let files = files.without(&self.held.lock(), &live.from_files.digests);
            is_other(&live, &config, &files)
        })
    }

    /// Another generation went live by a call of the control port.
    pub(super) fn notify(&self) {
        self.called.notify_one();
    }

    /// Resolves after [`Self::notify`]. Cancel safe.
    pub(super) async fn notified(&self) {
        self.called.notified().await;
    }

    /// Reads when it is its turn: of two reloads at once, the later one reads later and stays.
    fn try_replace(
        &self,
        read: impl FnOnce(&Generation) -> Result<Config, ReloadError>,
    ) -> Result<Arc<Generation>, ReloadError> {
        let set = &self.set;
        let mut replaced = None;
        let outcome = set.replace_with(|basis| -> Result<_, ReloadError> {
            let live = &*basis.live;
            let mut held = HeldBack::default();
            let config = read(live)?;
            *self.named.lock() = config.watched_files();
            let mut files = NamedFiles::read(&config)?;
            self.held.lock().clear();
            if !is_other(live, &config, &files) {
                tracing::info!(generation = live.id, "nothing has changed");
                live.artifacts().values().for_each(|artifact| artifact.accepted());
                return Ok(None);
            }
            warn_of_restart(live.file(), &config);
            set.names.use_servers(&config);
            let config = Arc::new(config);
            let composed = set.names.compose(config.clone(), live.changes());
            let dropped = composed.dropped.clone();
            let prepared = loop {
                let composed = composed.clone();
                let error = match prepare(&set.services, composed, &files, basis.number, Some(live), &basis.open) {
                    Ok(prepared) => break prepared,
                    Err(error) => error,
                };
                if let Err(last) = held.hold(error, live, &config, &mut files) {
                    let (refused, waiting) = held.refusal(last, live, &config, &files);
                    return Err(ReloadError::of(refused, waiting));
                }
            };
            self.changes.follow(prepared.changes(), live, &dropped);
            set.services.observers.metrics.increment(Counter::ReloadCommitted);
            replaced = Some((held, basis.live.clone()));
            Ok(Some(Replacement { prepared, cause: ReplacementCause::Decided }))
        })?;
        if let ReplacementOutcome::Replaced(generation) = &outcome {
            log_overrides(generation, &generation.composed.dropped);
            if let Some((held, before)) = replaced {
                *self.held.lock() = held.report(generation, &before);
            }
        }
        Ok(outcome.live())
    }

    fn try_rollback(&self) -> Result<Arc<Generation>, ReloadError> {
        let set = &self.set;
        let outcome = set.replace_with(|basis| -> Result<_, ReloadError> {
            let earlier = set.generations.previous().ok_or(ReloadError::NoEarlier)?;
            let prepared = prepare_rollback(&set.services, earlier, &basis.open)?;
            self.changes.follow(prepared.changes(), &basis.live, &[]);
            set.services.observers.metrics.increment(Counter::RolledBack);
            Ok(Some(Replacement { prepared, cause: ReplacementCause::Decided }))
        })?;
        let generation = outcome.live();
        log_overrides(&generation, &[]);
        Ok(generation)
    }

    /// Counts and logs a refusal; one that a retry meets, only if it is another than before.
    fn observe(
        &self,
        trigger: Trigger,
        result: Result<Arc<Generation>, ReloadError>,
    ) -> Result<Arc<Generation>, ReloadError> {
        let refusal = result.as_ref().err().map(|error| ReloadRefusal {
            text: error.to_string(),
            of_configuration: matches!(error, ReloadError::Config(_)),
        });
        let mut last = self.refusal.lock();
        if let Err(error) = &result
            && (trigger == Trigger::Request || *last != refusal)
        {
            self.log_refusal(error);
        }
        *last = refusal;
        result
    }

    fn log_refusal(&self, error: &ReloadError) {
        // A configuration has as many faults as it has, each with its hint on a line of its own.
        let why = joined_lines(&error.to_string());
        self.set.services.observers.metrics.increment(Counter::ReloadRefused);
        let generation = self.set.generations.live().id;
        match error.hint() {
            Some(hint) => tracing::error!(generation, "reload refused, nothing changed: {why}; hint: {hint}"),
            None => tracing::error!(generation, "reload refused, nothing changed: {why}"),
        }
    }
}

/// Why the files are read anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trigger {
    /// An operator wants it, or a file has changed.
    Request,
    /// A refused configuration is looked at again.
    Retry,
}

/// Why the last reload changed nothing.
#[derive(Debug, PartialEq, Eq)]
struct ReloadRefusal {
    text: String,
    of_configuration: bool,
}

/// Whether `config` with its `files` is something else than what `live` was made from. Comments and layout are not:
/// what was read is compared as it was understood.
fn is_other(live: &Generation, config: &Config, files: &NamedFiles) -> bool {
    **live.file() != *config || live.from_files.digests != *files.digests()
}

fn lines(errors: &[PrepareError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A line about the plugins that wait, with the end of the line before it; nothing if there are none.
pub(super) fn show_waiting(plugins: &[String]) -> String {
    if plugins.is_empty() {
        return String::new();
    }
    format!("\nwaiting for that, as more than files of plugins changed: plugin {}", plugins.join(", plugin "))
}

fn read(source: &Path) -> Result<Config, ReloadError> {
    Ok(config::load(source)?)
}

/// Where heartbeats are received.
fn listens(config: &Config) -> Option<SocketAddr> {
    config.heartbeat.as_ref().map(|heartbeat| heartbeat.listen)
}

/// What is set up once, when the process starts.
fn warn_of_restart(old: &Config, new: &Config) {
    for (what, same) in [
        ("[gateway] workers", old.gateway.workers == new.gateway.workers),
        ("[gateway] cache", old.gateway.cache == new.gateway.cache),
        ("[heartbeat] listen", listens(old) == listens(new)),
        ("[admin]", old.admin == new.admin),
        ("[log]", old.log == new.log),
    ] {
        if !same {
            tracing::warn!("{what} takes effect when the gateway is started anew");
        }
    }
}
