//! `tidegate completions`: scripts for shells.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Command;

/// Prints the script for `shell`; `full` is the whole command line.
pub(super) fn completions(shell: clap_complete::Shell, full: &Command) -> ExitCode {
    let _gone = std::io::stdout().write_all(&script(shell, full));
    ExitCode::SUCCESS
}

pub(super) fn script(shell: clap_complete::Shell, full: &Command) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut visible(full), "tidegate", &mut script);
    script
}

/// The commands that people call. The generators list hidden ones, too, and a command forgets none of its own.
fn visible(full: &Command) -> Command {
    let shown = full.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    let about = full.get_about().cloned().unwrap_or_default();
    Command::new("tidegate")
        .version(env!("CARGO_PKG_VERSION"))
        .about(about)
        .args(full.get_arguments())
        .subcommands(shown)
}
