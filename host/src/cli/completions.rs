//! `tidegate completions`: scripts for shells.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Command, CommandFactory as _};

/// Prints the script for `shell`.
pub(super) fn completions(shell: clap_complete::Shell) -> ExitCode {
    let _gone = std::io::stdout().write_all(&script(shell));
    ExitCode::SUCCESS
}

fn script(shell: clap_complete::Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut visible(super::Arguments::command()), "tidegate", &mut script);
    script
}

/// The commands that people call. The generators list hidden ones, too, and a command forgets none of its own.
fn visible(full: Command) -> Command {
    let shown = full.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    let about = full.get_about().cloned().unwrap_or_default();
    Command::new("tidegate")
        .version(env!("CARGO_PKG_VERSION"))
        .about(about)
        .args(full.get_arguments())
        .subcommands(shown)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn scripts_name_every_command_but_hidden_ones() {
        for shell in clap_complete::Shell::value_variants() {
            let script = String::from_utf8(script(*shell)).unwrap();

            for command in ["run", "check", "plugin", "demo", "completions"] {
                assert!(script.contains(command), "{shell}: {command}");
            }
            assert!(script.contains("version"), "{shell}: the options of the command itself");
            assert!(!script.contains("compile-plugin"), "{shell}");
        }
    }
}
