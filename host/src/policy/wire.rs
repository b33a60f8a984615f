//! Types of HTTP in the form of [`Recording`](super::Recording): text where they have one, bytes where they may be
//! anything.
//!
//! Bytes are written as text of the characters U+0000 to U+00FF, one for each byte (the isomorphic encoding of the
//! WHATWG's Infra Standard §4.6): every value comes back as it was, UTF-8 or not, and one of plain ASCII reads as it
//! is.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is written and read as text.
pub(super) mod text {
    use super::*;

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A name that may be missing.
pub(super) mod name {
    use super::*;

    #[expect(clippy::ref_option, reason = "what serde calls")]
    pub(crate) fn serialize<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(T::to_string).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: for<'a> TryFrom<&'a str, Error: Display>,
        D: Deserializer<'de>,
    {
        let name = Option::<String>::deserialize(deserializer)?;
        name.as_deref().map(T::try_from).transpose().map_err(D::Error::custom)
    }
}

/// What is shared and may be missing.
pub(super) mod shared {
    use std::sync::Arc;

    use super::*;

    #[expect(clippy::ref_option, reason = "what serde calls")]
    pub(crate) fn serialize<T: Serialize, S: Serializer>(
        value: &Option<Arc<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_deref().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Arc<T>>, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map(Arc::new))
    }
}

/// A status code.
pub(super) mod status {
    use ::http::StatusCode;

    use super::*;

    pub(crate) fn serialize<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
        status.as_u16().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StatusCode, D::Error> {
        StatusCode::from_u16(u16::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A body, or the value of a field.
pub(super) mod bytes {
    use super::*;

    pub(crate) fn serialize<T: AsRef<[u8]>, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&encode(value.as_ref()))
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: TryFrom<Vec<u8>, Error: Display>,
        D: Deserializer<'de>,
    {
        decode(&String::deserialize(deserializer)?)?.try_into().map_err(D::Error::custom)
    }

    pub(super) fn encode(bytes: &[u8]) -> String {
        bytes.iter().copied().map(char::from).collect()
    }

    pub(super) fn decode<E: Error>(text: &str) -> Result<Vec<u8>, E> {
        let byte = |character| u8::try_from(character).map_err(|_| E::custom("expected characters up to U+00FF"));
        text.chars().map(byte).collect()
    }
}

/// Header fields: pairs of name and value, in the order that the map has them.
pub(super) mod headers {
    use std::borrow::Borrow;

    use ::http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    pub(crate) fn serialize<H: Borrow<HeaderMap>, S: Serializer>(map: &H, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_seq(map.borrow().iter().map(|(name, value)| (name.as_str(), bytes::encode(value.as_bytes()))))
    }

    pub(crate) fn deserialize<'de, H: From<HeaderMap>, D: Deserializer<'de>>(deserializer: D) -> Result<H, D::Error> {
        let mut map = HeaderMap::new();
        for (name, value) in Vec::<(String, String)>::deserialize(deserializer)? {
            let name: HeaderName = name.parse().map_err(D::Error::custom)?;
            map.append(name, HeaderValue::try_from(bytes::decode(&value)?).map_err(D::Error::custom)?);
        }
        Ok(map.into())
    }
}
