//! From the text of a configuration to a gateway that serves it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tidegate::gateway::{BuildError, BuildOptions};

use super::Gateway;
use crate::{Ca, Origin};

/// Compiled plugins, shared by all tests and runs.
const PLUGIN_CACHE: &str = concat!(env!("OUT_DIR"), "/plugin-cache");

/// A configuration that is about to be served.
#[derive(Debug)]
#[must_use = "a gateway serves once it is started"]
pub struct Setup {
    pub(super) text: String,
    values: HashMap<String, String>,
    folder: TempDir,
    pub(super) client: Option<Arc<rustls::ClientConfig>>,
}

impl Setup {
    pub(super) fn new(text: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-test-").tempdir().unwrap();
        Self { text: text.to_owned(), values: HashMap::new(), folder, client: None }
    }

    /// Replaces `{name}` in the text.
    pub fn put(mut self, name: &str, value: impl ToString) -> Self {
        self.values.insert(name.to_owned(), value.to_string());
        self
    }

    /// Replaces `{NAME}`, by the origin's own name, with its address.
    pub fn origin(self, origin: &Origin) -> Self {
        self.put(origin.name(), origin.address())
    }

    /// Puts a file beside the configuration.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.folder.path().join(name), content).unwrap();
        self
    }

    /// Puts `cert.pem`, `cert-key.pem` (for `names`) and `ca.pem` beside the configuration, and has clients speak TLS.
    pub fn tls(mut self, ca: &Ca, names: &[&str]) -> Self {
        let _paths = ca.issue(names).write(self.folder.path(), "cert");
        self.client = Some(ca.client_config());
        self.file("ca.pem", ca.pem())
    }

    /// The folder that the configuration is in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the configuration to its file, and returns its path. What the text leaves out is filled in: two workers, one
    /// listener on a free loopback port, no access log.
    ///
    /// # Panics
    /// If it cannot be written.
    #[must_use]
    pub fn write(&self) -> PathBuf {
        let mut text = self.text.clone();
        for (name, value) in &self.values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        let has = |header: &str| text.lines().any(|line| line.trim() == header);
        let says = |key: &str| text.lines().any(|line| line.starts_with(key));
        let general = [("workers = ", "2".to_owned()), ("cache = ", format!("{PLUGIN_CACHE:?}"))];
        let missing = general.iter().filter(|(key, _)| !says(key));
        let general: String = missing.fold("[gateway]\n".to_owned(), |all, (key, value)| all + key + value + "\n");
        let mut whole = String::new();
        if !has("[[listen]]") {
            whole.push_str("[[listen]]\naddress = \"127.0.0.1:0\"\n");
        }
        if !has("[log]") {
            whole.push_str("[log]\naccess = \"off\"\n");
        }
        if has("[gateway]") {
            text = text.replacen("[gateway]\n", &general, 1);
        } else {
            whole.push_str(&general);
        }
        whole.push_str(&text);
        let path = self.folder.path().join("tidegate.toml");
        std::fs::write(&path, whole).unwrap();
        path
    }

    /// Starts a gateway with it.
    ///
    /// # Errors
    /// If it cannot be served.
    ///
    /// # Panics
    /// If the configuration is wrong.
    pub async fn try_start(self) -> Result<Gateway, BuildError> {
        self.try_start_with(BuildOptions::default()).await
    }

    /// Starts a gateway with it and with `options`.
    ///
    /// # Panics
    /// If it cannot be served.
    pub async fn start_with(self, options: BuildOptions) -> Gateway {
        self.try_start_with(options).await.unwrap_or_else(|error| panic!("{error}"))
    }

    async fn try_start_with(self, options: BuildOptions) -> Result<Gateway, BuildError> {
        let path = self.write();
        let config = tidegate::config::load(&path)
            .unwrap_or_else(|faults| panic!("{faults}\n{}", std::fs::read_to_string(&path).unwrap()));
        let build = || tidegate::gateway::Gateway::build_with(config, options);
        let inner = tokio::task::spawn_blocking(build).await.unwrap()?;
        inner.start();
        Ok(Gateway { inner: Arc::new(inner), setup: self })
    }

    /// Starts a gateway with it.
    ///
    /// # Panics
    /// If it cannot be served.
    pub async fn start(self) -> Gateway {
        self.try_start().await.unwrap_or_else(|error| panic!("{error}"))
    }
}
