//! The command line: one file per subcommand.
//!
//! Exit codes: 0 good, 1 refused (configuration, plugin), 2 wrong usage, 3 failed while running.

mod check;
mod compile_plugin;
mod completions;
mod demo;
mod import;
mod load;
mod plugin;
mod run;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;

use check::FilesChecked;
use clap::{CommandFactory as _, Parser, Subcommand};

const EXIT_CODES: &str =
    "Exit codes: 0 good, 1 refused (configuration or plugin), 2 wrong usage, 3 failed while running";

/// A gateway for websockets and HTTP whose routing, balancing and reverse mapping are WebAssembly plugins that can be
/// swapped while tunnels stay open.
#[derive(Debug, Parser)]
#[command(
    name = "tidegate",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = false,
    after_help = "First time here? `tidegate demo` needs no configuration.",
    after_long_help = EXIT_CODES
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch it work: two echo endpoints, a gateway with TLS, a plugin swapped under open websockets
    ///
    /// Everything runs in this process on free loopback ports; the files are in a folder of their own, which is removed
    /// at the end. After the scripted part it goes on serving until Ctrl-C.
    Demo(demo::Options),
    /// Serve a configuration until a signal stops it
    ///
    /// SIGHUP rereads the configuration and every file it names; so does a change of any of them. SIGTERM and SIGINT
    /// drain: nothing new is accepted, websockets get a Close frame, and what is still open after the drain deadline is
    /// cut. A second one stops at once.
    #[command(after_long_help = EXIT_CODES)]
    Run {
        /// The configuration
        #[arg(default_value = "tidegate.toml")]
        config: PathBuf,
    },
    /// Say what is wrong with a configuration
    ///
    /// Does everything that `run` does before it serves, and nothing else: reads certificates, compiles plugins, tries
    /// whether the addresses can be listened on. Faults and warnings go to standard error.
    #[command(after_long_help = EXIT_CODES)]
    Check {
        /// The configuration
        #[arg(default_value = "tidegate.toml")]
        config: PathBuf,
        /// Warn of certificates, keys, other files and addresses that are not on this machine, and check the rest
        #[arg(long)]
        without_files: bool,
    },
    /// Bring the configuration of another server
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// For authors of plugins
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// Print a completion script for a shell
    #[command(
        after_help = "For example: tidegate completions bash > ~/.local/share/bash-completion/completions/tidegate"
    )]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Compile a plugin for a gateway that has started this process
    #[command(hide = true)]
    CompilePlugin {
        /// Bytes of memory that it may take
        memory: u64,
        /// Seconds of processor time that it may take
        seconds: u64,
    },
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Demo(options) => demo::demo(&options),
        Command::Run { config } => run::run(&config),
        Command::Check { config, without_files: false } => check::check(&config, FilesChecked::All),
        Command::Check { config, without_files: true } => check::check(&config, FilesChecked::ThatAreThere),
        Command::Import(command) => import::import(command),
        Command::Plugin(command) => plugin::plugin(command),
        Command::Completions { shell } => completions::completions(shell, &Arguments::command()),
        Command::CompilePlugin { memory, seconds } => compile_plugin::compile_plugin(memory, seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_has_a_help_text() {
        fn look(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{} has no help text", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {} has no help text", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(look);
        }

        look(&Arguments::command());
    }

    #[test]
    fn completions_name_every_command_but_hidden_ones() {
        use clap::ValueEnum as _;

        for shell in clap_complete::Shell::value_variants() {
            let script = String::from_utf8(completions::script(*shell, &Arguments::command())).unwrap();

            for command in ["run", "check", "import", "plugin", "demo", "completions"] {
                assert!(script.contains(command), "{shell}: {command}");
            }
            assert!(script.contains("version"), "{shell}: the options of the command itself");
            assert!(!script.contains("compile-plugin"), "{shell}");
        }
    }
}
