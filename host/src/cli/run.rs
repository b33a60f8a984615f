//! `tidegate run`: serve until a signal stops it.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use super::load::{explain, load};
use super::terminal::{FAILED, REFUSED, complain};
use crate::config::Config;
use crate::gateway::{self, BuildOptions, Gateway};
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
    let code = build_and_serve(path, config);
    telemetry::log::flush();
    code
}

fn build_and_serve(path: &Path, config: Config) -> ExitCode {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    // A SIGHUP while plugins compile must not end the process. What it is for is not lost: the gateway compares its
    // files with what it serves as soon as it runs.
    let hangup = {
        let _within = runtime.enter();
        signal(SignalKind::hangup())
    };
    if let Err(error) = hangup {
        return failed(&error);
    }
    let options = BuildOptions { compiler: gateway::own_compiler(), ..BuildOptions::default() };
    match Gateway::build_with(config, options) {
        Ok(gateway) => serve(runtime, &gateway),
        Err(error) => {
            telemetry::log::flush();
            explain(path, &error);
            ExitCode::from(REFUSED)
        }
    }
}

/// Threads for what may block: reloads, changes by the admin API, reading files again. One compiles while the other
/// reads; none of them waits for another that has not begun. Each thread's allocator keeps what compiling took
/// (measured: steps of 4 MiB, one for each thread, over thousands of swaps), so that more would be memory for nothing.
const BLOCKING: usize = 2;

/// The runtime of everything that is not a connection, on this thread.
fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(BLOCKING).build()
}

/// Runs a gateway until a signal stops it.
fn serve(runtime: Runtime, gateway: &Gateway) -> ExitCode {
    let outcome = runtime.block_on(gateway.run());
    // A reload that still compiles must not hold up the end.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match outcome {
        Ok(stopped) => {
            tracing::info!(cut = stopped.cut, "stopped");
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &io::Error) -> ExitCode {
    complain(format_args!("tidegate: {error}"));
    ExitCode::from(FAILED)
}
