//! One version of a table: the text of its file, as it was read, and an index over it.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use hashbrown::HashTable;
use memchr::{memchr, memchr_iter};
use sha2::{Digest, Sha256};

use crate::files::limit;
use crate::text;

/// Keys that a table may have.
pub const MOST_TABLE_KEYS: usize = 4_000_000;

/// Longest key and value, in bytes; from the contract.
const KEY_BYTES: usize = 1024;
const VALUE_BYTES: usize = 64 << 10;

/// The lines of a table, read and indexed. Immutable.
///
/// A key costs what its line has in the file, and 6 to 12 bytes of index.
pub struct TableContent {
    text: String,
    /// Where lines begin, found by the hash of their keys. 256 MiB are well within 32 bits.
    index: HashTable<u32>,
    /// Keyed at random: keys may be chosen by others than the operator.
    hasher: RandomState,
    digest: [u8; 32],
}

/// Why a text is no table. Neither keys nor values are shown: both may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableFault {
    /// It has more bytes than a table may have.
    #[error("it is larger than {} MiB", limit::TABLE >> 20)]
    Large,
    /// A line is no text.
    #[error("line {line} is not UTF-8 text: its byte {byte} is none of a character")]
    Binary {
        /// From 1.
        line: usize,
        /// From 1, within the line.
        byte: usize,
    },
    /// It begins with U+FEFF, which would be the first key's.
    #[error("line 1 begins with a byte order mark, expected UTF-8 without one")]
    Mark,
    /// A line that holds something has no TAB.
    #[error("line {line} has no TAB, expected a key, a TAB and a value")]
    NoTab {
        /// From 1.
        line: usize,
    },
    /// A line has more than one.
    #[error("line {line} has {found} TABs, expected one, between key and value")]
    Tabs {
        /// From 1.
        line: usize,
        /// How many.
        found: usize,
    },
    /// A line begins with its TAB.
    #[error("line {line} begins with its TAB, expected a key before it")]
    NoKey {
        /// From 1.
        line: usize,
    },
    /// A key or a value is too long.
    #[error("the {what} of line {line} has {found} bytes, expected at most {most}")]
    Long {
        /// `key` or `value`.
        what: &'static str,
        /// From 1.
        line: usize,
        /// Its length in bytes.
        found: usize,
        /// What it may have.
        most: usize,
    },
    /// A key is there already.
    #[error("line {line} has the same key as line {first}; expected each key once")]
    Twice {
        /// From 1.
        line: usize,
        /// The line before that has it.
        first: usize,
    },
    /// There are more keys than a table may have.
    #[error("it has more than {MOST_TABLE_KEYS} keys")]
    Keys,
    /// The last line does not end: what follows may be missing.
    #[error("line {line}, its last, has no newline at its end: it may have been cut off while it was written")]
    Cut {
        /// From 1.
        line: usize,
    },
}

impl TableContent {
    /// Reads lines of a key, a TAB and a value, each with a newline at its end; empty lines, and a CR before a newline,
    /// are skipped. Every other line is data, whatever it begins with.
    ///
    /// Takes some 0.3 µs a line, and 1 µs where there are millions.
    ///
    /// # Errors
    /// [`TableFault`]: the first one that is found.
    pub fn parse(mut bytes: Vec<u8>) -> Result<Self, TableFault> {
        if bytes.len() as u64 > limit::TABLE {
            return Err(TableFault::Large);
        }
        bytes.shrink_to_fit();
        let digest = Sha256::digest(&bytes).into();
        let text = String::from_utf8(bytes).map_err(|error| binary(error.as_bytes(), error.utf8_error()))?;
        if text.starts_with('\u{feff}') {
            return Err(TableFault::Mark);
        }
        let lines = memchr_iter(b'\n', text.as_bytes()).count();
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(TableFault::Cut { line: lines.saturating_add(1) });
        }
        let hasher = RandomState::new();
        let mut index: HashTable<u32> = HashTable::with_capacity(lines.min(MOST_TABLE_KEYS));
        let mut at = 0_usize;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let begin = u32::try_from(at).map_err(|_| TableFault::Large)?;
            at = at.saturating_add(line.len());
            let Some(key) = key_of(line, number.saturating_add(1))? else { continue };
            if index.len() == MOST_TABLE_KEYS {
                return Err(TableFault::Keys);
            }
            let hash = hasher.hash_one(key);
            if let Some(first) = index.find(hash, |begin| is_key(&text, *begin, key)) {
                let first = line_at(&text, *first);
                return Err(TableFault::Twice { line: number.saturating_add(1), first });
            }
            index.insert_unique(hash, begin, |begin| hasher.hash_one(key_at(&text, *begin)));
        }
        Ok(Self { text, index, hasher, digest })
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        // A TAB ends a key: what has one within would be compared with more than a key.
        if key.len() > KEY_BYTES || memchr(b'\t', key.as_bytes()).is_some() {
            return None;
        }
        let begin = *self.index.find(self.hasher.hash_one(key), |begin| is_key(&self.text, *begin, key))?;
        let value = rest(&self.text, begin).get(key.len().saturating_add(1)..)?;
        let value = value.get(..memchr(b'\n', value.as_bytes())?)?;
        Some(value.strip_suffix('\r').unwrap_or(value))
    }

    /// Keys.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.index.len()
    }

    /// What it holds of memory.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.text.capacity().saturating_add(self.index.allocation_size())
    }

    /// SHA-256 of the file.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The file, byte for byte.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for TableContent {
    /// Without what it holds, which may be secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("TableContent");
        debug.field("entries", &self.entries()).field("digest", &text::hex(&self.digest)).finish_non_exhaustive()
    }
}

