//! The command line: one file per subcommand.
//!
//! Exit codes: 0 good, 1 refused (configuration, plugin), 2 wrong usage, 3 failed while running.

mod check;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Refused: a configuration or plugin that cannot be used.
const REFUSED: u8 = 1;

/// Failed while running.
const FAILED: u8 = 3;

/// A gateway for websockets and HTTP whose routing, balancing and reverse mapping are WebAssembly plugins that can be
/// swapped while tunnels stay open.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve. SIGHUP rereads, SIGTERM and SIGINT drain, a second one stops
    Run {
        /// The configuration
        #[arg(default_value = "tidegate.toml")]
        config: PathBuf,
    },
    /// Do everything that `run` does before it serves, and nothing else
    Check {
        /// The configuration
        #[arg(default_value = "tidegate.toml")]
        config: PathBuf,
    },
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run { config } => run::run(&config),
        Command::Check { config } => check::check(&config),
    }
}
