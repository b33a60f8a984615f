//! `tidegate plugin inspect`: what a file consists of, nothing of it run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::super::terminal::{REFUSED, complain, say};
use crate::workbench::{self, Anatomy, AnatomyError};

/// Rows of sections that are shown; the others are summed up.
const SECTIONS: usize = 8;

/// What to look at.
#[derive(Debug, Args)]
pub(in super::super) struct InspectArguments {
    /// A component, core module or .wat file
    file: PathBuf,
    /// An earlier version of it, to say what has changed since
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Takes a file apart, and beside another one if there is one.
pub(super) fn inspect(arguments: &InspectArguments) -> ExitCode {
    let InspectArguments { file, against, json } = arguments;
    match (workbench::inspect(file), against.as_ref().map(|path| (path, workbench::inspect(path)))) {
        (Ok(found), None) => {
            say(if *json { serde_json::json!(found).to_string() } else { describe(file, &found) });
            ExitCode::SUCCESS
        }
        (Ok(found), Some((path, Ok(earlier)))) => {
            say(if *json {
                let changes = workbench::difference(&earlier, &found);
                serde_json::json!({ "earlier": earlier, "now": found, "changes": changes }).to_string()
            } else {
                compare(path, &earlier, file, &found)
            });
            ExitCode::SUCCESS
        }
        (Err(error), _) => refused(file, &error),
        (Ok(_), Some((path, Err(error)))) => refused(path, &error),
    }
}

fn refused(path: &Path, error: &AnatomyError) -> ExitCode {
    match error {
        AnatomyError::File(error) => complain(format_args!("refused: {error}")),
        AnatomyError::Content(problem) => complain(format_args!("refused: {}: {problem}", path.display())),
    }
    ExitCode::from(REFUSED)
}

fn describe(file: &Path, found: &Anatomy) -> String {
    let mut text = format!("{}: {}", file.display(), found.kind.as_str());
    let mut line = |name: &str, value: &str| {
        // A string takes all that is written to it.
        _ = write!(text, "\n  {name:<11} {value}");
    };
    line("roles", &or_none(&found.contract.roles));
    line("optional", &or_none(&found.contract.optional));
    line("contract", &or_none(&found.contract.versions));
    rows(&mut line, "imports", &found.imports);
    rows(&mut line, "exports", &found.exports);
    match &found.invalid {
        None => line("features", &or_none(&found.features)),
        Some(why) => line("invalid", why),
    }
    rows(&mut line, "made by", &found.producers);
    line("digest", &format!("sha256 {}", found.digest));
    line("size", &format!("{} bytes", found.bytes));
    let (shown, rest) = found.sections.split_at(found.sections.len().min(SECTIONS));
    for section in shown {
        line("", &format!("{:>10} {}", section.bytes, section.name));
    }
    if !rest.is_empty() {
        let sum: usize = rest.iter().map(|section| section.bytes).sum();
        line("", &format!("{sum:>10} in {} other kinds of section", rest.len()));
    }
    for misspelt in &found.contract.misspelt {
        line("look", misspelt);
    }
    text
}

/// Each name on a line of its own.
fn rows(line: &mut impl FnMut(&str, &str), name: &str, values: &[String]) {
    if values.is_empty() {
        line(name, "none");
    }
    for (number, value) in values.iter().enumerate() {
        line(if number == 0 { name } else { "" }, value);
    }
}

fn compare(earlier_file: &Path, earlier: &Anatomy, file: &Path, found: &Anatomy) -> String {
    let mut text = format!("{}, against {}", file.display(), earlier_file.display());
    if earlier.digest == found.digest {
        text.push_str(": the same, byte for byte");
        return text;
    }
    if earlier.kind != found.kind {
        _ = write!(text, "\n  {:<11} {} instead of {}", "kind", found.kind.as_str(), earlier.kind.as_str());
    }
    for change in workbench::difference(earlier, found) {
        let (removed, added) =
            (change.removed.iter().map(|name| ('-', name)), change.added.iter().map(|name| ('+', name)));
        for (number, (sign, name)) in removed.chain(added).enumerate() {
            _ = write!(text, "\n  {:<11} {sign} {name}", if number == 0 { change.of } else { "" });
        }
    }
    _ = write!(text, "\n  {:<11} {}", "size", growth(earlier.bytes, found.bytes));
    for section in found.sections.iter().take(SECTIONS) {
        let before = earlier.sections.iter().find(|other| other.name == section.name).map_or(0, |other| other.bytes);
        if before != section.bytes {
            _ = write!(text, "\n  {:<11} {}", "", format_args!("{}: {}", section.name, growth(before, section.bytes)));
        }
    }
    text.push_str("\n  schema      not compared: only the plugin itself can say it; `check` asks it");
    text
}

fn growth(before: usize, after: usize) -> String {
    if before == after {
        return format!("{after} bytes as before");
    }
    let (sign, by) = if after > before { ('+', after - before) } else { ('-', before - after) };
    let percent = by.saturating_mul(100).checked_div(before).map(|percent| format!(", {sign}{percent} %"));
    format!("{before} -> {after} bytes ({sign}{by}{})", percent.unwrap_or_default())
}

fn or_none(names: &[impl AsRef<str>]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}
