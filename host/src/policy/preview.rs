//! The beginning of a request's body, for those that decide by it.

use std::sync::OnceLock;

use bytes::Bytes;
use twox_hash::XxHash64;

use super::json_scalars::json_scalars;

/// The most bytes of a body that are awaited.
const MOST_BYTES: u32 = 262_144;

/// The shortest block: of a body there are 16,384 at the most.
const SHORTEST_BLOCK: u32 = 16;

/// How much of a body somebody wants to see before it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodySight {
    bytes: usize,
    block: Option<usize>,
}

impl BodySight {
    /// `bytes` of 1 to 262,144; blocks of 16 to `bytes`, or 0 for none.
    ///
    /// # Errors
    /// [`SightError`] for other numbers.
    pub fn new(bytes: u32, block: u32) -> Result<Self, SightError> {
        if !(1..=MOST_BYTES).contains(&bytes) {
            return Err(SightError::Bytes(bytes));
        }
        if block != 0 && !(SHORTEST_BLOCK..=bytes).contains(&block) {
            return Err(SightError::Block { found: block, bytes });
        }
        let block = usize::try_from(block).ok().filter(|block| *block > 0);
        // Lossless: it is below 2^18.
        Ok(Self { bytes: usize::try_from(bytes).unwrap_or(usize::MAX), block })
    }

    /// How many bytes are awaited.
    #[must_use]
    pub fn bytes(self) -> usize {
        self.bytes
    }
}

/// Numbers that a preview cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SightError {
    /// Nothing, or more than is awaited.
    #[error("expected `bytes` of 1 to {MOST_BYTES}, found {0}")]
    Bytes(u32),
    /// Shorter or longer than there can be one.
    #[error("expected a `block` of 0 (no hashes) or of {SHORTEST_BLOCK} to {bytes}, which is `bytes`, found {found}")]
    Block {
        /// What was asked for.
        found: u32,
        /// The bytes that were.
        bytes: u32,
    },
}

/// The beginning of one body.
#[derive(Debug)]
pub struct BodyStart {
    first: Bytes,
    blocks: Vec<u32>,
    /// Read when somebody asks for one.
    fields: OnceLock<Vec<(String, String)>>,
}

impl BodyStart {
    /// What `sight` asked for of a body that begins with `first`.
    #[must_use]
    pub fn new(mut first: Bytes, sight: BodySight) -> Self {
        first.truncate(sight.bytes);
        let mut chain = 0;
        let blocks = sight.block.map(|block| first.chunks_exact(block)).into_iter().flatten();
        let blocks = blocks.map(|block| {
            chain = XxHash64::oneshot(chain, block);
            low_31_bits(chain)
        });
        Self { blocks: blocks.collect(), first, fields: OnceLock::new() }
    }

    /// The bytes.
    #[must_use]
    pub fn first(&self) -> &[u8] {
        &self.first
    }

    /// For each whole block, a hash of all up to its end.
    #[must_use]
    pub fn blocks(&self) -> &[u32] {
        &self.blocks
    }

    /// The string, number or boolean under `name` in the outermost JSON object; the last of several.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let fields = self.fields.get_or_init(|| json_scalars(&self.first));
        fields.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// By what was seen; what was read of it follows from that.
impl PartialEq for BodyStart {
    fn eq(&self, other: &Self) -> bool {
        (&self.first, &self.blocks) == (&other.first, &other.blocks)
    }
}

fn low_31_bits(hash: u64) -> u32 {
    (hash & 0x7fff_ffff) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(text: &'static str, bytes: u32, block: u32) -> BodyStart {
        BodyStart::new(Bytes::from_static(text.as_bytes()), BodySight::new(bytes, block).unwrap())
    }

    #[test]
    fn blocks_are_alike_as_far_as_all_before_them_is() {
        let one = start("0123456789abcdef0123456789abcdef0123456789abcdef...", 256, 16);
        let two = start("0123456789abcdef0123456789abcdeX0123456789abcdef", 256, 16);

        assert_eq!((one.blocks().len(), two.blocks().len()), (3, 3), "only whole blocks");
        assert_eq!(one.blocks()[0], two.blocks()[0]);
        assert!(one.blocks()[1] != two.blocks()[1] && one.blocks()[2] != two.blocks()[2]);
        assert_ne!(one.blocks()[0], one.blocks()[1], "the same text, behind another");
        assert_eq!(one.blocks()[0], low_31_bits(XxHash64::oneshot(0, b"0123456789abcdef")));
        assert!(start("0123456789abcdef", 256, 0).blocks().is_empty());
        let reference = start("Nobody inspects the spammish repetition", 256, 39);
        assert_eq!(reference.blocks(), [low_31_bits(0xFBCE_A83C_8A37_8BF1)], "authors may hash the same elsewhere");
    }

    #[test]
    fn no_more_is_shown_than_was_asked_for() {
        let short = start(r#"{"a":"1","b":"2"}"#, 9, 0);

        assert_eq!(short.first(), br#"{"a":"1","#);
        assert_eq!((short.field("a"), short.field("b")), (Some("1"), None));
        assert_eq!(start(r#"{"a":1,"a":2}"#, 99, 0).field("a"), Some("2"), "as most readers take it");
    }

    #[test]
    fn numbers_outside_are_refused_with_their_sentence() {
        for (bytes, block, sentence) in [
            (0, 0, "expected `bytes` of 1 to 262144, found 0"),
            (262_145, 0, "expected `bytes` of 1 to 262144, found 262145"),
            (64, 15, "expected a `block` of 0 (no hashes) or of 16 to 64, which is `bytes`, found 15"),
            (64, 65, "expected a `block` of 0 (no hashes) or of 16 to 64, which is `bytes`, found 65"),
        ] {
            assert_eq!(BodySight::new(bytes, block).unwrap_err().to_string(), sentence);
        }
        assert!(BodySight::new(262_144, 262_144).is_ok() && BodySight::new(1, 0).is_ok());
    }
}
