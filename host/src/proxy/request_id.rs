//! What an exchange is called in headers and in its access line.

use ::http::{HeaderMap, HeaderName};

use crate::clock::Clock;

/// Where proxies in front say it.
static FIELD: HeaderName = HeaderName::from_static("x-request-id");

/// Bytes of the longest that is taken over.
const LONGEST: usize = 128;

/// A name that no other exchange has.
pub(super) struct RequestId(String);

impl RequestId {
    /// What `believed` fields say, if that is one word of letters, digits and `-_.:+/=@`, or else 128 bits of chance in hex.
    pub(super) fn new(believed: Option<&HeaderMap>) -> Self {
        let said = believed.and_then(|headers| headers.get(&FIELD)).and_then(|said| said.to_str().ok());
        let is_word = |said: &&str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:+/=@".contains(&byte);
            (1..=LONGEST).contains(&said.len()) && said.bytes().all(plain)
        };
        Self(said.filter(is_word).map_or_else(chance, str::to_owned))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

fn chance() -> String {
    format!("{:016x}{:016x}", Clock::System.random(), Clock::System.random())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(FIELD.clone(), value.parse().unwrap())])
    }

    #[test]
    fn a_name_that_is_believed_is_kept_if_it_is_a_word() {
        let longest = "a".repeat(LONGEST);
        for (value, is_kept) in [
            ("7f3a-1:x_y.z", true),
            ("Root=1-67891233-abcdef012345678912345678", true),
            (longest.as_str(), true),
            (&format!("{longest}a"), false),
            ("", false),
            ("a b", false),
            ("a\"b", false),
            ("a,b", false),
        ] {
            let id = RequestId::new(Some(&said(value)));
            assert_eq!(id.as_str() == value, is_kept, "{value}");
        }
    }

    #[test]
    fn without_one_it_is_chance() {
        let (one, other) = (RequestId::new(None), RequestId::new(None));

        assert_eq!(one.as_str().len(), 32);
        assert_ne!(one.as_str(), other.as_str());
    }
}
