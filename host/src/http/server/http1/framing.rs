//! A second look at how requests are framed, for messages that two readers could read two ways.
//!
//! hyper follows RFC 9112 §6.3 where it may repair (it drops a Content-Length beside a Transfer-Encoding). A gateway
//! must not: another reader on the way may have decided otherwise, and that is request smuggling. So the bytes are
//! followed here as well, heads only: bodies are counted, not read.
//!
//! ```text
//! client ──▶ Framing ──▶ hyper     heads whole, without the empty lines before them; one message, then the next
//! ```

use memchr::{memchr, memchr_iter};

use super::chunks::Chunks;
use super::preface;
use super::request_line::{self, Escaped};
use crate::http::message::{Refused, SHOWN, Violation};

/// Follows the bytes of one client connection, and says which of them go on.
#[derive(Debug)]
pub struct Framing {
    state: FramingState,
    /// A head that did not arrive in one piece. It begins with the request line.
    partial: Vec<u8>,
    /// How much of it has been searched for its end.
    searched: usize,
    /// Whether its request line has come whole, and been looked at.
    has_line: bool,
    before: Before,
    /// Bytes that a head may have.
    longest_head: usize,
    /// The query of the latest head, if it went on escaped.
    query: Option<String>,
    refused: Option<Box<Refused>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FramingState {
    /// In a head, or before one.
    Head,
    /// In a body of which this much is to come.
    Body(u64),
    /// In a body in chunks.
    Chunks(Chunks),
}

/// What has come before a request line (RFC 9112 §2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Before {
    lines: u8,
    after_cr: bool,
}

/// Empty lines that may come before a request line. RFC 9112 §2.2 asks for one; Apache takes as many.
const EMPTY_LINES: u8 = 10;

/// Bytes of the longest body that a request may announce. Many readers count in 63 bits, and hyper not quite in 64.
const LONGEST_BODY: u64 = i64::MAX.unsigned_abs();

/// What becomes of bytes.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Passed {
    /// How many of them were looked at. The rest belongs to later messages, to be passed when those are asked for.
    pub taken: usize,
    /// What goes on instead of them; none if they do, as they are.
    pub instead: Option<Vec<u8>>,
}

impl Framing {
    /// Of a connection whose heads may have `longest_head` bytes.
    #[must_use]
    pub fn new(longest_head: usize) -> Self {
        Self {
            state: FramingState::Head,
            partial: Vec::new(),
            searched: 0,
            has_line: false,
            before: Before::default(),
            longest_head,
            query: None,
            refused: None,
        }
    }

    /// What has been found wrong, if anything. Then nothing is followed any more.
    #[must_use]
    pub fn refused(&self) -> Option<&Refused> {
        self.refused.as_deref()
    }

