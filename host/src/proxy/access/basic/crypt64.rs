//! The base64 of crypt(3), and the orders in which it has the bytes of digests.
//!
//! Its alphabet is its own, the first of four characters has the lowest six bits of three bytes, and each function of
//! crypt(3) stirs the bytes of a digest before they are written.

use std::sync::LazyLock;

use data_encoding::{BitOrder, Encoding, Specification};

/// The bytes of an MD5 as apr1 writes them.
pub(super) const MD5_ORDER: [usize; 16] = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];

/// The bytes of a SHA-256 as `$5$` writes them.
pub(super) const SHA256_ORDER: [usize; 32] = [
    20, 10, 0, 11, 1, 21, 2, 22, 12, 23, 13, 3, 14, 4, 24, 5, 25, 15, 26, 16, 6, 17, 7, 27, 8, 28, 18, 29, 19, 9, 30,
    31,
];

/// The bytes of a SHA-512 as `$6$` writes them.
pub(super) const SHA512_ORDER: [usize; 64] = [
    42, 21, 0, 1, 43, 22, 23, 2, 44, 45, 24, 3, 4, 46, 25, 26, 5, 47, 48, 27, 6, 7, 49, 28, 29, 8, 50, 51, 30, 9, 10,
    52, 31, 32, 11, 53, 54, 33, 12, 13, 55, 34, 35, 14, 56, 57, 36, 15, 16, 58, 37, 38, 17, 59, 60, 39, 18, 19, 61, 40,
    41, 20, 62, 63,
];

static CRYPT: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    encoding("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", BitOrder::LeastSignificantFirst)
});

static BCRYPT: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    encoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", BitOrder::MostSignificantFirst)
});

fn encoding(symbols: &str, order: BitOrder) -> Option<Encoding> {
    let mut alphabet = Specification::new();
    alphabet.symbols.push_str(symbols);
    alphabet.bit_order = order;
    alphabet.encoding().ok()
}

/// The digest that apr1, `$5$` or `$6$` has written, its bytes in the digest's own order; none if it is not such text.
/// What no implementation writes (bits beyond the last byte) is none: it would match nothing in Apache either.
pub(super) fn digest<const N: usize>(text: &str, order: [usize; N]) -> Option<[u8; N]> {
    let stirred = CRYPT.as_ref()?.decode(text.as_bytes()).ok().filter(|bytes| bytes.len() == N)?;
    let mut digest = [0; N];
    for (byte, place) in stirred.into_iter().zip(order) {
        *digest.get_mut(place)? = byte;
    }
    Some(digest)
}

/// The bytes of a part of a bcrypt hash, which has an alphabet of its own; none if it is not such text.
pub(super) fn bcrypt<const N: usize>(text: &str) -> Option<[u8; N]> {
    BCRYPT.as_ref()?.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_digest_has_one_place() {
        fn all<const N: usize>(mut order: [usize; N]) -> bool {
            order.sort_unstable();
            order.into_iter().eq(0..N)
        }

        assert!(all(MD5_ORDER) && all(SHA256_ORDER) && all(SHA512_ORDER));
    }

    #[test]
    fn what_is_no_digest_is_none() {
        assert!(digest("RV1yXR.1SZg4VbWz5aTn50", MD5_ORDER).is_some());
        for text in
            ["", "RV1yXR.1SZg4VbWz5aTn5", "RV1yXR.1SZg4VbWz5aTn500", "RV1yXR-1SZg4VbWz5aTn50", "RV1yXR.1SZg4VbWz5aTn5z"]
        {
            assert_eq!(digest(text, MD5_ORDER), None, "{text}");
        }
    }
}
