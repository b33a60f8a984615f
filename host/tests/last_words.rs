//! What a process says when it panics, through a log that is written by another thread. A process of its own, as its log and
//! its hook are the whole process's.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

use tidegate::telemetry::{LineFormat, log};

/// Filter and format of the log, for the process that panics.
const SAID: &str = "TIDEGATE_TEST_LOG";

/// Panics, if this is the process that is to.
#[test]
fn panics() {
    let Ok(said) = std::env::var(SAID) else { return };
    let (filter, format) = said.split_once(' ').unwrap();
    let format = if format == "json" { LineFormat::Json } else { LineFormat::Text };
    log::init(filter, format).unwrap();
    log::take_panics();
    panic!("at the end \u{1b}[2J");
}

/// What the process that panics says on standard error.
fn last_words(said: &str) -> Vec<String> {
    let this = std::env::current_exe().unwrap();
    let mut command = Command::new(this);
    command.args(["--exact", "panics", "--nocapture"]).env(SAID, said).env("RUST_BACKTRACE", "0");
    let said = command.output().unwrap().stderr;
    String::from_utf8(said).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_panic_is_a_line_of_the_log_and_no_level_hides_it() {
    for (said, word) in [("info text", "ERROR"), ("off text", "thread panics"), ("info json", "\"level\":\"ERROR\"")] {
        let lines = last_words(said);

        let line = lines.iter().find(|line| line.contains("at the end")).unwrap_or_else(|| panic!("{said}: {lines:?}"));
        assert!(line.contains(word) && line.contains("last_words.rs:"), "{said}: {line}");
        assert!(!line.contains(tidegate::text::is_unseen), "{said}: {line:?}");
    }
}
