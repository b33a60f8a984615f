//! `tidegate completions`: scripts for shells.

use std::io::Write as _;
use std::process::ExitCode;

use clap::CommandFactory as _;

/// Prints the script for `shell`.
pub(super) fn completions(shell: clap_complete::Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::Arguments::command(), "tidegate", &mut script);
    let _gone = std::io::stdout().write_all(&script);
    ExitCode::SUCCESS
}
