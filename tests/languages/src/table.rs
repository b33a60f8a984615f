//! What came of each template, to read.

use std::fmt::Write as _;
use std::time::Duration;

use crate::project::Template;

/// A template and what came of it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) template: Template,
    pub(crate) outcome: Outcome,
}

#[derive(Debug)]
pub(crate) enum Outcome {
    /// All steps, with their times; bytes of the plugin's file; last line of the conformance battery.
    Good { done: Vec<(&'static str, Duration)>, size: usize, conformance: String },
    /// The steps before the one that failed.
    Failed { done: Vec<(&'static str, Duration)>, step: &'static str, why: String },
    /// Why it was not tried.
    NotRun(String),
}

/// The table, and below it what was not run.
pub(crate) fn text(rows: &[Row]) -> String {
    let mut text = format!(
        "\n{:15} {:9} {:>8} {:>8} {:>10} {:>12} {:>8}  conformance\n",
        "language", "role", "tested", "built", "bytes", "conformance", "swapped"
    );
    for Row { template: Template { language, role }, outcome } in rows {
        let _infallible = match outcome {
            Outcome::Good { done, size, conformance } => writeln!(
                text,
                "{language:15} {role:9} {:>8} {:>8} {size:>10} {:>12} {:>8}  {conformance}",
                seconds(done, "test"),
                seconds(done, "build"),
                seconds(done, "conformance"),
                seconds(done, "swap"),
            ),
            Outcome::Failed { done, step, .. } => writeln!(
                text,
                "{language:15} {role:9} {:>8} {:>8}  {step} FAILED",
                seconds(done, "test"),
                seconds(done, "build")
            ),
            Outcome::NotRun(_) => continue,
        };
    }
    for Row { template: Template { language, role }, outcome } in rows {
        if let Outcome::NotRun(why) = outcome {
            let _infallible = writeln!(text, "{language:15} {role:9} NOT RUN: {why}");
        }
    }
    text
}

fn seconds(done: &[(&'static str, Duration)], step: &str) -> String {
    let took = done.iter().find(|(name, _)| *name == step).map(|(_, took)| *took);
    took.map_or_else(|| "–".to_owned(), |took| format!("{:.1} s", took.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_has_a_line_and_says_what_failed_or_why_it_was_not_run() {
        let row = |language: &str, outcome| Row {
            template: Template { language: language.to_owned(), role: "balancer".to_owned() },
            outcome,
        };
        let second = Duration::from_secs(1);
        let rows = [
            row("c", Outcome::Good { done: vec![("test", second)], size: 1209, conformance: "all good".to_owned() }),
            row("zig", Outcome::Failed { done: vec![], step: "build", why: String::new() }),
            row("go", Outcome::NotRun("go is missing: apt-get install golang".to_owned())),
        ];

        let text = text(&rows);

        for expected in ["1.0 s", "1209", "all good", "build FAILED", "NOT RUN: go is missing"] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
}
