//! A second look at how requests are framed, for messages that two readers could read two ways.
//!
//! hyper follows RFC 9112 §6.3 where it may repair (it drops a Content-Length beside a Transfer-Encoding). A gateway must
//! not: another reader on the way may have decided otherwise, and that is request smuggling. So the bytes are followed
//! here as well, heads only: bodies are counted, not read.

use memchr::{memchr, memchr_iter};

use super::chunks::Chunks;

/// What cannot be told for sure about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Content-Length and Transfer-Encoding in one head.
    LengthAndEncoding,
    /// More than one Content-Length.
    RepeatedLength,
    /// More than one Transfer-Encoding, or a coding other than `chunked`.
    Encoding,
    /// A Content-Length that is not a plain number.
    Length,
    /// Chunks that are not as RFC 9112 §7.1 has them.
    Chunks,
    /// A head without end.
    Head,
}

impl Violation {
    /// The sentence for the client.
    #[must_use]
    pub fn explain(self) -> &'static str {
        match self {
            Self::LengthAndEncoding => "a request has either Content-Length or Transfer-Encoding, not both",
            Self::RepeatedLength => "a request has one Content-Length",
            Self::Encoding => "the only Transfer-Encoding that is understood is a single `chunked`",
            Self::Length => "Content-Length is not a number",
            Self::Chunks => "the chunks of the body are malformed",
            Self::Head => "the head is too long",
        }
    }
}

/// Follows the bytes of one client connection.
#[derive(Debug, Default)]
pub struct Framing {
    state: State,
    /// A head that did not arrive in one piece.
    partial: Vec<u8>,
    /// How much of it has been searched for its end.
    searched: usize,
    violation: Option<Violation>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// In a head, or before one.
    #[default]
    Head,
    /// In a body of which this much is to come.
    Body(u64),
    /// In a body in chunks.
    Chunks(Chunks),
}

/// Longest head that is collected when it comes in pieces. More than any limit for heads allows, so that the server's
/// own refusal comes first.
const LONGEST_HEAD: usize = 2 * 1024 * 1024;

impl Framing {
    /// What has been found wrong, if anything.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        self.violation
    }

    /// Whether part of a head is there.
    #[must_use]
    pub fn is_within_head(&self) -> bool {
        self.state == State::Head && !self.partial.is_empty()
    }

    /// Whether every message that has begun is there to its end.
    #[must_use]
    pub fn is_between_messages(&self) -> bool {
        self.state == State::Head && self.partial.is_empty() && self.violation.is_none()
    }

    /// Takes note of bytes as the client sent them. After a violation nothing is followed any more.
    pub fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.violation.is_none() {
            bytes = match self.state {
                State::Head => self.pass_head(bytes),
                State::Body(left) => {
                    let (rest, left) = skip(bytes, left);
                    self.state = if left == 0 { State::Head } else { State::Body(left) };
                    rest
                }
                State::Chunks(chunks) => self.pass_chunks(bytes, chunks),
            };
        }
    }

    fn pass_head<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        if self.partial.is_empty() {
            if let Some(end) = end_of_head(bytes) {
                let (head, rest) = bytes.split_at(end);
                self.judge(head);
                return rest;
            }
            self.partial.extend_from_slice(bytes);
            return &[];
        }
        let before = self.partial.len();
        self.partial.extend_from_slice(bytes);
        // The end of a head is four bytes at the most: what was searched before need not be searched again.
        let from = self.searched.min(before.saturating_sub(3));
        let found = match self.partial.get(from..) {
            Some(fresh) if from > 0 => end_of_lines(fresh).map(|end| end + from),
            _ => end_of_head(&self.partial),
        };
        let Some(end) = found else {
            // Leading empty lines are no head yet: there the search must start over.
            let begun = self.partial.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
            self.searched = if begun { self.partial.len() } else { 0 };
            if self.partial.len() > LONGEST_HEAD {
                self.fail(Violation::Head);
            }
            return &[];
        };
        let head = std::mem::take(&mut self.partial);
        self.searched = 0;
        self.judge(head.get(..end).unwrap_or(&head));
        bytes.get(end - before..).unwrap_or(&[])
    }

    /// Reads what a complete head says about its body.
    fn judge(&mut self, head: &[u8]) {
        let mut length = None;
        let mut encoded = false;
        let mut lines = head;
        while let Some(end) = memchr(b'\n', lines) {
            let (line, rest) = lines.split_at(end + 1);
            lines = rest;
            // Only names that begin with c or t matter; the rest is passed over at the cost of one byte.
            match line.first().map(u8::to_ascii_lowercase) {
                Some(b'c') => {
                    let Some(value) = value_of(line, b"content-length") else { continue };
                    if length.is_some() {
                        return self.fail(Violation::RepeatedLength);
                    }
                    let Some(number) = length_from(value) else { return self.fail(Violation::Length) };
                    length = Some(number);
                }
                Some(b't') => {
                    let Some(value) = value_of(line, b"transfer-encoding") else { continue };
                    if encoded || !value.eq_ignore_ascii_case(b"chunked") {
                        return self.fail(Violation::Encoding);
                    }
                    encoded = true;
                }
                _ => {}
            }
        }
        self.state = match (length, encoded) {
            (Some(_), true) => return self.fail(Violation::LengthAndEncoding),
            (_, true) => State::Chunks(Chunks::default()),
            (Some(0) | None, false) => State::Head,
            (Some(length), false) => State::Body(length),
        };
    }

    fn pass_chunks<'a>(&mut self, bytes: &'a [u8], mut chunks: Chunks) -> &'a [u8] {
        let Ok(lines) = chunks.pass_lines(bytes) else {
            self.fail(Violation::Chunks);
            return &[];
        };
        let bytes = bytes.split_at(lines).1;
        let data = chunks.take_data(bytes.len());
        self.state = if chunks.is_at_end() { State::Head } else { State::Chunks(chunks) };
        bytes.split_at(data).1
    }

    fn fail(&mut self, violation: Violation) {
        self.violation = Some(violation);
    }
}

/// Skips up to `left` bytes; what remains of both.
fn skip(bytes: &[u8], left: u64) -> (&[u8], u64) {
    let now = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
    (bytes.split_at(now).1, left - now as u64)
}

/// Length of the head at the start of `bytes`, its empty line included. A line may end in a bare LF (RFC 9112 §2.2), and
/// empty lines before the request line do not count.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    Some(start + end_of_lines(bytes.get(start..)?)?)
}

/// Length of `lines` up to and with the first empty one; none if there is none yet.
#[must_use]
pub fn end_of_lines(lines: &[u8]) -> Option<usize> {
    memchr_iter(b'\n', lines).find_map(|at| match lines.get(at + 1..)? {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

/// The value if `line` is the field `name` (lower case), blanks around it removed.
fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (found, rest) = line.split_at_checked(name.len())?;
    found.eq_ignore_ascii_case(name).then_some(())?;
    // A blank before the colon is refused by the parser (RFC 9112 §5.1); whatever it is, it is this field.
    let rest = rest.trim_ascii_start().strip_prefix(b":")?;
    Some(rest.trim_ascii())
}

/// A length as Content-Length has it: digits and nothing else (RFC 9110 §8.6).
#[must_use]
pub fn length_from(value: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(value).ok()?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;
