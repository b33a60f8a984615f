//! What is wrong with a file, and where.

use std::fmt;
use std::path::PathBuf;

use crate::text::printable;

/// A place in a file. Both count from 1; columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Character in the line.
    pub column: usize,
}

/// One fault: where, what was found, what was expected, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFault {
    /// The file, as it was named.
    pub file: PathBuf,
    /// Where in it; none when the file as a whole is at fault.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
    /// The remedy, if one is known.
    pub hint: Option<String>,
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", printable(&self.file.to_string_lossy()))?;
        if let Some(Position { line, column }) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for FileFault {}

/// Every fault of a file, in its order. `Display` prints one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFaults {
    /// At least one.
    pub faults: Vec<FileFault>,
}

impl fmt::Display for FileFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.faults.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for FileFaults {}
