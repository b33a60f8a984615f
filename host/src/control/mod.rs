//! The control port: what may be asked of a running gateway, and what may be done with it.
//!
//! ```text
//! admin (HTTP) ──▶ Inspect: readiness, metrics, clusters, plugins, generations, changes ◀── gateway implements both
//!              ──▶ Operate: reload, rollback, change, undo, reset, push,                ◀──
//! ```
//!
//! The port knows neither HTTP nor the gateway: whoever else is to watch or steer one imports this room alone.

mod change;
mod cluster;
mod error;
mod generation;
mod plugin;

use std::fmt;
use std::path::PathBuf;

pub use change::{ChangedView, ChangesView, DroppedView, ResetEndpoint, ResetView};
pub use cluster::{ClusterView, EndpointView, Push, SignalView};
pub use error::{ControlError, FaultView, PushError};
pub use generation::{GenerationState, GenerationView, Readiness};
pub use plugin::{PluginView, TableView};

use crate::config::Edit;

/// A gateway that can be watched and steered.
pub trait Control: Inspect + Operate {}

impl<T: Inspect + Operate> Control for T {}

/// What there is to see. Everything is live: nothing is kept between two calls.
pub trait Inspect: Send + Sync + 'static {
    /// Whether new connections are served.
    fn readiness(&self) -> Readiness;

    /// Every number, as scrapers read it: OpenMetrics text.
    ///
    /// # Errors
    /// If the encoder fails.
    fn metrics(&self) -> Result<String, fmt::Error>;

    /// Every cluster in the order of the configuration, then those that are gone from it but hold tunnels.
    fn clusters(&self) -> Vec<ClusterView>;

    /// Every role of every plugin that is loaded, and plugins whose file was refused before any was loaded.
    fn plugins(&self) -> Vec<PluginView>;

    /// The last generations in the order in which they went live.
    fn generations(&self) -> Vec<GenerationView>;

    /// Where what runs differs from the configuration file.
    fn changes(&self) -> ChangesView;

    /// Folder that relative paths of the configuration start from.
    fn folder(&self) -> PathBuf;
}

/// What may be done. What is refused has changed nothing.
pub trait Operate: Send + Sync + 'static {
    /// Takes what an endpoint of `cluster` reports about itself. Returns how many signals were taken: all or none.
    ///
    /// # Errors
    /// [`PushError`].
    fn push(&self, cluster: &str, push: &Push) -> Result<usize, PushError>;

    /// Reads the configuration and everything it names anew. Blocks: plugins may have to be compiled.
    ///
    /// # Errors
    /// [`ControlError`].
    fn reload(&self) -> Result<GenerationView, ControlError>;

    /// Returns to the generation before. Blocks.
    ///
    /// # Errors
    /// [`ControlError`].
    fn rollback(&self) -> Result<GenerationView, ControlError>;

    /// Changes members of `cluster`. Blocks.
    ///
    /// # Errors
    /// [`ControlError`].
    fn change(&self, cluster: &str, edit: &Edit) -> Result<ChangedView, ControlError>;

    /// Takes every runtime change back. Blocks.
    ///
    /// # Errors
    /// [`ControlError`].
    fn undo(&self) -> Result<ChangedView, ControlError>;

    /// Makes `lines` the table of `plugin`, and its file: all of it or nothing. Blocks.
    ///
    /// # Errors
    /// [`ControlError`].
    fn fill_table(&self, plugin: &str, lines: Vec<u8>) -> Result<TableView, ControlError>;

    /// Forgets the failures of the endpoint at `url`, or of all of `cluster`.
    ///
    /// # Errors
    /// [`ControlError`]: there is no such cluster or endpoint.
    fn reset(&self, cluster: &str, url: Option<&str>) -> Result<ResetView, ControlError>;
}
