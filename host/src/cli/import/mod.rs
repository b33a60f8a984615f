//! `tidegate import`: the configuration of another server as one of ours.

mod apache;
mod compare;

use std::process::ExitCode;

use clap::Subcommand;

/// Which server it is.
#[derive(Debug, Subcommand)]
pub(super) enum ImportCommand {
    /// Turn a configuration of Apache httpd into a tidegate.toml
    ///
    /// Reads what Apache reads, in its order: Define, IfModule, Include, Macro, virtual hosts, ProxyPass, RewriteRule,
    /// balancers. Prints a tidegate.toml whose routes name the lines that they come from. On standard error it says of
    /// each line that is not simply carried over what became of it: refused, changed, dropped, or a note.
    ///
    /// Works on any machine and without rights: what it cannot read is told. Where Apache runs, what
    /// `apachectl -t -D DUMP_CONFIG` prints is the surest thing to import. Routes behind access control or
    /// authentication that cannot be carried over answer 403.
    #[command(after_long_help = apache::EXAMPLES)]
    Apache(apache::ApacheImport),
}

/// Runs `command`.
pub(super) fn import(command: ImportCommand) -> ExitCode {
    match command {
        ImportCommand::Apache(options) => apache::import(&options),
    }
}
