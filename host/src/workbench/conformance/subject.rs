//! A plugin under test, and how a test ends.

use std::time::Duration;

use serde_json::{Value, json};

use crate::plugin::{LoadError, LoadErrorKind, PluginFile, RoleName, Runtime};
use crate::text::shortened;
use crate::workbench::made_up::ConfiguredPlugin;

/// How long the test goes on that looks for growing memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConformanceBounds {
    /// Decisions that are made.
    pub decisions: u64,
    /// After which time it ends with fewer.
    pub time: Duration,
}

impl Default for ConformanceBounds {
    /// A million decisions, or as many as fit into 5 s.
    fn default() -> Self {
        Self { decisions: 1_000_000, time: Duration::from_secs(5) }
    }
}

/// A plugin under test.
pub(super) struct Subject<'a> {
    pub(super) runtime: &'a Runtime,
    pub(super) file: &'a PluginFile<'a>,
    pub(super) plugin: &'a ConfiguredPlugin,
    pub(super) role: RoleName,
    pub(super) bounds: &'a ConformanceBounds,
}

impl Subject<'_> {
    /// The same plugin anew: its counters, and what was measured of its instances, begin at nothing.
    pub(super) fn anew(&self, name: &str) -> Result<ConfiguredPlugin, EndedEarly> {
        let artifact = self.runtime.load(&PluginFile { name, ..*self.file }).map_err(failed)?;
        artifact.mask(&self.plugin.inputs.secrets);
        Ok(ConfiguredPlugin { artifact, inputs: self.plugin.inputs.clone() })
    }
}

/// A test ended before its end.
pub(super) enum EndedEarly {
    Failed(String),
    NotApplicable(String),
}

pub(super) type TestResult = Result<(), EndedEarly>;

/// A test by its name.
pub(super) type Test = (&'static str, fn(&Subject<'_>) -> TestResult);

/// Whatever happened, it is the plugin's fault.
pub(super) fn failed(why: impl std::fmt::Display) -> EndedEarly {
    EndedEarly::Failed(why.to_string())
}

/// A plugin may refuse what it is configured with. Anything else that keeps it from being made is a fault.
pub(super) fn not_made(what: &str, error: &LoadError) -> EndedEarly {
    match &error.problem {
        LoadErrorKind::Configure { .. } => EndedEarly::NotApplicable(format!("it refuses {what}: {}", error.problem)),
        problem => EndedEarly::Failed(format!("given {what}: {problem}")),
    }
}

/// Configurations that no plugin asks for. One may be taken, or refused with a reason; neither may it trap nor hang.
pub(super) fn nonsense(configure: impl Fn(Value) -> Result<(), LoadError>) -> TestResult {
    let deep = (0..64).fold(json!(1), |inside, _| json!([inside]));
    let all = [
        json!("nonsense"),
        json!(-1),
        json!(1e300),
        json!(true),
        json!([]),
        json!({ "no-such-key": { "": [null] } }),
        json!({ "routes": "nonsense", "weights": -1, "\u{0}": "\u{1f600}\u{202e}" }),
        json!("x".repeat(64 << 10)),
        deep,
    ];
    for config in all {
        let text = shortened(&config.to_string(), 80);
        match configure(config) {
            Ok(()) => {}
            Err(error) if matches!(error.problem, LoadErrorKind::Configure { .. }) => {}
            Err(error) => return Err(failed(format_args!("given the configuration {text}: {}", error.problem))),
        }
    }
    Ok(())
}
