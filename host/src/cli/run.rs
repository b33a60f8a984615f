//! `tidegate run`: serve until a signal stops it.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::load::{explain, load};
use super::{FAILED, REFUSED, complain};
use crate::gateway::{self, Gateway};
use crate::telemetry;

/// Serves `path`.
pub(super) fn run(path: &Path) -> ExitCode {
    let config = match load(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    if let Err(error) = telemetry::log::init(&config.log.level, gateway::line_format(&config.log)) {
        complain(format_args!("tidegate: {error}"));
        return ExitCode::from(FAILED);
    }
    telemetry::log::take_panics();
    if let Some(descriptors) = gateway::raise_descriptor_limit() {
        tracing::debug!(descriptors, "open files allowed");
    }
    let code = match Gateway::build_with(config, gateway::own_compiler()) {
        Ok(gateway) => serve(&gateway),
        Err(error) => {
            telemetry::log::flush();
            explain(path, &error);
            ExitCode::from(REFUSED)
        }
    };
    telemetry::log::flush();
    code
}

/// Threads for what may block: reloads, changes by the admin API, reading files again. One compiles while the other
/// reads; none of them waits for another that has not begun. Each thread's allocator keeps what compiling took
/// (measured: steps of 4 MiB, one for each thread, over thousands of swaps), so that more would be memory for nothing.
const BLOCKING: usize = 2;

/// Runs a gateway on this thread until a signal stops it.
fn serve(gateway: &Gateway) -> ExitCode {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let outcome = builder.enable_all().max_blocking_threads(BLOCKING).build().and_then(|runtime| {
        let outcome = runtime.block_on(gateway.run());
        // A reload that still compiles must not hold up the end.
        runtime.shutdown_timeout(Duration::from_secs(1));
        outcome
    });
    match outcome {
        Ok(stopped) => {
            tracing::info!(cut = stopped.cut, "stopped");
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(format_args!("tidegate: {error}"));
            ExitCode::from(FAILED)
        }
    }
}
