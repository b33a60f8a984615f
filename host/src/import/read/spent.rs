//! How much may be read in all, whatever Includes, Macros and variables make of it.

use super::line::LogicalLine;
use super::stop::ReadStop;
use crate::import::tree::Place;

/// Files in all.
pub(super) const MOST_FILES: usize = 4_000;
/// Lines in all, those of Macros at each Use. Far more than one machine is configured with.
const MOST_LINES: usize = 400_000;
/// Bytes in all.
const MOST_BYTES: usize = 32 << 20;

/// What has been read so far.
#[derive(Debug, Default)]
pub(super) struct ReadSoFar {
    files: usize,
    lines: usize,
    bytes: usize,
}

impl ReadSoFar {
    /// One more file.
    pub(super) fn file(&mut self, at: &Place) -> Result<(), ReadStop> {
        self.files = self.files.saturating_add(1);
        if self.files > MOST_FILES { Err(too_many_files(at)) } else { Ok(()) }
    }

    /// One more line.
    pub(super) fn line(&mut self, line: &LogicalLine) -> Result<(), ReadStop> {
        self.lines = self.lines.saturating_add(1);
        if self.lines > MOST_LINES {
            return Err(too_much(&line.place, format!("expected at most {MOST_LINES} lines in all, found more")));
        }
        self.bytes(line.text.len(), &line.place)
    }

    /// So many more bytes.
    pub(super) fn bytes(&mut self, bytes: usize, at: &Place) -> Result<(), ReadStop> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > MOST_BYTES { Err(self.too_long(at)) } else { Ok(()) }
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        MOST_BYTES.saturating_sub(self.bytes)
    }

    /// More bytes than are left.
    pub(super) fn too_long(&self, at: &Place) -> ReadStop {
        too_much(at, format!("expected at most {} MiB of text in all, found more", MOST_BYTES >> 20))
    }
}

/// More files than are read.
pub(super) fn too_many_files(at: &Place) -> ReadStop {
    too_much(at, format!("expected at most {MOST_FILES} files in all, found more"))
}

fn too_much(at: &Place, what: String) -> ReadStop {
    let remedy =
        "look for an Include, a Define or a Macro that is carried out again and again; or import one file at a time";
    ReadStop::new(at, what, remedy)
}
