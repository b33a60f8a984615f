//! Which beginnings of prompts an endpoint has had lately: a guess at what its cache still holds.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// Blocks that one endpoint was sent. Two generations stand for an order of use: the younger is filled up to half of what
/// is remembered, and then takes the place of the elder, which is forgotten.
#[derive(Debug, Default)]
pub(crate) struct BlockMemory {
    young: Blocks,
    old: Blocks,
}

type Blocks = HashSet<u32, BuildHasherDefault<Spread>>;

impl BlockMemory {
    /// How many of `blocks`, from the first on, it has had.
    pub(crate) fn matched(&self, blocks: &[u32]) -> usize {
        let is_known = |block: &&u32| self.young.contains(block) || self.old.contains(block);
        blocks.iter().take_while(is_known).count()
    }

    /// It is sent `blocks`, and remembers `most` at the most.
    pub(crate) fn add(&mut self, blocks: &[u32], most: usize) {
        for block in blocks {
            if self.young.len() >= (most / 2).max(1) {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert(*block);
        }
    }

    /// All that it has, the elder first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.old.iter().chain(&self.young).copied()
    }
}

/// Blocks are hashes already; this spreads their 31 bits over 64.
#[derive(Debug, Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_known_as_far_as_it_was_sent() {
        let mut memory = BlockMemory::default();
        memory.add(&[1, 2, 3], 100);

        for (blocks, matched) in [(&[1, 2, 3, 4][..], 3), (&[1, 9, 3], 1), (&[2], 1), (&[9, 1], 0), (&[], 0)] {
            assert_eq!(memory.matched(blocks), matched, "{blocks:?}");
        }
    }

    #[test]
    fn what_is_used_again_stays_and_no_more_than_the_most_is_kept() {
        let mut memory = BlockMemory::default();
        for block in 0..1000 {
            memory.add(&[7777, block], 100);
            assert!(memory.iter().count() <= 102);
        }

        assert_eq!(memory.matched(&[7777]), 1, "it was used all the time");
        assert_eq!((memory.matched(&[999]), memory.matched(&[1])), (1, 0));
    }
}
