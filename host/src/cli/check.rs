//! `tidegate check`: everything that `run` would do before serving, and nothing else.

use std::path::Path;
use std::process::ExitCode;

use super::load::{explain, load, load_without_files};
use super::terminal::{REFUSED, complain, say};
use crate::gateway::{self, Gateway};

/// What is said of files that are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FilesChecked {
    /// They are faults.
    All,
    /// They are warnings: it is to run on another machine.
    ThatAreThere,
}

/// Checks `path` and says what was found.
pub(super) fn check(path: &Path, files: FilesChecked) -> ExitCode {
    let config = match files {
        FilesChecked::All => load(path),
        FilesChecked::ThatAreThere => load_without_files(path),
    };
    let config = match config {
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