    /// Whether part of a head is there.
    #[must_use]
    pub fn is_within_head(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Whether every message that has begun is there to its end.
    #[must_use]
    pub fn is_between_messages(&self) -> bool {
        self.state == FramingState::Head && self.partial.is_empty() && self.refused.is_none()
    }

    /// Whether a head has gone on whose body has not come to its end.
    #[must_use]
    pub fn is_within_body(&self) -> bool {
        self.state != FramingState::Head
    }

    /// The query of the latest head as the client sent it, if its head went on with another.
    pub fn take_query(&mut self) -> Option<String> {
        self.query.take()
    }

    /// Looks at `bytes`, up to the end of the message that they belong to. Where something is found wrong nothing goes
    /// on.
    pub fn pass(&mut self, bytes: &[u8]) -> Passed {
        if self.refused.is_some() {
            return Passed::nothing_of(bytes);
        }
        let FramingState::Head = self.state else {
            return match self.pass_body(bytes) {
                Ok(taken) => Passed { taken, instead: None },
                Err(violation) => self.refuse(violation, b"", bytes),
            };
        };
        if self.is_within_head() {
            return self.pass_rest_of_head(bytes);
        }
        match self.before.pass(bytes) {
            Ok(0) => self.pass_head(bytes),
            Ok(taken) => Passed { taken, instead: Some(Vec::new()) },
            Err(violation) => self.refuse(violation, bytes, bytes),
        }
    }

    /// Takes note that `head` is not served, for a reason that was found elsewhere. What it said of a body counts no
    /// more.
    pub(super) fn reject(&mut self, violation: Violation, head: &[u8]) {
        self.state = FramingState::Head;
        self.note(violation, head);
    }

    fn refuse(&mut self, violation: Violation, head: &[u8], bytes: &[u8]) -> Passed {
        self.note(violation, head);
        Passed::nothing_of(bytes)
    }

    fn note(&mut self, violation: Violation, head: &[u8]) {
        self.partial = Vec::new();
        let line = head.split_at(head.len().min(SHOWN)).0;
        self.refused = Some(Box::new(Refused::new(violation, line)));
    }

    /// A request line and what follows it.
    fn pass_head(&mut self, bytes: &[u8]) -> Passed {
        let Some(end) = end_of_lines(bytes) else {
            self.keep(bytes);
            return self.await_rest(bytes, 0);
        };
        let (head, rest) = bytes.split_at(end);
        match self.judge(head) {
            Err(violation) => self.refuse(violation, head, bytes),
            Ok(Some(escaped)) => self.go_on(end, escaped),
            Ok(None) => match self.pass_body(rest) {
                Ok(taken) => Passed { taken: end + taken, instead: None },
                Err(violation) => {
                    // Its head has not gone on either.
                    self.state = FramingState::Head;
                    self.refuse(violation, head, bytes)
                }
            },
        }
    }

    fn pass_rest_of_head(&mut self, bytes: &[u8]) -> Passed {
        let before = self.partial.len();
        // The end of a head is four bytes at the most: what was searched before need not be searched again.
        let from = self.searched.saturating_sub(3);
        self.keep(bytes);
        let found = self.partial.get(from..).and_then(end_of_lines).and_then(|end| from.checked_add(end));
        let Some(end) = found else { return self.await_rest(bytes, before) };
        let mut head = std::mem::take(&mut self.partial);
        head.truncate(end);
        // What was there before had no end: it lies in what has just come.
        let Some(taken) = end.checked_sub(before) else { return self.refuse(Violation::Head, &head, bytes) };
        match self.judge(&head) {
            Err(violation) => self.refuse(violation, &head, bytes),
            Ok(Some(escaped)) => self.go_on(taken, escaped),
            Ok(None) => Passed { taken, instead: Some(head) },
        }
    }

    /// Puts `bytes` to what there is of their head. There is room for twice as much at the most, and for no more than a
    /// head may have: many clients may be at it at the same time.
    fn keep(&mut self, bytes: &[u8]) {
        let there = self.partial.len();
        let room = there.saturating_mul(2).min(self.longest_head);
        if self.partial.capacity() < there + bytes.len() {
            self.partial.reserve_exact(room.saturating_sub(there).max(bytes.len()));
        }
        self.partial.extend_from_slice(bytes);
    }

    /// `bytes` came, behind `before` others, and their head has not ended. A client that speaks something else is
    /// refused at once, and not when the rest does not come.
    fn await_rest(&mut self, bytes: &[u8], before: usize) -> Passed {
        self.searched = self.partial.len();
        let ends_line = !self.has_line && memchr(b'\n', bytes).is_some();
        self.has_line |= ends_line;
        let is_looked_at = (before == 0 || ends_line) && !preface::may_become(&self.partial);
        let mut result = if is_looked_at { request_line::check(&self.partial) } else { Ok(()) };
        if self.partial.len() > self.longest_head {
            result = result.and(Err(Violation::LongHead));
        }
        match result {
            Ok(()) => Passed::nothing_of(bytes),
            Err(violation) => {
                let head = std::mem::take(&mut self.partial);
                self.refuse(violation, &head, bytes)
            }
        }
    }

    fn go_on(&mut self, taken: usize, Escaped { head, query }: Escaped) -> Passed {
        self.query = query;
        Passed { taken, instead: Some(head) }
    }

    /// Reads what a complete head says about its body. The head that goes on, if it is another.
    fn judge(&mut self, head: &[u8]) -> Result<Option<Escaped>, Violation> {
        self.before = Before::default();
        self.has_line = false;
        self.query = None;
        if head.len() > self.longest_head {
            return Err(Violation::LongHead);
        }
        let mut length = None;
        let mut encoded = false;
        let (line, mut lines) = head.split_at(memchr(b'\n', head).map_or(head.len(), |end| end + 1));
        while let Some(end) = memchr(b'\n', lines) {
            let (line, rest) = lines.split_at(end + 1);
            lines = rest;
            // Only names that begin with c or t matter; the rest is passed over at the cost of one byte.
            match line.first().map(u8::to_ascii_lowercase) {
                Some(b'c') => {
                    let Some(value) = value_of(line, b"content-length") else { continue };
                    if length.is_some() {
                        return Err(Violation::RepeatedLength);
                    }
                    let said = length_from(value).filter(|said| *said <= LONGEST_BODY);
                    length = Some(said.ok_or(Violation::Length)?);
                }
                Some(b't') => {
                    let Some(value) = value_of(line, b"transfer-encoding") else { continue };
                    if encoded || !value.eq_ignore_ascii_case(b"chunked") {
                        return Err(Violation::Encoding);
                    }
                    encoded = true;
                }
                _ => {}
            }
        }
        let state = match (length, encoded) {
            (Some(_), true) => return Err(Violation::LengthAndEncoding),
            (None, true) if line.trim_ascii_end().ends_with(b"HTTP/1.0") => return Err(Violation::EarlyEncoding),
            (None, true) => FramingState::Chunks(Chunks::default()),
            (Some(0) | None, false) => FramingState::Head,
            (Some(length), false) => FramingState::Body(length),
        };
        // The preface is the parser's to refuse: the connection may turn out to be one of HTTP/2.
        let goes_on = request_line::is_ordinary(line) || preface::begins(head);
        let escaped = if goes_on { None } else { request_line::escape_target(head)? };
        self.state = state;
        Ok(escaped)
    }

    /// Passes over what of `bytes` belongs to the body; how many that are.
    fn pass_body(&mut self, bytes: &[u8]) -> Result<usize, Violation> {
        match self.state {
            FramingState::Head => Ok(0),
            FramingState::Body(left) => {
                let taken = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                let left = left - taken as u64;
                self.state = if left == 0 { FramingState::Head } else { FramingState::Body(left) };
                Ok(taken)
            }
            FramingState::Chunks(mut chunks) => {
                let mut rest = bytes;
                while !rest.is_empty() && !chunks.is_at_end() {
                    let lines = chunks.pass_lines(rest).map_err(|_| Violation::Chunks)?;
                    rest = rest.split_at(lines).1;
                    rest = rest.split_at(chunks.take_data(rest.len())).1;
                }
                self.state = if chunks.is_at_end() { FramingState::Head } else { FramingState::Chunks(chunks) };
                Ok(bytes.len() - rest.len())
            }
        }
    }
}

impl Before {
    /// Passes over empty lines at the start of `bytes`; how many bytes that were.
    fn pass(&mut self, bytes: &[u8]) -> Result<usize, Violation> {
        for (passed, byte) in bytes.iter().enumerate() {
            match byte {
                b'\n' => {
                    self.after_cr = false;
                    self.lines += 1;
                    if self.lines > EMPTY_LINES {
                        return Err(Violation::EmptyLines);
                    }
                }
                _ if self.after_cr => return Err(Violation::LineEnd),
                b'\r' => self.after_cr = true,
                _ => return Ok(passed),
            }
        }
        Ok(bytes.len())
    }
}

impl Passed {
    fn nothing_of(bytes: &[u8]) -> Self {
        Self { taken: bytes.len(), instead: Some(Vec::new()) }
    }
}

/// Length of `lines` up to and with the first empty one, where the first is none; none if there is none yet. A line may
/// end in a bare LF (RFC 9112 §2.2).
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
