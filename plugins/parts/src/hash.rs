//! Hashes that are the same in every process, version and machine: gateways beside each other must agree.

/// FNV-1a over the bytes (the 64-bit constants of its authors), then mixed, because it moves its high bits little.
#[must_use]
pub fn text_hash(text: &str) -> u64 {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    mix(hash)
}

/// Spreads a number over all 64 bits, one to one: the finaliser of SplitMix64.
#[inline]
#[must_use]
pub fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_never_change() {
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf, "the first number of SplitMix64 seeded with 0");
        assert_eq!(text_hash(""), mix(0xcbf2_9ce4_8422_2325));
        assert_eq!(text_hash("a"), mix(0xaf63_dc4c_8601_ec8c), "FNV-1a of \"a\" from its authors' tables");
    }
}
