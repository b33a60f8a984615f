//! Trying one plugin file as the gateway would: the same reading, compiling, configuring and self-tests.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use super::anatomy::{self, Anatomy};
use super::conformance::{self, ConformanceBounds, ConformanceReport};
use super::file::{self, PluginFileError};
use super::json;
use super::made_up::ConfiguredPlugin;
use super::printed::{self, PrintedLine};
use super::speed::{self, MadeUpCalls, SlowestCall};
use crate::clock::Clock;
use crate::plugin::{
    About, Artifact, Compiler, LoadError, PluginFile, PluginLimits, RoleKind, RoleName, Runtime, RuntimeError,
    role_kind,
};
use crate::policy::Fault;

/// A decision that takes longer holds up every other one of its cluster or worker.
const SLOW: Duration = Duration::from_millis(1);

/// Imports that ask for nothing: names of types, and what WASI stands on.
const NO_CAPABILITIES: [&str; 2] = ["types", "system"];

/// With what a plugin is tried.
#[derive(Clone, Debug, Default)]
pub struct CheckOptions {
    /// What each role is configured with; without it, what it would get from an empty configuration.
    pub config: Option<Value>,
    /// As in its `[plugin]` section.
    pub limits: PluginLimits,
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
    /// Capabilities that it imports; with [`CheckOptions::limits`] all of them are granted.
    pub capabilities: Vec<String>,
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
        /// What the plugin printed before: the first lines.
        printed: Vec<PrintedLine>,
    },
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
    let plugin = PluginFile { name: &name, origin: &origin, bytes: &bytes, limits: &options.limits, table: None };
    let (tried, printed, more_printed) = printed::collect(&name, || tried(&runtime, &plugin, options));
    match tried {
        Ok(report) => Ok(CheckReport { printed, more_printed, ..report }),
        Err(error) => Err(CheckError::Plugin { error: Box::new(error), printed }),
    }
}

fn tried(runtime: &Runtime, plugin: &PluginFile<'_>, options: &CheckOptions) -> Result<CheckReport, LoadError> {
    let began = Instant::now();
    let artifact = runtime.load(plugin)?;
    let compiled_in = began.elapsed();
    // What it says of itself is no reason to refuse it.
    let anatomy = anatomy::of(plugin.bytes).ok();
    let mut warnings: Vec<_> = anatomy.iter().flat_map(|anatomy| anatomy.contract.misspelt.clone()).collect();
    let roles = match options.role {
        Some(role) => vec![role],
        None => artifact.roles().to_vec(),
    };
    let mut trials = Vec::new();
    for role in roles {
        trials.push(trial(&artifact, role, options, &mut warnings)?);
    }
    // A gateway asks for it only to show it.
    let about = artifact.about().unwrap_or_else(|error| {
        warnings.push(format!("`description` fails, and is not shown: {}", error.problem));
        None
    });
    let configured = ConfiguredPlugin { artifact: Arc::clone(&artifact), config: options.config.clone() };
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
        without: artifact.without(),
        trials,
        warnings,
        printed: Vec::new(),
        more_printed: 0,
        conformance,
    })
}

fn trial(
    artifact: &Arc<Artifact>,
    role: RoleName,
    options: &CheckOptions,
    warnings: &mut Vec<String>,
) -> Result<RoleTrial, LoadError> {
    let began = Instant::now();
    let what = artifact.try_out(role, options.config.as_ref())?.to_owned();
    let took = began.elapsed();
    let plugin = ConfiguredPlugin { artifact: Arc::clone(artifact), config: options.config.clone() };
    let tried = match role_kind(role) {
        Some(RoleKind::Balancer) => speed::of_picks(&plugin),
        Some(RoleKind::Router) => speed::of_routes(&plugin),
        Some(RoleKind::Rewriter) => speed::of_rewrites(&plugin),
        None => Ok(MadeUpCalls::untried()),
    };
    let MadeUpCalls { slowest, decides } = tried.unwrap_or_else(|fault: Fault| {
        warnings.push(format!("fails as {role} in a made-up decision after its self-test: {}", fault.detail));
        MadeUpCalls::untried()
    });
    // What a configuration says of paths that are not tried here is its operator's business.
    if !decides && options.config.is_none() {
        warnings.extend(refuses_all(artifact, role));
    }
    if let Some(slow) = slowest.as_ref().filter(|slowest| slowest.time > SLOW) {
        let waits_alone = role_kind(role) != Some(RoleKind::Balancer);
        let who = if waits_alone { "its worker waits" } else { "requests of its cluster wait" };
        let (what, time, rate) = (&slow.what, slow.time, slow.per_second());
        warnings.push(format!("{what} takes {time:.1?}, and {who} meanwhile: at most {rate} a second"));
    }
    let memory_bytes = artifact.role_status(role).map_or(0, |status| status.memory);
    Ok(RoleTrial { role, what, took, memory_bytes, memory_limit_bytes: options.limits.memory, slowest })
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
    use serde_json::json;

    use super::*;
    use crate::plugin::{SHIPPED, shipped};

    fn warnings(bytes: &[u8], config: Option<Value>) -> Vec<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let options = CheckOptions { config, ..CheckOptions::default() };
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
