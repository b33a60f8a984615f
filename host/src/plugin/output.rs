//! What a plugin writes to standard output and standard error, line by line, and the last words among it.

use tracing::Level;

use super::last_words::LastWords;

/// Bytes of a line; what is longer goes on in the next one. As many as a line of the log keeps.
const LINE_BYTES: usize = 4096;

/// Where a plugin writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StandardStream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

impl StandardStream {
    pub(super) const EACH: [Self; 2] = [Self::Output, Self::Error];

    /// Level of its lines in the log.
    pub(super) fn level(self) -> Level {
        match self {
            Self::Output => Level::DEBUG,
            Self::Error => Level::WARN,
        }
    }
}

/// Lines that a plugin has begun, and its last words in the current call.
#[derive(Debug, Default)]
pub(super) struct Output {
    output: Vec<u8>,
    error: Vec<u8>,
    last_words: LastWords,
    /// Whether anything was said in the current call.
    touched: bool,
}

impl Output {
    /// Whether the plugin said anything in the current call.
    #[inline]
    pub(super) fn is_touched(&self) -> bool {
        self.touched
    }

    /// A call begins: the words of the one before it are not its own.
    #[cold]
    pub(super) fn forget(&mut self) {
        self.touched = false;
        self.last_words = LastWords::default();
    }

    /// The last words of the current call, if there were any. Call it after the lines were ended.
    pub(super) fn last_words(&self) -> Option<String> {
        self.last_words.sentence()
    }

    /// An error that the plugin logs.
    pub(super) fn note_error(&mut self, message: &str) {
        self.touched = true;
        self.last_words.note_error(message);
    }

    /// Takes `bytes`, and hands on each line that is whole now.
    pub(super) fn write(&mut self, stream: StandardStream, mut bytes: &[u8], mut line: impl FnMut(&str)) {
        self.touched = true;
        while !bytes.is_empty() {
            let held = self.begun(stream);
            let room = LINE_BYTES.saturating_sub(held.len()).min(bytes.len());
            let end = bytes.iter().take(room).position(|byte| *byte == b'\n');
            let (taken, rest) = bytes.split_at(end.unwrap_or(room));
            held.extend_from_slice(taken);
            bytes = match end {
                Some(_) => rest.get(1..).unwrap_or_default(),
                None => rest,
            };
            if end.is_some() || self.begun(stream).len() >= LINE_BYTES {
                self.end_line(stream, &mut line);
            }
        }
    }

    /// Hands on what was begun; an empty line is none.
    pub(super) fn end_line(&mut self, stream: StandardStream, mut line: impl FnMut(&str)) {
        let mut bytes = std::mem::take(self.begun(stream));
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches('\r');
        if !text.trim().is_empty() {
            if stream == StandardStream::Error {
                self.last_words.note_line(text);
            }
            line(text);
        }
        bytes.clear();
        *self.begun(stream) = bytes;
    }

    fn begun(&mut self, stream: StandardStream) -> &mut Vec<u8> {
        match stream {
            StandardStream::Output => &mut self.output,
            StandardStream::Error => &mut self.error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(output: &mut Output, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        output.write(StandardStream::Error, bytes, |line| lines.push(line.to_owned()));
        lines
    }

    #[test]
    fn whole_lines_are_handed_on_and_the_rest_when_a_call_ends() {
        let mut output = Output::default();

        assert_eq!(lines(&mut output, b"one\r\n\ntw"), ["one"], "an empty line is none");
        assert_eq!(lines(&mut output, b"o\nthree"), ["two"]);

        let mut left = Vec::new();
        output.end_line(StandardStream::Error, |line| left.push(line.to_owned()));
        output.end_line(StandardStream::Error, |line| left.push(line.to_owned()));
        assert_eq!(left, ["three"]);
        assert_eq!(output.last_words().as_deref(), Some("three"));
    }

    #[test]
    fn a_line_without_an_end_is_cut_and_what_is_no_text_is_shown_as_such() {
        let mut output = Output::default();

        let found = lines(&mut output, &[b'a'; 10_000]);

        assert_eq!(found.iter().map(String::len).collect::<Vec<_>>(), [LINE_BYTES, LINE_BYTES]);
        assert_eq!(lines(&mut output, b"\n").iter().map(String::len).sum::<usize>(), 10_000 - 2 * LINE_BYTES);
        assert_eq!(lines(&mut output, b"\xff\n"), ["\u{fffd}"]);
    }
}
