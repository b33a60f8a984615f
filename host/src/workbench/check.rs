//! Trying one plugin file as the gateway would: the same reading, compiling, configuring and self-tests.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::anatomy::{self, Anatomy};
use super::conformance::{self, ConformanceBounds, ConformanceReport};
use super::file::{self, PluginFileError};
use super::json;
use super::made_up::ConfiguredPlugin;
use super::printed::{self, PrintedLine};
use super::settings::{SettingsError, TrialSettings, TriedTable, lonely_table};
use super::speed::{self, MadeUpCalls, SlowestCall};
use crate::clock::Clock;
use crate::plugin::{
    About, Artifact, Compiler, LoadError, LoadErrorKind, PluginFile, PluginLimits, RoleKind, RoleName, Runtime,
    RuntimeError, TrialInputs, role_kind,
};
use crate::policy::Fault;

/// A decision that takes longer holds up every other one of its cluster or worker.
const SLOW: Duration = Duration::from_millis(1);

/// Imports that ask for nothing: names of types, and what WASI stands on.
const NO_CAPABILITIES: [&str; 2] = ["types", "system"];

/// With what a plugin is tried.
#[derive(Clone, Debug, Default)]
pub struct CheckOptions {
    /// What it is given.
    pub settings: TrialSettings,
    /// The role to try; without it, every role that the plugin has.
    pub role: Option<RoleName>,
    /// Whether the tests of the contract follow, and how long they may take.
    pub conformance: Option<ConformanceBounds>,
    /// Folder for compiled code, for a gateway that is to load the same file next; without one nothing is kept.
    pub cache: Option<PathBuf>,
}

/// What was found out about a plugin that a gateway would take.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    /// SHA-256 of the file, hex.
    pub digest: String,
    /// What the file consists of; none if its parts cannot be told apart.
    pub anatomy: Option<Anatomy>,
    /// From bytes to linked code; with [`CheckOptions::cache`] it may have been there.
    #[serde(rename = "compiled_in_nanoseconds", serialize_with = "json::nanoseconds")]
    pub compiled_in: Duration,
    /// The most bytes that the compiling process held.
    pub compiler_peak_bytes: Option<u64>,
    /// How the plugin describes itself.
    pub about: Option<About>,
    /// Capabilities that it imports; with [`PluginLimits::allow`] all of them are granted.
    pub capabilities: Vec<String>,
    /// What it looks things up in; none if it was given nothing.
    pub table: Option<TriedTable>,
    /// Interfaces of the contract that it could export beside its roles, and does not.
    pub without: Vec<&'static str>,
    /// Each role that was tried.
    pub trials: Vec<RoleTrial>,
    /// What works, but deserves a warning: one sentence each.
    pub warnings: Vec<String>,
    /// What it printed meanwhile: the first lines.
    pub printed: Vec<PrintedLine>,
    /// How many lines there were beyond those.
    pub more_printed: usize,
    /// The tests of the contract, if they were asked for.
    pub conformance: Option<ConformanceReport>,
}

/// A role that was configured and tried out.
#[derive(Debug, Serialize)]
pub struct RoleTrial {
    /// Which.
    #[serde(serialize_with = "json::role_name")]
    pub role: RoleName,
    /// What was done, for people.
    pub what: String,
    /// How long all of it took.
    #[serde(rename = "took_nanoseconds", serialize_with = "json::nanoseconds")]
    pub took: Duration,
    /// The most bytes that one instance held.
    pub memory_bytes: usize,
    /// What it may hold.
    pub memory_limit_bytes: usize,
    /// The slowest of some made-up decisions; none if the plugin takes nothing that is made up.
    pub slowest: Option<SlowestCall>,
}

