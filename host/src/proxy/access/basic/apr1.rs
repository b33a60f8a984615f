//! `$apr1$`: what Apache makes of a password with MD5 (`apr_md5_encode`), and `htpasswd` unless it is told otherwise.

use md5::{Digest as _, Md5};

/// Rounds, always.
const ROUNDS: u32 = 1000;

/// The digest of a password with a salt, of which eight bytes count.
pub(super) fn apr1(password: &[u8], salt: &[u8]) -> [u8; 16] {
    let salt = salt.get(..8).unwrap_or(salt);
    let inner = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut outer = Md5::new().chain_update(password).chain_update("$apr1$").chain_update(salt);
    for piece in password.chunks(inner.len()) {
        outer.update(inner.get(..piece.len()).unwrap_or(&inner));
    }
    // For each bit of the length a byte: for a set one that of an empty buffer, for others the first of the password.
    let mut bits = password.len();
    while bits > 0 {
        let byte = if bits & 1 == 1 { &[0][..] } else { password.get(..1).unwrap_or_default() };
        outer.update(byte);
        bits >>= 1;
    }
    let mut digest: [u8; 16] = outer.finalize().into();
    for round in 0..ROUNDS {
        let (even, odd) = if round % 2 == 0 { (&digest[..], password) } else { (password, &digest[..]) };
        let mut hasher = Md5::new().chain_update(even);
        if round % 3 != 0 {
            hasher.update(salt);
        }
        if round % 7 != 0 {
            hasher.update(password);
        }
        digest = hasher.chain_update(odd).finalize().into();
    }
    digest
}
