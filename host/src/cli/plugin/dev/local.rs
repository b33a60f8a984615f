//! A gateway in this process, for the plugin alone.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::super::super::load::explanation;
use crate::config::Config;
use crate::gateway::{self, BuildOptions, Gateway};
use crate::policy::DecisionObserver;

/// How long the end waits for connections: enough for a websocket whose client replies to Close.
const PATIENCE: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(super) struct LocalGateway {
    gateway: Arc<Gateway>,
    /// Takes up what changes in tables, until the gateway stops.
    tables: JoinHandle<()>,
}

impl LocalGateway {
    /// Serves `config`, whose decisions `observer` is shown.
    ///
    /// # Errors
    /// Why it cannot be served, in words.
    pub(super) async fn start(config: Config, observer: Arc<dyn DecisionObserver>) -> Result<Self, String> {
        let path = config.source.clone();
        let options =
            BuildOptions { compiler: gateway::own_compiler(), observer: Some(observer), ..BuildOptions::default() };
        let built = off_thread(move || Gateway::build_with(config, options)).await?;
        let gateway = built.map_err(|error| explanation(&path, &error))?;
        gateway.start_admin();
        gateway.start();
        let gateway = Arc::new(gateway);
        let followed = Arc::clone(&gateway);
        let tables = tokio::spawn(async move { followed.follow_tables().await });
        Ok(Self { gateway, tables })
    }

    /// Serves `config` from now on, and returns the number of its generation.
    ///
    /// # Errors
    /// Why it cannot be served, in words; nothing has changed.
    pub(super) async fn replace(&self, config: Config) -> Result<u64, String> {
        let gateway = self.gateway.clone();
        match off_thread(move || gateway.replace(config)).await? {
            Ok(generation) => Ok(generation.id()),
            Err(error) => {
                let hint = error.hint().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
                Err(format!("{error}{hint}"))
            }
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.gateway.generation().id()
    }

    pub(super) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Ends it; websockets are closed.
    pub(super) async fn stop(&self) {
        self.tables.abort();
        // A websocket that an author has left open is cut off without a word: that is how a session ends.
        self.gateway.end(PATIENCE, |_cut| ()).await;
    }
}

/// Runs what blocks apart from the thread of endpoints and signals.
pub(super) async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| format!("this is a fault of tidegate: {error}"))
}

/// The first twelve digits of a digest, which are enough to know it again.
pub(super) fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// `path` as somebody in `folder` would write it.
pub(super) fn within(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}
