//! `tidegate compile-plugin`: what the gateway starts for each plugin that did not come with it.

use std::process::ExitCode;
use std::time::Duration;

use super::terminal::FAILED;
use crate::gateway;

/// Compiles what comes on standard input, within these limits.
pub(super) fn compile_plugin(memory: u64, seconds: u64) -> ExitCode {
    match gateway::compile_plugin(memory, Duration::from_secs(seconds)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tidegate compile-plugin: {error}");
            ExitCode::from(FAILED)
        }
    }
}
