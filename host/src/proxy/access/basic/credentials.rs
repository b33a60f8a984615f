//! Name and password of an `Authorization` field (RFC 7617).

use std::fmt;

use ::http::HeaderMap;
use ::http::header::AUTHORIZATION;
use data_encoding::{BASE64, BASE64_NOPAD};

/// Most bytes of name and password together. Some functions take a time for every byte of a password, for every round.
const MOST_BYTES: usize = 1024;

/// Name and password. Shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    bytes: Vec<u8>,
    /// Where the colon is.
    colon: usize,
}

/// Why a request has no credentials that are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CredentialsFault {
    /// It shows none, or those of another scheme.
    #[error("no name and password")]
    Missing,
    /// They cannot be read, or in more than one way.
    #[error("no readable name and password")]
    Unreadable,
}

impl Credentials {
    /// Reads those of a request.
    ///
    /// # Errors
    /// [`CredentialsFault`]
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, CredentialsFault> {
        use CredentialsFault::{Missing, Unreadable};
        let mut fields = headers.get_all(AUTHORIZATION).iter();
        let Some(field) = fields.next() else { return Err(Missing) };
        // Whoever is behind might read another one than is read here.
        if fields.next().is_some() {
            return Err(Unreadable);
        }
        let field = field.as_bytes().trim_ascii();
        let end = field.iter().position(|byte| *byte == b' ').unwrap_or(field.len());
        let (scheme, rest) = field.split_at_checked(end).ok_or(Unreadable)?;
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return Err(Missing);
        }
        let written = rest.trim_ascii();
        // Four characters for three bytes.
        if written.len() > MOST_BYTES.div_ceil(3) * 4 {
            return Err(Unreadable);
        }
        // Some clients leave the padding out, which is Apache the same.
        let bytes = BASE64.decode(written).or_else(|_| BASE64_NOPAD.decode(written)).map_err(|_| Unreadable)?;
        let colon = bytes.iter().position(|byte| *byte == b':').ok_or(Unreadable)?;
        // RFC 7617 §2: no control characters. To Apache a NUL is the end, and what follows counts for nothing.
        if bytes.len() > MOST_BYTES || bytes.iter().any(|byte| byte.is_ascii_control()) {
            return Err(Unreadable);
        }
        Ok(Self { bytes, colon })
    }

    /// The name, without a colon.
    pub(super) fn name(&self) -> &[u8] {
        self.bytes.get(..self.colon).unwrap_or_default()
    }

    /// The password.
    pub(super) fn password(&self) -> &[u8] {
        self.bytes.get(self.colon.saturating_add(1)..).unwrap_or_default()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;

    use super::*;

    fn of(fields: &[&[u8]]) -> Result<Credentials, CredentialsFault> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(field).unwrap());
        }
        Credentials::of(&headers)
    }

    #[test]
    fn name_and_password_part_at_the_first_colon() {
        for (field, name, password) in [
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"),
            ("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"),
            ("BASIC   QWxhZGRpbjpvcGVuIHNlc2FtZQ==  ", "Aladdin", "open sesame"),
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ", "Aladdin", "open sesame"),
            ("Basic dGVzdDoxMjPCow==", "test", "123£"),
            ("Basic YTpiOmM6", "a", "b:c:"),
            ("Basic Og==", "", ""),
        ] {
            let read = of(&[field.as_bytes()]).unwrap();

            assert_eq!((read.name(), read.password()), (name.as_bytes(), password.as_bytes()), "{field}");
        }
    }

    #[test]
    fn what_is_not_there_and_what_cannot_be_read_are_told_apart() {
        use CredentialsFault::{Missing, Unreadable};
        let with = |bytes: &[u8]| format!("Basic {}", BASE64.encode(bytes)).into_bytes();
        let table: [(&[&[u8]], CredentialsFault); 12] = [
            (&[], Missing),
            (&[b"Bearer abc"], Missing),
            (&[b"Basically YTpi"], Missing),
            (&[b""], Missing),
            (&[b"Basic"], Unreadable),
            (&[b"Basic YTpi YTpi"], Unreadable),
            (&[b"Basic YTpi", b"Basic YTpi"], Unreadable),
            (&[b"Bearer abc", b"Basic YTpi"], Unreadable),
            (&[b"Basic YTpi, Basic YTpi"], Unreadable),
            (&[&with(b"no colon")], Unreadable),
            (&[&with(b"a:b\0c")], Unreadable),
            (&[&with(&[b"a:".as_slice(), &[b'x'; MOST_BYTES]].concat())], Unreadable),
        ];
        for (fields, fault) in table {
            assert_eq!(of(fields).unwrap_err(), fault, "{fields:?}");
        }
        assert!(of(&[&with(&[b"a:".as_slice(), &[b'x'; MOST_BYTES - 2]].concat())]).is_ok());
    }
}
