//! Public keys that an endpoint may have, as curl's `--pinnedpubkey` spells them.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

/// What stands before the digest.
const SCHEME: &str = "sha256//";

/// SHA-256 of a public key as a certificate carries it (SubjectPublicKeyInfo, DER); written `sha256//BASE64`.
///
/// It stays the same when the certificate is renewed for the same key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin([u8; 32]);

/// The text is no pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `sha256//` and 32 bytes in base64")]
pub struct NoPin;

impl Pin {
    /// The pin of a key.
    #[must_use]
    pub fn of(public_key_info: &[u8]) -> Self {
        Self(Sha256::digest(public_key_info).into())
    }
}

impl FromStr for Pin {
    type Err = NoPin;

    fn from_str(text: &str) -> Result<Self, NoPin> {
        let digest = text.strip_prefix(SCHEME).ok_or(NoPin)?;
        let digest = BASE64.decode(digest.as_bytes()).map_err(|_not_base64| NoPin)?;
        digest.try_into().map(Self).map_err(|_other_length| NoPin)
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", BASE64.encode(&self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_spelt_as_curl_spells_them() {
        // echo -n abc | openssl dgst -sha256 -binary | base64
        let pin = Pin::of(b"abc");

        assert_eq!(pin.to_string(), "sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
        assert_eq!(pin.to_string().parse(), Ok(pin));
    }

    #[test]
    fn what_could_never_match_is_no_pin() {
        for text in [
            "",
            "sha256//",
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
            "sha256/ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
            "sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0",
            "sha256//ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=",
            "sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfI=",
            "sha1//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        ] {
            assert_eq!(text.parse::<Pin>(), Err(NoPin), "{text}");
        }
    }
}
