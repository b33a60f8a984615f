//! `tidegate import apache`: reads, translates, writes, and says what became of each line.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::compare::{RunningApache, compare};
use crate::cli::terminal::{FAILED, REFUSED, USAGE, complain};
use crate::import::{self, ImportOptions, MissingInclude, ReadOptions, Report};

pub(super) const EXAMPLES: &str = "\
Examples:
  tidegate import apache /etc/apache2 -o tidegate.toml
  tidegate import apache site.conf -D HOST=www.example.org > tidegate.toml
  apachectl -t -D DUMP_CONFIG > apache.txt && tidegate import apache apache.txt
  tidegate check --without-files tidegate.toml

Exit codes: 0 everything is carried over or means nothing here, 1 something is refused, 2 wrong usage, 3 the file \
cannot be written";

/// What is imported, and how.
#[derive(Debug, Args)]
pub(in crate::cli) struct ApacheImport {
    /// A file, a folder such as /etc/apache2 or sites-enabled, or what `apachectl -t -D DUMP_CONFIG` printed
    path: PathBuf,
    /// Write to this file, which must not be there yet, instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over the file of --output
    #[arg(long, requires = "output")]
    force: bool,
    /// Print the report as JSON: a line for each finding, with file, line, severity, what and remedy
    #[arg(long)]
    json: bool,
    /// Define a name, as `apachectl -D` does, or a variable with its value; the environment is asked for others
    #[arg(short = 'D', long = "define", value_name = "NAME[=VALUE]", value_parser = define)]
    defines: Vec<(String, Option<String>)>,
    /// The folder that relative paths start from [default: what the configuration says, or its folder]
    #[arg(long, value_name = "FOLDER")]
    server_root: Option<PathBuf>,
    /// What to do about an Include of a file that is not there
    #[arg(long, value_name = "WHAT", default_value = "report")]
    missing_include: WhatIfMissing,
    /// Leave routes open whose access control or authentication cannot be carried over, instead of answering 403
    #[arg(long)]
    without_access_control: bool,
    /// Ask the Apache that runs there and what was imported the same, and print where their answers differ
    ///
    /// Sends GET, HEAD and handshakes of websockets for each route to both, at most 192 in all, which reach the servers behind
    /// them.
    #[arg(long, value_name = "http://HOST:PORT", value_parser = RunningApache::parse)]
    compare: Option<RunningApache>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WhatIfMissing {
    /// Say so, and go on without it
    Report,
    /// Import nothing
    Error,
}

/// `NAME` or `NAME=VALUE`
fn define(text: &str) -> Result<(String, Option<String>), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    if name.is_empty() { Err("expected a name before `=`".to_owned()) } else { Ok((name.to_owned(), value)) }
}

/// Imports what `options` name; the report goes to standard error.
pub(super) fn import(options: &ApacheImport) -> ExitCode {
    if let Some(output) = options.output.as_deref().filter(|output| !options.force && output.symlink_metadata().is_ok())
    {
        let (found, remedy) = if output.is_dir() {
            ("it is a folder, expected a file to write to", "name a file in it, such as tidegate.toml")
        } else {
            ("there is such a file already", "name another, or write over it with --force")
        };
        complain(format_args!("{}: {found}\n  hint: {remedy}", output.display()));
        return ExitCode::from(USAGE);
    }
    if let Some(root) = options.server_root.as_deref().filter(|root| !root.is_dir()) {
        complain(format_args!(
            "{}: it is no folder that is there, expected that of `--server-root`\n  hint: \
             name the copy of Apache's folder, such as ./apache2",
            root.display()
        ));
        return ExitCode::from(USAGE);
    }
    let mut report = Report::default();
    let text = translated(options, &mut report);
    let told = if options.json { report.json_lines() } else { report.text() };
    let _gone = io::stderr().write_all(told.as_bytes());
    let Some(text) = text else { return ExitCode::from(REFUSED) };
    if let Err(error) = write(&text, options.output.as_deref(), options.force) {
        let output = options.output.as_deref().unwrap_or(Path::new("standard output"));
        let hint = match error.kind() {
            io::ErrorKind::NotFound => "\n  hint: make its folder first, or name a file in one that is there",
            io::ErrorKind::PermissionDenied => "\n  hint: name a file in a folder that you may write to",
            _ => "",
        };
        complain(format_args!("{}: cannot be written: {error}{hint}", output.display()));
        return ExitCode::from(FAILED);
    }
    let is_same = options.compare.as_ref().is_none_or(|apache| is_same(&text, apache, options.json));
    if report.is_refusing() || !is_same { ExitCode::from(REFUSED) } else { ExitCode::SUCCESS }
}

/// Says where answers of `apache` and of what was imported differ; whether nowhere.
fn is_same(text: &str, apache: &RunningApache, json: bool) -> bool {
    match compare(text, apache) {
        Ok(compared) => {
            for difference in &compared.differences {
                if json {
                    complain(serde_json::json!({ "difference": difference }));
                } else {
                    complain(format_args!("differs: {difference}"));
                }
            }
            if !json {
                complain(format_args!(
                    "{} requests compared, {} differences",
                    compared.asked,
                    compared.differences.len()
                ));
            }
            compared.differences.is_empty()
        }
        Err(why) => {
            complain(format_args!("not compared: {why}"));
            false
        }
    }
}

/// The text of a tidegate.toml; none if nothing can be made of what was read.
fn translated(options: &ApacheImport, report: &mut Report) -> Option<String> {
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let reading = ReadOptions {
        defines: options.defines.clone(),
        environment: environment.collect(),
        server_root: options.server_root.clone(),
        missing_include: match options.missing_include {
            WhatIfMissing::Report => MissingInclude::Report,
            WhatIfMissing::Error => MissingInclude::Error,
        },
    };
    let tree = import::read(&options.path, &reading, report)?;
    let wanted = ImportOptions { without_access_control: options.without_access_control };
    Some(import::write(&import::translate(&tree, wanted, report)))
}

/// Writes `text` to `output`, or to standard output, whose reader may have left.
fn write(text: &str, output: Option<&Path>, force: bool) -> io::Result<()> {
    let Some(output) = output else {
        let _gone = io::stdout().write_all(text.as_bytes());
        return Ok(());
    };
    let mut file = OpenOptions::new().write(true).create(true).create_new(!force).truncate(force).open(output)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_a_name_with_a_value_or_without() {
        assert_eq!(define("TLS"), Ok(("TLS".to_owned(), None)));
        assert_eq!(define("A=b=c"), Ok(("A".to_owned(), Some("b=c".to_owned()))));
        assert_eq!(define("A="), Ok(("A".to_owned(), Some(String::new()))));
        assert!(define("=b").is_err() && define("").is_err());
    }
}
