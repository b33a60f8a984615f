//! `tidegate plugin check`: what the gateway thinks of a file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::super::terminal::{REFUSED, complain, say};
use super::trial::{TrialArguments, refused};
use crate::gateway;
use crate::workbench::{
    self, CheckError, CheckOptions, CheckReport, ConformanceBounds, ConformanceReport, PrintedLine, RoleName,
    RoleTrial, TriedTable, Verdict, role_names,
};

/// What to try, and how.
#[derive(Debug, Args)]
pub(in super::super) struct CheckArguments {
    /// A component, core module or .wat file
    file: PathBuf,
    #[command(flatten)]
    trial: TrialArguments,
    /// The role to try; without it, all that the plugin has
    #[arg(long, value_parser = role)]
    role: Option<RoleName>,
    /// Run the tests of the contract as well: made-up inputs of every kind, and a million decisions or 5 s of them
    #[arg(long)]
    conformance: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Tries a file and says what was found.
pub(super) fn check(arguments: &CheckArguments) -> ExitCode {
    let settings = match arguments.trial.settings() {
        Ok(settings) => settings,
        Err(why) => return refused(why),
    };
    let options = CheckOptions {
        settings,
        role: arguments.role,
        conformance: arguments.conformance.then(ConformanceBounds::default),
        cache: None,
    };
    match workbench::check(&arguments.file, &options, gateway::own_compiler()) {
        Ok(mut report) => {
            report.warnings.extend(arguments.trial.warnings());
            if arguments.json {
                say(serde_json::to_string_pretty(&report).unwrap_or_default());
            } else {
                say(describe(&arguments.file, &report));
            }
            for warning in report.warnings.iter().filter(|_| !arguments.json) {
                complain(format_args!("warning: {warning}"));
            }
            let failures = report.conformance.as_ref().map_or(0, ConformanceReport::failures);
            if failures == 0 { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) }
        }
        Err(error) => {
            if let CheckError::Plugin { printed, .. } = &error {
                for line in printed {
                    complain(format_args!("  {}", shown(line)));
                }
            }
            if arguments.json {
                say(serde_json::json!({ "refused": error.to_string() }));
            }
            arguments.trial.refused(&error)
        }
    }
}

fn role(name: &str) -> Result<RoleName, String> {
    let known = role_names();
    known.iter().copied().find(|role| role.as_str() == name).ok_or_else(|| {
        let names: Vec<_> = known.iter().map(|role| role.as_str()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

fn describe(file: &Path, report: &CheckReport) -> String {
    let mut text = format!("{}: good", file.display());
    let mut line = |name: &str, value: String| {
        // A string takes all that is written to it.
        _ = write!(text, "\n  {name:<11} {value}");
    };
    if let Some(about) = &report.about {
        line("plugin", format!("{} {}: {}", about.name, about.version, about.summary));
    }
    let contract = report.anatomy.as_ref().map(|anatomy| &anatomy.contract);
    if let Some(contract) = contract {
        let without = report.without.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        line("roles", or_none(&contract.roles));
        line("optional", format!("{}; not there: {}", or_none(&contract.optional), or_none(&without)));
        line("contract", format!("tidegate:plugin, version {}", or_none(&contract.versions)));
    }
    let granted = if report.capabilities.is_empty() { "" } else { ", all of them granted" };
    line("imports", format!("{}{granted}", or_none(&report.capabilities)));
    match &report.table {
        Some(TriedTable { file, entries }) => line("table", format!("{}, {entries} keys", file.display())),
        None if report.capabilities.iter().any(|name| name == "table") => {
            line("table", "empty; --table FILE gives it one".to_owned());
        }
        None => {}
    }
    line("digest", format!("sha256 {}", report.digest));
    if let Some(anatomy) = &report.anatomy {
        line("size", format!("{} bytes, {}", anatomy.bytes, anatomy.kind.as_str()));
    }
    let most = report.compiler_peak_bytes.map(|bytes| format!(" and at most {}", mebibytes(bytes))).unwrap_or_default();
    line("compiled", format!("in {}{most}", shown_time(report.compiled_in)));
    for RoleTrial { role, what, took, memory_bytes, memory_limit_bytes, slowest } in &report.trials {
        line(role.as_str(), format!("{what} in {}", shown_time(*took)));
        let (held, limit) = (mebibytes(*memory_bytes as u64), mebibytes(*memory_limit_bytes as u64));
        line("", format!("one instance held {held} of {limit}"));
        if let Some(slowest) = slowest {
            line("", format!("slowest: {}, {}", slowest.what, shown_time(slowest.time)));
            let whose = if role.as_str() == "balancer" { "one cluster" } else { "one worker" };
            line("", format!("so at most {} decisions a second for {whose}", slowest.per_second()));
        }
    }
    for (number, printed) in report.printed.iter().enumerate() {
        line(if number == 0 { "printed" } else { "" }, shown(printed));
    }
    if report.more_printed > 0 {
        line("", format!("… and {} lines more", report.more_printed));
    }
    if let Some(conformance) = &report.conformance {
        text.push_str(&tests(conformance));
    }
    text
}

fn tests(report: &ConformanceReport) -> String {
    let mut text = "\n".to_owned();
    for test in &report.tests {
        let (verdict, why) = match &test.verdict {
            Verdict::Passed => ("passed", None),
            Verdict::Failed { why } => ("FAILED", Some(why)),
            Verdict::NotApplicable { why } => ("n/a", Some(why)),
        };
        _ = write!(text, "\n  {verdict:<7} {}: {}", test.role, test.name);
        if let Some(why) = why {
            _ = write!(text, "\n          {why}");
        }
    }
    let count = |wanted: fn(&Verdict) -> bool| report.tests.iter().filter(|test| wanted(&test.verdict)).count();
    let passed = count(|verdict| matches!(verdict, Verdict::Passed));
    let not_applicable = count(|verdict| matches!(verdict, Verdict::NotApplicable { .. }));
    _ = write!(text, "\n\n{passed} passed, {} failed, {not_applicable} not applicable", report.failures());
    text
}

fn shown(line: &PrintedLine) -> String {
    let times = if line.times > 1 { format!(" ({} times)", line.times) } else { String::new() };
    format!("{}: {}{times}", line.level, line.text)
}

fn or_none(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn shown_time(time: Duration) -> String {
    format!("{time:.1?}")
}

fn mebibytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit behind the point")]
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    format!("{mebibytes:.1} MiB")
}
