//! What stands between the data of a body in chunks (RFC 9112 §7.1).

/// Bytes that lines may have beside the digits of sizes, in one body: extensions, which the gateway does not read, and
/// trailers. hyper's limit for either.
const LINE_BYTES: u32 = 16 * 1024;

/// Digits of a size: more would be more than a terabyte in one chunk.
const DIGITS: u8 = 15;

/// Follows the lines of one body.
///
/// Lines end in CR LF and in nothing else: a bare LF would end one for one reader and not for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunks {
    at: At,
    line_bytes: u32,
    has_trailers: bool,
}

/// The chunks are not as RFC 9112 §7.1 has them, or their lines have more than 16 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the chunks of the body are malformed")]
pub struct MalformedChunks;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In a size line.
    Size { size: u64, digits: u8, in_extension: bool, after_cr: bool },
    /// In the blanks after a size, before its extensions or the line's end.
    Blank(u64),
    /// In the data of a chunk, of which this much is to come.
    Data(u64),
    /// In the line end after a chunk's data; true after the CR.
    DataEnd(bool),
    /// In the trailer section: whether the line is empty so far, and whether a CR has just come.
    Trailer { empty: bool, after_cr: bool },
    /// Behind the body.
    End,
}

const SIZE_LINE: At = At::Size { size: 0, digits: 0, in_extension: false, after_cr: false };

impl Default for Chunks {
    fn default() -> Self {
        Self { at: SIZE_LINE, line_bytes: 0, has_trailers: false }
    }
}

impl Chunks {
    /// Passes over lines at the start of `bytes`, up to the next data or the end of the body. How many bytes that were.
    ///
    /// # Errors
    /// [`MalformedChunks`]; then where the body ends is unknown.
    pub fn pass_lines(&mut self, bytes: &[u8]) -> Result<usize, MalformedChunks> {
        for (passed, byte) in bytes.iter().enumerate() {
            if matches!(self.at, At::Data(_) | At::End) {
                return Ok(passed);
            }
            self.at = self.at.after(*byte).ok_or(MalformedChunks)?;
            if matches!(self.at, At::Blank(_) | At::Size { in_extension: true, .. } | At::Trailer { empty: false, .. })
            {
                self.line_bytes += 1;
                self.has_trailers |= matches!(self.at, At::Trailer { .. });
                if self.line_bytes > LINE_BYTES {
                    return Err(MalformedChunks);
                }
            }
        }
        Ok(bytes.len())
    }

    /// Takes up to `available` bytes of data; how many there are before the next line. 0 between chunks.
    pub fn take_data(&mut self, available: usize) -> usize {
        let At::Data(left) = self.at else { return 0 };
        let taken = usize::try_from(left).map_or(available, |left| left.min(available));
        let left = left - taken as u64;
        self.at = if left == 0 { At::DataEnd(false) } else { At::Data(left) };
        taken
    }

    /// Whether lines of trailers have begun.
    #[must_use]
    pub fn has_trailers(&self) -> bool {
        self.has_trailers
    }

    /// What of `lines`, which [`Self::pass_lines`] has passed over from here on, is of the trailer section.
    #[must_use]
    pub fn trailers_in(mut self, lines: &[u8]) -> &[u8] {
        for (at, byte) in lines.iter().enumerate() {
            match self.at.after(*byte) {
                _ if matches!(self.at, At::Trailer { .. }) => return lines.get(at..).unwrap_or_default(),
                Some(after) => self.at = after,
                None => break,
            }
        }
        &[]
    }

    /// Whether the body has come to its end, trailers included.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.at == At::End
    }
}

