//! Collecting faults and warnings while a file is read.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::fault::{FileFault, FileFaults, Position};
use crate::text::printable;

/// Where a fault is, in bytes of the text.
pub(crate) type Span = Range<usize>;

/// Faults and warnings so far.
#[derive(Debug)]
pub(crate) struct FaultReport<'t> {
    file: PathBuf,
    text: &'t str,
    faults: Vec<FileFault>,
    warnings: Vec<(Position, String)>,
}

impl<'t> FaultReport<'t> {
    /// An empty report on `text`, which came from `file`.
    pub(crate) fn new(file: &Path, text: &'t str) -> Self {
        Self { file: file.to_owned(), text, faults: Vec::new(), warnings: Vec::new() }
    }

    /// Notes a fault.
    pub(crate) fn fault(&mut self, at: Span, message: impl Into<String>) {
        self.push(at, message.into(), None);
    }

    /// Notes a fault and its remedy.
    pub(crate) fn fault_hint(&mut self, at: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.push(at, message.into(), Some(hint.into()));
    }

    /// Notes a fault and, if a known word is near, that word.
    pub(crate) fn fault_meant(&mut self, at: Span, message: impl Into<String>, meant: Option<&str>) {
        self.push(at, message.into(), meant.map(|word| format!("did you mean `{word}`?")));
    }

    /// Notes a fault of the file as a whole.
    pub(crate) fn fault_of_file(&mut self, message: impl Into<String>, hint: impl Into<String>) {
        let (message, hint) = (shown(message), Some(shown(hint)));
        self.faults.push(FileFault { file: self.file.clone(), position: None, message, hint });
    }

    /// Notes something that works but deserves a warning.
    pub(crate) fn warn(&mut self, at: Span, message: impl Into<String>) {
        self.warnings.push((self.position(at.start), shown(message)));
    }

    /// The line on which `at` starts, from 1.
    pub(crate) fn line(&self, at: &Span) -> usize {
        self.position(at.start).line
    }

    /// Where `at` starts.
    pub(crate) fn position_of(&self, at: &Span) -> Position {
        self.position(at.start)
    }

    /// Whether there are faults.
    pub(crate) fn is_faulty(&self) -> bool {
        !self.faults.is_empty()
    }

    /// All faults, in file order.
    ///
    /// # Errors
    /// If there is one.
    pub(crate) fn finish(mut self) -> Result<Vec<String>, FileFaults> {
        if self.is_faulty() {
            self.faults.sort_by_key(|fault| fault.position);
            self.faults.dedup();
            return Err(FileFaults { faults: self.faults });
        }
        self.warnings.sort_by_key(|(position, _)| *position);
        let file = shown(self.file.to_string_lossy());
        let show = |(at, message): &(Position, String)| format!("{file}:{}:{}: {message}", at.line, at.column);
        Ok(self.warnings.iter().map(show).collect())
    }

    fn push(&mut self, at: Span, message: String, hint: Option<String>) {
        let position = Some(self.position(at.start));
        let (message, hint) = (shown(message), hint.map(shown));
        self.faults.push(FileFault { file: self.file.clone(), position, message, hint });
    }

    fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count().saturating_add(1);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
        Position { line, column }
    }
}

/// A sentence on one line: keys and values of the file are in it, which may hold anything.
fn shown(sentence: impl Into<String>) -> String {
    printable(&sentence.into()).into_owned()
}
