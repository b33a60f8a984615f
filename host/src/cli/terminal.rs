//! What every subcommand shares: lines for the person at the terminal, and exit codes.

use std::fmt::Display;
use std::io::Write as _;

use crate::text::printable_lines;

/// Refused: a configuration or plugin that cannot be used.
pub(super) const REFUSED: u8 = 1;

/// Wrong usage, as the parser of arguments says it.
pub(super) const USAGE: u8 = 2;

/// Failed while running.
pub(super) const FAILED: u8 = 3;

/// Prints lines for the person at the terminal. A reader who has left is no fault.
pub(super) fn say(lines: impl Display) {
    let _gone = writeln!(std::io::stdout(), "{}", printable_lines(&lines.to_string()));
}

/// Prints what is wrong. Text of files and plugins in it cannot act on the terminal.
pub(super) fn complain(lines: impl Display) {
    let _gone = writeln!(std::io::stderr(), "{}", printable_lines(&lines.to_string()));
}
