//! What so many prompts begin with that it says nothing about where they belong: a system prompt, a template.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::memory::Spread;

/// Prompts after which those before count half.
const WINDOW: u32 = 1024;

/// How many of the latest prompts had each block.
#[derive(Debug, Default)]
pub(crate) struct CommonBlocks {
    prompts: u32,
    counts: HashMap<u32, u32, BuildHasherDefault<Spread>>,
}

impl CommonBlocks {
    /// A prompt came; of at most so many blocks something is kept.
    pub(crate) fn add(&mut self, blocks: &[u32], most: usize) {
        self.prompts += 1;
        for block in blocks {
            *self.counts.entry(*block).or_default() += 1;
        }
        if self.prompts >= WINDOW || self.counts.len() > most {
            self.prompts /= 2;
            self.counts.retain(|_, count| {
                *count /= 2;
                *count > 0
            });
        }
    }

    /// How many of `blocks`, from the first on, come in more than twice the prompts that are one endpoint's share, or in
    /// four of five.
    pub(crate) fn common(&self, blocks: &[u32], endpoints: usize) -> usize {
        let (prompts, endpoints) = (u64::from(self.prompts), endpoints as u64);
        if prompts < 2 * endpoints {
            return 0;
        }
        let is_common = |block: &&u32| {
            let count = self.counts.get(block).copied().map_or(0, u64::from);
            count * endpoints > 2 * prompts || count * 5 > 4 * prompts
        };
        blocks.iter().take_while(is_common).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_prompts_begin_with_is_common_and_what_few_do_is_not() {
        let mut seen = CommonBlocks::default();
        for prompt in 0..400 {
            // All have the first, every other one the second, one in eight the third.
            let blocks = [1, 10 + prompt % 2, 100 + prompt % 8, 1000 + prompt];
            seen.add(&blocks, 10_000);
        }

        let prompt = [1, 10, 100, 1000];
        assert_eq!([2, 3, 8, 40].map(|endpoints| seen.common(&prompt, endpoints)), [1, 1, 2, 3]);
        assert_eq!(CommonBlocks::default().common(&prompt, 8), 0, "nothing is known yet");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut seen = CommonBlocks::default();
        for prompt in 0..10_000 {
            seen.add(&[1, 2, prompt + 10], 500);
            assert!(seen.counts.len() <= 503);
        }

        assert_eq!(seen.common(&[1, 2, 9], 8), 2);
    }
}
