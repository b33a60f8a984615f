//! `tidegate check`: everything that `run` would do before serving, and nothing else.

use std::path::Path;
use std::process::ExitCode;

use super::load::{explain, load};
use super::terminal::{REFUSED, complain, say};
use crate::gateway::{self, Gateway};

/// Checks `path` and says what was found.
pub(super) fn check(path: &Path) -> ExitCode {
    let config = match load(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    // As when it runs.
    let _raised = gateway::raise_descriptor_limit();
    let (shortage, names) = (gateway::shortage_of_descriptors(&config), gateway::unknown_log_names(&config));
    for warning in config.warnings.iter().chain(&shortage).chain(&names) {
        complain(format_args!("warning: {warning}"));
    }
    match Gateway::check(config, gateway::own_compiler()) {
        Ok(checked) => {
            for warning in &checked.warnings {
                complain(format_args!("warning: {}: {warning}", path.display()));
            }
            say(format_args!("{}: {}", path.display(), checked.summary));
            ExitCode::SUCCESS
        }
        Err(error) => {
            explain(path, &error);
            ExitCode::from(REFUSED)
        }
    }
}
