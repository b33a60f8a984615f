//! `tidegate plugin bench`: what decisions of a plugin cost.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::super::terminal::say;
use super::trial::{TrialArguments, refused};
use crate::gateway;
use crate::workbench::{self, BenchError, BenchOptions, BenchReport, CallTimes, RoleBench};

/// More than the greatest cluster that anybody has.
const MOST_ENDPOINTS: u32 = 65_536;

/// What to measure.
#[derive(Debug, Args)]
pub(in super::super) struct BenchArguments {
    /// A component, core module or .wat file
    file: PathBuf,
    #[command(flatten)]
    trial: TrialArguments,
    /// Endpoints of the clusters that a balancer is measured in
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', default_value = "1,16,256,4096",
          value_parser = endpoints)]
    endpoints: Vec<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Measures a file and prints a table.
pub(super) fn bench(arguments: &BenchArguments) -> ExitCode {
    let settings = match arguments.trial.settings() {
        Ok(settings) => settings,
        Err(why) => return refused(why),
    };
    let options = BenchOptions {
        settings,
        endpoints: arguments.endpoints.iter().filter_map(|count| usize::try_from(*count).ok()).collect(),
    };
    match workbench::bench(&arguments.file, &options, gateway::own_compiler()) {
        Ok(report) if arguments.json => say(serde_json::to_string_pretty(&report).unwrap_or_default()),
        Ok(report) => say(describe(&arguments.file, &report)),
        Err(BenchError::Check(error)) => return arguments.trial.refused(&error),
        Err(error) => return refused(error),
    }
    ExitCode::SUCCESS
}

fn endpoints(text: &str) -> Result<u32, String> {
    let number = text.trim().parse().ok().filter(|number| (1..=MOST_ENDPOINTS).contains(number));
    number.ok_or_else(|| format!("expected numbers of 1 to {MOST_ENDPOINTS} with commas between them, as in 4,64"))
}

fn describe(file: &Path, report: &BenchReport) -> String {
    let mut text = format!("{}: compiled in {:.1} ms", file.display(), report.compiled_in.as_secs_f64() * 1e3);
    let name = file.file_stem().map_or_else(|| "plugin".into(), |stem| stem.to_string_lossy());
    let name: String = name.chars().take(20).collect();
    for RoleBench { role, shipped, native, start, memory_bytes, rows, notes } in &report.roles {
        // A string takes all that is written to it.
        _ = write!(
            text,
            "\n{role}: an instance in {:.3} ms (instantiate and configure), {} KiB after all calls\n\n\
             {:<20} {:<20} {:>10} {:>10} {:>10} {:>10}",
            start.as_secs_f64() * 1e3,
            memory_bytes >> 10,
            "ns per call",
            "",
            "min",
            "median",
            "p99",
            "fuel"
        );
        for row in rows {
            line(&mut text, &row.what, &name, row.plugin.nanoseconds, row.plugin.fuel);
            line(&mut text, "", shipped, row.shipped.nanoseconds, row.shipped.fuel);
            if let Some(times) = row.native {
                line(&mut text, "", "native", times, None);
            }
        }
        _ = write!(text, "\n\n{shipped} ships");
        if let Some(native) = native {
            _ = write!(text, "; native is {native}");
        }
        for note in notes {
            _ = write!(text, "\n{role}: {note}");
        }
    }
    text.push_str("\nfuel counts instructions of wasm, the same on every machine; ns are of this one: read ratios");
    text
}

fn line(text: &mut String, what: &str, who: &str, times: CallTimes, fuel: Option<u64>) {
    let CallTimes { min, median, p99 } = times;
    let fuel = fuel.map_or_else(|| "-".to_owned(), |fuel| fuel.to_string());
    _ = write!(text, "\n{what:<20} {who:<20} {min:>10} {median:>10} {p99:>10} {fuel:>10}");
}
