//! From a changed file to a new generation, or to a message that says why not.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::commit::Cause;
use super::generation::Generation;
use super::prepare::{Files, PrepareError, prepare, prepare_again};
use super::{Gateway, Shared};
use crate::config::{self, Config, ConfigFaults};
use crate::telemetry::Counter;

/// A reload that changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The configuration is wrong.
    #[error("{0}")]
    Config(#[from] ConfigFaults),
    /// It cannot be served.
    #[error("{0}")]
    Prepare(#[from] PrepareError),
    /// There is nothing to return to.
    #[error("no earlier generation to return to")]
    NoEarlier,
    /// The gateway is ending.
    #[error("the gateway is draining")]
    Draining,
}

impl Gateway {
    /// Reads the configuration file and everything it names anew, and swaps it in if it is good and different.
    ///
    /// # Errors
    /// [`ReloadError`]: it was counted and logged, and nothing has changed.
    pub fn reload(&self) -> Result<Arc<Generation>, ReloadError> {
        self.shared.reload(Asked::Now)
    }

    /// Swaps in `config`, which need not be in any file.
    ///
    /// # Errors
    /// As [`Self::reload`].
    pub fn replace(&self, config: Config) -> Result<Arc<Generation>, ReloadError> {
        self.shared.clone().replace(config)
    }

    /// Returns to the generation before. It was kept ready: only sockets that were closed since must be bound again.
    ///
    /// # Errors
    /// As [`Self::reload`].
    pub fn rollback(&self) -> Result<Arc<Generation>, ReloadError> {
        self.shared.clone().rollback()
    }
}

impl Shared {
    pub(super) fn reload(self: &Arc<Self>, asked: Asked) -> Result<Arc<Generation>, ReloadError> {
        self.observe(asked, self.try_replace(|| read(&self.current.load().config.source)))
    }

    /// Every file whose change may lead to another generation: those of the one that serves, and those that the
    /// configuration names which was read last, even if it was refused for one of them.
    pub(super) fn files_to_watch(&self) -> Vec<PathBuf> {
        let mut files = self.current.load().config.watched_files();
        files.extend(self.named.lock().iter().cloned());
        files.sort();
        files.dedup();
        files
    }

    /// Whether the configuration was refused for what it says or names, not for what a plugin or certificate holds. Then
    /// a file may be missing whose arrival nobody is told of.
    pub(super) fn is_refused(&self) -> bool {
        self.refusal.lock().as_ref().is_some_and(|refusal| refusal.of_configuration)
    }

    /// Whether the files say something else than what is served. Some that are wrong do; none at all does not.
    pub(super) fn is_outdated(&self) -> bool {
        let current = self.current.load();
        if !current.config.source.exists() {
            return false;
        }
        let now = read(&current.config.source).and_then(|config| Ok(Files::read(&config)?.digest(&config)));
        now.map_or(true, |digest| digest != current.file_digest)
    }

    fn replace(self: Arc<Self>, config: Config) -> Result<Arc<Generation>, ReloadError> {
        self.observe(Asked::Now, self.try_replace(|| Ok(config)))
    }

    /// Reads within the lock: of two changes at once, the later one reads later and stays.
    fn try_replace(
        self: &Arc<Self>,
        read: impl FnOnce() -> Result<Config, ReloadError>,
    ) -> Result<Arc<Generation>, ReloadError> {
        let mut last = self.changing.lock();
        if self.base.drain.has_started() {
            return Err(ReloadError::Draining);
        }
        let config = read()?;
        *self.named.lock() = config.watched_files();
        let current = self.current.load_full();
        let files = Files::read(&config)?;
        if files.digest(&config) == current.file_digest {
            tracing::info!(generation = current.id, "nothing has changed");
            current.artifacts.values().for_each(|artifact| artifact.accepted());
            return Ok(current);
        }
        warn_of_restart(&current.file, &config);
        let open = self.listening.lock().keys();
        self.base.discovery.use_servers(&config.gateway.resolver);
        let composed = self.base.compose(Arc::new(config), &current.changes);
        let dropped = composed.dropped.clone();
        let prepared = prepare(&self.base, composed, &files, *last + 1, Some(&current), &open);
        let prepared = prepared.inspect_err(|_refused| self.ask_for_names_of(&current))?;
        *last += 1;
        self.base.observers.metrics.increment(Counter::ReloadCommitted);
        let generation = self.commit(prepared, Cause::Decided);
        self.laid_over(&generation, &current, dropped);
        Ok(generation)
    }

    pub(super) fn rollback(self: Arc<Self>) -> Result<Arc<Generation>, ReloadError> {
        self.observe(Asked::Now, self.try_rollback())
    }

    fn try_rollback(self: &Arc<Self>) -> Result<Arc<Generation>, ReloadError> {
        let _one_at_a_time = self.changing.lock();
        if self.base.drain.has_started() {
            return Err(ReloadError::Draining);
        }
        let earlier = self.previous.lock().clone().ok_or(ReloadError::NoEarlier)?;
        let open = self.listening.lock().keys();
        let prepared = prepare_again(&self.base, earlier, &open)?;
        self.base.observers.metrics.increment(Counter::RolledBack);
        let before = self.current.load_full();
        let generation = self.commit(prepared, Cause::Decided);
        self.laid_over(&generation, &before, Vec::new());
        Ok(generation)
    }

    /// Counts and logs a refusal; one that nobody asked for, only if it is another than before.
    fn observe(
        &self,
        asked: Asked,
        result: Result<Arc<Generation>, ReloadError>,
    ) -> Result<Arc<Generation>, ReloadError> {
        let refusal = result.as_ref().err().map(|error| Refusal {
            text: error.to_string(),
            of_configuration: matches!(error, ReloadError::Config(_)),
        });
        let mut last = self.refusal.lock();
        if let Err(error) = &result
            && (asked == Asked::Now || *last != refusal)
        {
            let hint = match error {
                ReloadError::Prepare(error) => error.hint(),
                _ => None,
            };
            self.refused(&error.to_string(), hint);
        }
        *last = refusal;
        result
    }
}

/// Who wants a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A person, or a file that changed.
    Now,
    /// Nobody: a refused configuration is looked at again.
    Again,
}

/// Why the last reload changed nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    text: String,
    of_configuration: bool,
}

fn read(source: &Path) -> Result<Config, ReloadError> {
    Ok(config::load(source)?)
}

/// Where heartbeats are heard.
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