impl At {
    /// After one more byte of a line; none if it may not stand there.
    fn after(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Size { size, digits, in_extension, after_cr: false }, b'\r') if digits > 0 => {
                Self::Size { size, digits, in_extension, after_cr: true }
            }
            (Self::Size { size: 0, after_cr: true, .. }, b'\n') => Self::Trailer { empty: true, after_cr: false },
            (Self::Size { size, after_cr: true, .. }, b'\n') => Self::Data(size),
            (Self::Size { size, digits, in_extension: true, after_cr: false }, other) if other != b'\n' => {
                Self::Size { size, digits, in_extension: true, after_cr: false }
            }
            (Self::Size { size, digits, in_extension: false, after_cr: false }, b';') if digits > 0 => {
                Self::Size { size, digits, in_extension: true, after_cr: false }
            }
            (Self::Size { size, digits, in_extension: false, after_cr: false }, b' ' | b'\t') if digits > 0 => {
                Self::Blank(size)
            }
            (Self::Blank(size), b' ' | b'\t') => Self::Blank(size),
            (Self::Blank(size), b';') => Self::Size { size, digits: 1, in_extension: true, after_cr: false },
            (Self::Blank(size), b'\r') => Self::Size { size, digits: 1, in_extension: false, after_cr: true },
            (Self::Size { size, digits, in_extension: false, after_cr: false }, digit) if digits < DIGITS => {
                let value = char::from(digit).to_digit(16)?;
                let size = size * 16 + u64::from(value);
                Self::Size { size, digits: digits + 1, in_extension: false, after_cr: false }
            }
            (Self::DataEnd(false), b'\r') => Self::DataEnd(true),
            (Self::DataEnd(true), b'\n') => SIZE_LINE,
            (Self::Trailer { empty: true, after_cr: true }, b'\n') => Self::End,
            (Self::Trailer { empty: false, after_cr: true }, b'\n') => Self::Trailer { empty: true, after_cr: false },
            (Self::Trailer { empty, after_cr: false }, b'\r') => Self::Trailer { empty, after_cr: true },
            (Self::Trailer { after_cr: false, .. }, other) if other != b'\n' => {
                Self::Trailer { empty: false, after_cr: false }
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data of a body that comes in pieces of `size`, and what follows it; none while it has not ended.
    fn read(body: &[u8], size: usize) -> Result<Option<(Vec<u8>, usize)>, MalformedChunks> {
        let mut chunks = Chunks::default();
        let (mut data, mut left) = (Vec::new(), 0);
        for piece in body.chunks(size) {
            let mut piece = piece;
            while !piece.is_empty() && !chunks.is_at_end() {
                piece = &piece[chunks.pass_lines(piece)?..];
                let taken = chunks.take_data(piece.len());
                data.extend_from_slice(&piece[..taken]);
                piece = &piece[taken..];
            }
            left += piece.len();
        }
        Ok(chunks.is_at_end().then_some((data, left)))
    }

    #[test]
    fn data_is_found_however_the_bytes_are_cut() {
        let body = b"4;name=value\r\nabcd\r\nA \r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nHTTP";
        for size in 1..=body.len() {
            assert_eq!(read(body, size), Ok(Some((b"abcd0123456789".to_vec(), 4))), "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_not_as_the_rfc_has_it_is_refused() {
        for body in [
            "\r\n",
            "x\r\n",
            ";a\r\n",
            "5\nhello",
            "5\r\nhellox",
            "5\r\nhello\n",
            "-1\r\n",
            "0x5\r\n",
            "5;a\nhello",
            "5 5\r\n",
            "5 x\r\n",
            "1234567890abcdef\r\n",
            "0\r\nA: b\n\r\n",
            "0\r\n\n",
        ] {
            assert_eq!(read(body.as_bytes(), 3), Err(MalformedChunks), "{body:?}");
        }
        for body in ["", "5", "5\r\nhel", "0\r\n", "0\r\nA: b\r\n"] {
            assert_eq!(read(body.as_bytes(), 3), Ok(None), "{body:?} has not ended");
        }
    }

    #[test]
    fn lines_without_end_are_refused() {
        let long = "x".repeat(17 * 1024);
        for body in [format!("5;{long}"), format!("0\r\n{long}")] {
            assert_eq!(read(body.as_bytes(), 1000), Err(MalformedChunks));
        }
    }
}
