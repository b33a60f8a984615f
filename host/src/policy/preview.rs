//! The beginning of a request's body, for those that decide by it.

use std::sync::OnceLock;
use std::time::Instant;

use bytes::Bytes;
use twox_hash::XxHash64;

use super::json_members::JsonMembers;

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

    /// What both ask for, as far as one wait gives it: blocks are those of `self`, if it has any.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self { bytes: self.bytes.max(other.bytes), block: self.block.or(other.block) }
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

/// The beginning of one body, for all that decide on its request.
#[derive(Debug)]
pub struct BodyStart {
    first: Bytes,
    /// Nothing is awaited behind that.
    until: Instant,
    is_over: bool,
    /// Hashes of blocks of one length. They are made when the bytes have come, for choices are made one at a time.
    hashed: Option<(usize, Vec<u32>)>,
    /// Read when somebody asks for one.
    fields: OnceLock<JsonMembers>,
}

impl BodyStart {
    /// What has come of a body that `sight` asked for, if nothing more is awaited behind `until`.
    #[must_use]
    pub fn new(first: Bytes, sight: BodySight, until: Instant) -> Self {
        let hashed = sight.block.map(|block| (block, hashes(&first, block).collect()));
        Self { is_over: first.len() < sight.bytes, first, until, hashed, fields: OnceLock::new() }
    }

    /// Until when more of it is awaited.
    #[must_use]
    pub fn until(&self) -> Instant {
        self.until
    }

    /// Whether all that `sight` asks for has come, or nothing more will.
    #[must_use]
    pub fn is_enough_for(&self, sight: BodySight) -> bool {
        self.is_over || self.first.len() >= sight.bytes
    }

    /// The bytes.
    #[must_use]
    pub fn first(&self, sight: BodySight) -> &[u8] {
        self.first.get(..sight.bytes).unwrap_or(&self.first)
    }

    /// For each whole block, a hash of all up to its end.
    #[must_use]
    pub fn blocks(&self, sight: BodySight) -> Vec<u32> {
        let Some(block) = sight.block else { return Vec::new() };
        let first = self.first(sight);
        match &self.hashed {
            Some((length, hashes)) if *length == block => hashes.iter().take(first.len() / block).copied().collect(),
            _ => hashes(first, block).collect(),
        }
    }

    /// The string, number or boolean under `name` in the outermost JSON object. Of several members the last counts, and
    /// none if that is something else.
    #[must_use]
    pub fn field(&self, sight: BodySight, name: &str) -> Option<String> {
        self.fields.get_or_init(|| JsonMembers::read(&self.first)).scalar(&self.first, sight.bytes, name)
    }
}

/// By what has come; all else follows from that.
impl PartialEq for BodyStart {
    fn eq(&self, other: &Self) -> bool {
        self.first == other.first
    }
}

fn hashes(bytes: &[u8], block: usize) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(block).scan(0, |chain, block| {
        *chain = XxHash64::oneshot(*chain, block);
        Some(low_31_bits(*chain))
    })
}

fn low_31_bits(hash: u64) -> u32 {
    (hash & 0x7fff_ffff) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(bytes: u32, block: u32) -> BodySight {
        BodySight::new(bytes, block).unwrap()
    }

    fn start(text: &'static str, sight: BodySight) -> BodyStart {
        BodyStart::new(Bytes::from_static(text.as_bytes()), sight, Instant::now())
    }

    #[test]
    fn blocks_are_alike_as_far_as_all_before_them_is() {
        let all = sight(256, 16);
        let one = start("0123456789abcdef0123456789abcdef0123456789abcdef...", all).blocks(all);
        let two = start("0123456789abcdef0123456789abcdeX0123456789abcdef", all).blocks(all);

        assert_eq!((one.len(), two.len()), (3, 3), "only whole blocks");
        assert_eq!(one[0], two[0]);
        assert!(one[1] != two[1] && one[2] != two[2]);
        assert_ne!(one[0], one[1], "the same text, behind another");
        assert!(start("0123456789abcdef", all).blocks(sight(256, 0)).is_empty());
        let reference = start("Nobody inspects the spammish repetition", all);
        let hash = low_31_bits(0xFBCE_A83C_8A37_8BF1);
        assert_eq!(reference.blocks(sight(256, 39)), [hash], "authors may hash the same elsewhere");
    }

    #[test]
    fn each_is_shown_what_it_asked_for_and_no_more() {
        let long = sight(64, 16);
        let body = start(r#"{"a":"1","b":22,"c":"0123456789","d":"0123456789","e":true}"#, long);

        for (bytes, b) in [(15, None), (16, Some("22"))] {
            let short = sight(bytes, 0);
            assert_eq!(body.first(short).len(), bytes as usize);
            let found = (body.field(short, "a"), body.field(short, "b"));
            assert_eq!((found.0.as_deref(), found.1.as_deref()), (Some("1"), b), "within {bytes}");
        }
        assert_eq!(body.blocks(sight(33, 16)), body.blocks(long)[..2]);
        assert_eq!(body.blocks(sight(40, 20)).len(), 2, "of another length than was made before");
        assert_eq!(start(r#"{"a":1,"a":2}"#, long).field(long, "a").as_deref(), Some("2"), "as most readers take it");
        for last in ["null", "[2]", "{}", r#""\ud83d""#] {
            let text = format!(r#"{{"a":1,"a":{last}}}"#);
            assert_eq!(BodyStart::new(text.into(), long, Instant::now()).field(long, "a"), None, "{last}");
        }
    }

    #[test]
    fn more_is_awaited_only_of_what_may_come() {
        let (little, much) = (sight(4, 0), sight(9, 0));

        assert!(start("abcd", little).is_enough_for(little) && !start("abcd", little).is_enough_for(much));
        assert!(start("abc", little).is_enough_for(much), "it has ended, or time was up");
        assert_eq!(little.with(much), much);
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
