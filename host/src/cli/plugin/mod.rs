//! `tidegate plugin`: for authors.

mod bench;
mod check;
mod dev;
mod given;
mod inspect;
mod new;
mod trial;
mod wit;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

/// What an author can ask for.
#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// Try a plugin file as the gateway would
    ///
    /// Loads it, configures it in each of its roles and runs the self-tests, as `tidegate run` does. Prints what it is
    /// and what it costs; or the reason for which a gateway would refuse it, with exit code 1. So do failed tests of the
    /// contract.
    #[command(after_help = "For example: tidegate plugin check my-plugin.wasm --conformance --memory 16MiB")]
    Check(check::CheckArguments),
    /// Measure what decisions of a plugin cost
    ///
    /// Nanoseconds for each call of a warm instance, beside the shipped plugin of its role and native code, and fuel,
    /// which is the same on every machine. The plugin is compiled once more, in this process, to count it.
    #[command(after_help = "For example: tidegate plugin bench my-balancer.wasm --endpoints 4,64")]
    Bench(bench::BenchArguments),
    /// Say what a plugin's file consists of, without running any of it
    ///
    /// Kind, roles, interfaces, imports, wasm features, sizes, tools that made it; or what has changed since an earlier
    /// version.
    #[command(after_help = "For example: tidegate plugin inspect new.wasm --against old.wasm")]
    Inspect(inspect::InspectArguments),
    /// Begin a plugin: a small one that builds as it is, with a test
    ///
    /// Writes a project in the language that you choose: sources, a test, `build.sh`, `test.sh`, the contract as WIT,
    /// and a README with the next commands.
    #[command(after_help = "For example: tidegate plugin new my-balancer --lang zig")]
    New {
        /// Folder to make; its name becomes the plugin's
        #[arg(value_name = "NAME")]
        dir: PathBuf,
        /// What it is written in
        #[arg(long, value_name = "LANG", default_value = "rust", ignore_case = true, value_parser = new::LanguageParser)]
        lang: new::Language,
        /// What it decides [default: balancer]
        #[arg(long, value_name = "ROLE", ignore_case = true, value_delimiter = ',')]
        role: Vec<new::TemplateRole>,
        /// Write the SDK or WIT of a project that is there anew, as of this gateway, and nothing else
        #[arg(long, conflicts_with_all = ["lang", "role"])]
        refresh: bool,
    },
    /// Build, check and swap at each edit, and watch the plugin decide
    ///
    /// Runs a gateway with the plugin in its role, with echo endpoints of its own behind it, and sends it some requests;
    /// prints each decision with what it was made from. Websockets stay open over all swaps. What does not build or is
    /// refused changes nothing.
    #[command(after_help = "For example: tidegate plugin dev my-balancer --config tidegate.toml")]
    Dev(dev::DevArguments),
    /// Print the contract that this gateway speaks, as WIT
    ///
    /// With a folder, writes its files there, over those of an earlier version.
    Wit {
        /// Folder to write the files to
        dir: Option<PathBuf>,
    },
}

/// Runs one of them.
pub(super) fn plugin(command: PluginCommand) -> ExitCode {
    match command {
        PluginCommand::Check(arguments) => check::check(&arguments),
        PluginCommand::Bench(arguments) => bench::bench(&arguments),
        PluginCommand::Inspect(arguments) => inspect::inspect(&arguments),
        PluginCommand::Dev(arguments) => dev::dev(&arguments),
        PluginCommand::New { dir, refresh: true, .. } => new::refresh(&dir),
        PluginCommand::New { dir, lang, role, refresh: false } => new::new(&dir, lang, &role),
        PluginCommand::Wit { dir } => wit::wit(dir.as_deref()),
    }
}