/// The key of a line; none of an empty line.
fn key_of(line: &str, number: usize) -> Result<Option<&str>, TableFault> {
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Ok(None);
    }
    let Some((key, value)) = line.split_once('\t') else { return Err(TableFault::NoTab { line: number }) };
    let more = memchr_iter(b'\t', value.as_bytes()).count();
    if more > 0 {
        return Err(TableFault::Tabs { line: number, found: more.saturating_add(1) });
    }
    if key.is_empty() {
        return Err(TableFault::NoKey { line: number });
    }
    for (what, found, most) in [("key", key.len(), KEY_BYTES), ("value", value.len(), VALUE_BYTES)] {
        if found > most {
            return Err(TableFault::Long { what, line: number, found, most });
        }
    }
    Ok(Some(key))
}

/// The text from the line on that begins at `begin`.
fn rest(text: &str, begin: u32) -> &str {
    usize::try_from(begin).ok().and_then(|begin| text.get(begin..)).unwrap_or_default()
}

/// Whether the line that begins at `begin` has `key`, in which there is no TAB.
fn is_key(text: &str, begin: u32, key: &str) -> bool {
    rest(text, begin).strip_prefix(key).is_some_and(|rest| rest.starts_with('\t'))
}

fn key_at(text: &str, begin: u32) -> &str {
    rest(text, begin).split_once('\t').map_or("", |(key, _)| key)
}

/// Number of the line that begins at `begin`.
fn line_at(text: &str, begin: u32) -> usize {
    let before = usize::try_from(begin).ok().and_then(|begin| text.get(..begin)).unwrap_or_default();
    memchr_iter(b'\n', before.as_bytes()).count().saturating_add(1)
}

fn binary(bytes: &[u8], error: std::str::Utf8Error) -> TableFault {
    let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
    let begin = memchr::memrchr(b'\n', before).map_or(0, |end| end.saturating_add(1));
    TableFault::Binary {
        line: memchr_iter(b'\n', before).count().saturating_add(1),
        byte: before.len().saturating_sub(begin).saturating_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<TableContent, TableFault> {
        TableContent::parse(text.as_bytes().to_vec())
    }

    #[test]
    fn every_line_is_data_but_empty_ones() {
        let table = parse("blue\tchat\n\n# red\ta b\r\ngrün\t\n\r\nlast\t#\n").unwrap();

        for (key, value) in [("blue", "chat"), ("# red", "a b"), ("grün", ""), ("last", "#")] {
            assert_eq!(table.get(key), Some(value), "{key}");
        }
        for key in ["", "b", "blue\tchat", "blue\tchat\n\n# red", "chat", "Blue", "last\t", &"x".repeat(5000)] {
            assert_eq!(table.get(key), None, "{key}");
        }
        assert_eq!(table.entries(), 4);
        assert_eq!(parse("").unwrap().entries(), 0);
    }

    #[test]
    fn a_broken_line_is_said_and_nothing_is_taken() {
        let long = |key: usize, value: usize| format!("{}\t{}\n", "k".repeat(key), "v".repeat(value));
        for (text, sentence) in [
            ("a\tb\nc", "line 2, its last, has no newline at its end: it may have been cut off while it was written"),
            ("a\tb\nc d\n", "line 2 has no TAB, expected a key, a TAB and a value"),
            ("a\tb\tc\td\n", "line 1 has 3 TABs, expected one, between key and value"),
            ("\n\n\tb\n", "line 3 begins with its TAB, expected a key before it"),
            ("a\tb\nb\tc\n\na\tb\n", "line 4 has the same key as line 1; expected each key once"),
            ("\u{feff}a\tb\n", "line 1 begins with a byte order mark, expected UTF-8 without one"),
            (&long(1025, 1), "the key of line 1 has 1025 bytes, expected at most 1024"),
            (&long(1, 65_537), "the value of line 1 has 65537 bytes, expected at most 65536"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), sentence);
        }
        assert_eq!(parse(&long(1024, 65_536)).unwrap().entries(), 1);
    }

    #[test]
    fn what_is_no_text_is_refused_where_it_is() {
        for (bytes, line, byte) in [(&b"a\tb\nc\t\xff\n"[..], 2, 3), (b"\xc3", 1, 1), (b"a\t\xed\xa0\x80\n", 1, 3)] {
            let fault = TableContent::parse(bytes.to_vec()).unwrap_err();

            assert_eq!(fault, TableFault::Binary { line, byte });
        }
    }

    #[test]
    fn neither_keys_nor_values_are_shown() {
        let shown = format!("{:?}", parse("blue\tchat\n").unwrap());

        assert!(!shown.contains("blue") && !shown.contains("chat"), "{shown}");
    }

    #[test]
    fn many_keys_are_all_found() {
        let text: String = (0..100_000).map(|tenant| format!("tenant-{tenant}\tcluster-{}\n", tenant % 7)).collect();
        let table = parse(&text).unwrap();

        for tenant in 0..100_000 {
            let expected = format!("cluster-{}", tenant % 7);
            assert_eq!(table.get(&format!("tenant-{tenant}")), Some(expected.as_str()));
        }
        assert_eq!(table.get("tenant-100000"), None);
        assert!(table.memory() < text.len() * 3, "{} for {}", table.memory(), text.len());
    }
}
