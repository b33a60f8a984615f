//! `tidegate plugin`: for authors.

mod check;
mod new;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

/// What an author can ask for.
#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// Try a plugin file as the gateway would
    ///
    /// Loads it with default limits, configures it in each of its roles and runs the self-tests. Prints its roles,
    /// digest, size and times; or the reason for which a gateway would refuse it, with exit code 1.
    Check {
        /// A component, core module or .wat file
        file: PathBuf,
        /// Its own configuration, as the gateway would hand it over
        #[arg(long, value_name = "JSON", value_parser = json)]
        config: Option<serde_json::Value>,
    },
    /// Begin a plugin: a small Rust balancer, ready to build
    ///
    /// Writes a crate with the SDK beside it, so that nothing but Rust is needed to build it.
    New {
        /// Folder to make; its name becomes the crate's
        dir: PathBuf,
    },
}

/// Runs one of them.
pub(super) fn plugin(command: PluginCommand) -> ExitCode {
    match command {
        PluginCommand::Check { file, config } => check::check(&file, config.as_ref()),
        PluginCommand::New { dir } => new::new(&dir),
    }
}

fn json(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|error| format!("expected JSON, found: {error}"))
}
