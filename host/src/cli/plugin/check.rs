//! `tidegate plugin check`: what the gateway thinks of a file.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::super::terminal::{REFUSED, complain, say};
use crate::gateway;
use crate::workbench::{self, Inspection};

/// Tries `file` and says what was found.
pub(super) fn check(file: &Path, config: Option<&serde_json::Value>) -> ExitCode {
    match workbench::inspect(file, config, gateway::own_compiler()) {
        Ok(found) => {
            say(describe(file, &found));
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(format_args!("refused: {error}"));
            ExitCode::from(REFUSED)
        }
    }
}

fn describe(file: &Path, found: &Inspection) -> String {
    let mut lines = vec![format!("{}: good", file.display())];
    let mut line = |name: &str, value: String| lines.push(format!("  {name:<10} {value}"));
    if let Some(about) = &found.about {
        line("plugin", format!("{} {}: {}", about.name, about.version, about.summary));
    }
    line("digest", format!("sha256 {}", found.digest));
    line("size", format!("{} bytes", found.bytes));
    line("compiled", format!("in {}", millis(found.compiled_in)));
    for trial in &found.trials {
        line(trial.role.as_str(), format!("{} in {}", trial.what, millis(trial.took)));
    }
    lines.join("\n")
}

fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}