/// Why a plugin file would be refused.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The file cannot be read.
    #[error("{0}")]
    File(#[from] PluginFileError),
    /// The wasm runtime does not start on this machine.
    #[error("the plugin runtime does not start: {0}")]
    Runtime(#[from] RuntimeError),
    /// The gateway would refuse it.
    #[error("{error}")]
    Plugin {
        /// Its reason.
        #[source]
        error: Box<LoadError>,
        /// The role in which it did not take what it was tried with; none if it was refused for something else.
        tried_as: Option<RoleName>,
        /// What the plugin printed before: the first lines.
        printed: Vec<PrintedLine>,
    },
    /// It cannot be given what it is to be tried with.
    #[error("{0}")]
    Settings(#[from] SettingsError),
}

impl CheckError {
    /// The refusal of a plugin that was loaded or tried `as_role`.
    pub(super) fn refused(error: LoadError, as_role: Option<RoleName>) -> Self {
        let is_about_inputs = matches!(
            error.problem,
            LoadErrorKind::Configure { .. } | LoadErrorKind::ConfigureFailed { .. } | LoadErrorKind::SelfTest { .. }
        );
        let tried_as = as_role.filter(|_| is_about_inputs);
        Self::Plugin { error: Box::new(error), tried_as, printed: Vec::new() }
    }
}

/// Loads the plugin in `path` by way of `compiler`, configures it in its roles and runs their self-tests: with the same
/// functions and in the same order as a gateway. Blocks.
///
/// # Errors
/// [`CheckError`]: the reason for which a gateway would keep what it has.
pub fn check(path: &Path, options: &CheckOptions, compiler: Compiler) -> Result<CheckReport, CheckError> {
    let bytes = file::read(path)?;
    let runtime = Runtime::with_compiler(compiler, options.cache.as_deref(), Clock::System)?;
    let (name, origin) = (file::name(path), path.display().to_string());
    let (inputs, table) = options.settings.read()?;
    let limits = &options.settings.limits;
    let plugin = PluginFile { name: &name, origin: &origin, bytes: &bytes, limits, table: table.as_ref() };
    let (tried, lines, more_printed) = printed::collect(&name, || tried(&runtime, &plugin, &inputs, options));
    match tried {
        Ok(report) => Ok(CheckReport { printed: lines, more_printed, ..report }),
        Err(CheckError::Plugin { error, tried_as, .. }) => Err(CheckError::Plugin { error, tried_as, printed: lines }),
        Err(error) => Err(error),
    }
}

fn tried(
    runtime: &Runtime,
    plugin: &PluginFile<'_>,
    inputs: &TrialInputs,
    options: &CheckOptions,
) -> Result<CheckReport, CheckError> {
    let began = Instant::now();
    let artifact = runtime.load(plugin).map_err(|error| CheckError::refused(error, None))?;
    artifact.mask(&inputs.secrets);
    let compiled_in = began.elapsed();
    // What it says of itself is no reason to refuse it.
    let anatomy = anatomy::of(plugin.bytes).ok();
    let mut warnings: Vec<_> = anatomy.iter().flat_map(|anatomy| anatomy.contract.misspelt.clone()).collect();
    let roles = match options.role {
        Some(role) => vec![role],
        None => artifact.roles().to_vec(),
    };
    warnings.extend(lonely_table(&artifact));
    let configured = ConfiguredPlugin { artifact: Arc::clone(&artifact), inputs: inputs.clone() };
    let mut trials = Vec::new();
    for role in roles {
        let tried = trial(&configured, role, &options.settings.limits, &mut warnings);
        trials.push(tried.map_err(|error| CheckError::refused(error, Some(role)))?);
    }
    // A gateway asks for it only to show it.
    let about = artifact.about().unwrap_or_else(|error| {
        warnings.push(format!("`description` fails, and is not shown: {}", error.problem));
        None
    });
    let conformance = options.conformance.as_ref().map(|bounds| {
        let tried: Vec<_> = trials.iter().map(|trial| trial.role).collect();
        conformance::run(runtime, plugin, &configured, &tried, bounds)
    });
    Ok(CheckReport {
        digest: artifact.digest().to_string(),
        anatomy,
        compiled_in,
        compiler_peak_bytes: artifact.compiler_peak(),
        about,
        capabilities: artifact.imports().filter(|name| !NO_CAPABILITIES.contains(name)).map(str::to_owned).collect(),
        table: TriedTable::of(&artifact),
        without: artifact.without(),
        trials,
        warnings,
        printed: Vec::new(),
        more_printed: 0,
        conformance,
    })
}

fn trial(
    plugin: &ConfiguredPlugin,
    role: RoleName,
    limits: &PluginLimits,
    warnings: &mut Vec<String>,
) -> Result<RoleTrial, LoadError> {
    let began = Instant::now();
    let ConfiguredPlugin { artifact, inputs } = plugin;
    let what = artifact.try_out(role, inputs)?;
    let took = began.elapsed();
    let tried = match role_kind(role) {
        Some(RoleKind::Balancer) => speed::of_picks(plugin),
        Some(RoleKind::Router) => speed::of_routes(plugin),
        Some(RoleKind::Rewriter) => speed::of_rewrites(plugin),
        None => Ok(MadeUpCalls::untried()),
    };
    let MadeUpCalls { slowest, decides } = tried.unwrap_or_else(|fault: Fault| {
        warnings.push(format!("fails as {role} in a made-up decision after its self-test: {}", fault.detail));
        MadeUpCalls::untried()
    });
    // What a configuration says of paths that are not tried here is its operator's business.
    if !decides && inputs.config.is_none() {
        warnings.extend(refuses_all(artifact, role));
    }
    if let Some(slow) = slowest.as_ref().filter(|slowest| slowest.time > SLOW) {
        let waits_alone = role_kind(role) != Some(RoleKind::Balancer);
        let who = if waits_alone { "its worker waits" } else { "requests of its cluster wait" };
        let (what, time, rate) = (&slow.what, slow.time, slow.per_second());
        warnings.push(format!("{what} takes {time:.1?}, and {who} meanwhile: at most {rate} a second"));
    }
    let memory_bytes = artifact.role_status(role).map_or(0, |status| status.memory);
    Ok(RoleTrial { role, what, took, memory_bytes, memory_limit_bytes: limits.memory, slowest })
}

/// What a plugin deserves to be warned of that has refused each decision.
fn refuses_all(artifact: &Artifact, role: RoleName) -> Option<String> {
    const CONFIGURED: &str = "if it decides by its configuration, try it with that: --config";
    match role_kind(role)? {
        RoleKind::Router => {
            Some(format!("as router it returned unmatched for each made-up request: every such request gets 404; {CONFIGURED}"))
        }
        RoleKind::Balancer if artifact.imports().any(|import| import == "columns") => Some(
            "as balancer it chose nobody in each made-up pick: every such request gets 503. It reads columns: `latency` \
             and `latest` are NaN before the first response, and no comparison with NaN is true; choose such endpoints, \
             or none will ever have a response"
                .to_owned(),
        ),
        RoleKind::Balancer => {
            Some(format!("as balancer it chose nobody in each made-up pick: every such request gets 503; {CONFIGURED}"))
        }
        RoleKind::Rewriter => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::plugin::{SHIPPED, shipped};

    fn warnings(bytes: &[u8], config: Option<Value>) -> Vec<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let settings = TrialSettings { config, ..TrialSettings::default() };
        let options = CheckOptions { settings, ..CheckOptions::default() };
        check(file.path(), &options, Compiler::InProcess).unwrap().warnings
    }

    #[test]
    fn who_refuses_each_made_up_decision_is_warned_of_unless_a_configuration_may_be_the_reason() {
        let routes =
            json!({ "routes": [{ "path": "/a", "action": { "forward": { "cluster": "chat", "path": "/" } } }] });
        let prefix = shipped("prefix").unwrap();
        let refused = |warnings: &[String]| warnings.iter().any(|warning| warning.contains("each made-up"));

        assert!(warnings(prefix, None).iter().any(|warning| warning.starts_with("as router it returned unmatched")));
        assert!(!refused(&warnings(prefix, Some(routes))));
        for name in SHIPPED.into_iter().filter(|name| *name != "prefix") {
            assert!(!refused(&warnings(shipped(name).unwrap(), None)), "{name}");
        }
        let waits = include_str!("conformance/wrong.wat").replace(";; PICK", "(call $none)").replacen(
            "(module",
            "(module (import \"tidegate\" \"now\" (func (result f64)))",
            1,
        );
        assert!(
            warnings(waits.as_bytes(), None).iter().any(|warning| warning.starts_with("as balancer it chose nobody"))
        );
    }
}
