//! What `tidegate plugin check` finds, in one line.

use std::path::Path;

use super::place::PluginPlace;
use crate::gateway;
use crate::workbench::{self, CheckError, CheckOptions, CheckReport, role_names};

/// A plugin that passed.
#[derive(Debug)]
pub(super) struct CheckedPlugin {
    /// SHA-256, hex.
    pub(super) digest: String,
    pub(super) roles: Vec<&'static str>,
    /// What was found, for people.
    pub(super) summary: String,
    /// What works, but deserves a warning: one sentence each.
    pub(super) warnings: Vec<String>,
}

/// Tries `file` as the gateway would in `place`. Blocks.
///
/// # Errors
/// Why it is refused, in words, and what the plugin printed.
pub(super) fn check(file: &Path, place: &PluginPlace) -> Result<CheckedPlugin, String> {
    let options = CheckOptions {
        settings: place.settings(),
        role: role_names().iter().find(|role| Some(role.as_str()) == place.role).copied(),
        conformance: None,
        // The gateway loads the same file next.
        cache: place.cache.clone(),
    };
    let report = workbench::check(file, &options, gateway::own_compiler()).map_err(refusal)?;
    let roles: Vec<_> = report.trials.iter().map(|trial| trial.role.as_str()).collect();
    let size = std::fs::metadata(file).map_or(0, |found| found.len());
    let summary = summary(&report, &roles, size);
    Ok(CheckedPlugin { digest: report.digest, roles, summary, warnings: report.warnings })
}

fn summary(report: &CheckReport, roles: &[&str], size: u64) -> String {
    let compiled = report.compiled_in.as_secs_f64() * 1e3;
    let slowest = report.trials.iter().filter_map(|trial| trial.slowest.as_ref()).max_by_key(|slowest| slowest.time);
    let slowest = slowest.map(|slowest| {
        let micros = slowest.time.as_secs_f64() * 1e6;
        format!("; slowest: {}, {micros:.1} µs", slowest.what)
    });
    let slowest = slowest.unwrap_or_default();
    format!("{}; {size} bytes, compiled in {compiled:.1} ms{slowest}", roles.join(", "))
}

fn refusal(error: CheckError) -> String {
    let printed = match &error {
        CheckError::Plugin { printed, .. } => printed.as_slice(),
        _ => &[],
    };
    let lines = printed.iter().map(|line| format!("\n  {}: {}", line.level, line.text));
    format!("{error}{}", lines.collect::<String>())
}
