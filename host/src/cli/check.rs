//! `tidegate check`: everything that `run` would do before serving, and nothing else.

use std::path::Path;
use std::process::ExitCode;

use super::REFUSED;
use crate::config;
use crate::gateway::Gateway;

/// Checks `path` and says what was found.
pub(super) fn check(path: &Path) -> ExitCode {
    let config = match config::load(path) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!("{faults}");
            return ExitCode::from(REFUSED);
        }
    };
    for warning in &config.warnings {
        eprintln!("warning: {warning}");
    }
    match Gateway::check(config) {
        Ok(summary) => {
            println!("{}: {summary}", path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::from(REFUSED)
        }
    }
}
