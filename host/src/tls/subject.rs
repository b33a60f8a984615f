//! A client's certificate in words: its subject as text (RFC 4514), and its fingerprint.
//!
//! The certificate has been checked by then. What cannot be read in it all the same leaves the subject empty: nobody
//! takes an empty subject for somebody's.

use std::fmt::Write as _;

use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};

use crate::policy::CertificateText;
use crate::text::{hex, is_unseen};

/// Tags of DER (X.690 §8).
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const VERSION: u8 = 0xa0;

/// Types that have a short name (RFC 4514 §3), and two more as openssl has them; in DER, without tag and length.
const NAMES: [(&[u8], &str); 11] = [
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 9], "STREET"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID"),
    (&[0x55, 4, 5], "serialNumber"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1], "emailAddress"),
];

/// `certificate` in words.
#[must_use]
pub fn shown(certificate: &CertificateDer<'_>) -> CertificateText {
    CertificateText {
        subject: subject(certificate).unwrap_or_default(),
        fingerprint: hex(&Sha256::digest(certificate.as_ref())),
    }
}

fn subject(certificate: &[u8]) -> Option<String> {
    let certificate = Element::first(certificate)?.0.of(SEQUENCE)?;
    let mut fields = Element::first(certificate)?.0.of(SEQUENCE)?;
    let (first, rest) = Element::first(fields)?;
    if first.tag == VERSION {
        fields = rest;
    }
    // Serial number, signature, issuer and validity stand before it (RFC 5280 §4.1).
    for _ in 0..4 {
        fields = Element::first(fields)?.1;
    }
    name(Element::first(fields)?.0.of(SEQUENCE)?)
}

/// A name as text: the last part of it first.
fn name(mut parts: &[u8]) -> Option<String> {
    let mut texts = Vec::new();
    while !parts.is_empty() {
        let (part, rest) = Element::first(parts)?;
        texts.push(relative_name(part.of(SET)?)?);
        parts = rest;
    }
    texts.reverse();
    Some(texts.join(","))
}

fn relative_name(mut attributes: &[u8]) -> Option<String> {
    let mut texts = Vec::new();
    while !attributes.is_empty() {
        let (attribute, rest) = Element::first(attributes)?;
        let attribute = attribute.of(SEQUENCE)?;
        let (kind, value) = Element::first(attribute)?;
        let kind = kind.of(OBJECT_IDENTIFIER)?;
        let short = NAMES.iter().find(|(known, _)| *known == kind).map(|(_, name)| *name);
        texts.push(match (short, Element::first(value)?.0.text()) {
            (Some(short), Some(text)) => format!("{short}={}", escaped(&text)),
            (Some(short), None) => format!("{short}=#{}", hex(value)),
            (None, _) => format!("{}=#{}", dotted(kind), hex(value)),
        });
        attributes = rest;
    }
    Some(texts.join("+"))
}

/// What must not stand as it is in a value (RFC 4514 §2.4), and what cannot be seen.
fn escaped(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(text.len());
    for (place, c) in text.chars().enumerate() {
        let at_edge = (place == 0 && [' ', '#'].contains(&c)) || (place == last && c == ' ');
        if at_edge || ['"', '+', ',', ';', '<', '>', '\\', '='].contains(&c) {
            out.push('\\');
            out.push(c);
        } else if is_unseen(c) {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\{byte:02x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// An object identifier with dots (X.690 §8.19).
fn dotted(der: &[u8]) -> String {
    let (mut out, mut number, mut is_first) = (String::new(), 0_u128, true);
    for byte in der {
        number = (number << 7) | u128::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if is_first {
            let root = (number / 40).min(2);
            let _ = write!(out, "{root}.{}", number - root * 40);
            is_first = false;
        } else {
            let _ = write!(out, ".{number}");
        }
        number = 0;
    }
    out
}

/// One element of DER.
#[derive(Clone, Copy)]
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
}

impl<'a> Element<'a> {
    /// The element at the beginning of `der`, and what stands behind it.
    fn first(der: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&[tag, length], rest) = der.split_first_chunk()?;
        let (length, rest) = if length < 0x80 {
            (usize::from(length), rest)
        } else {
            let digits = usize::from(length & 0x7f);
            let (long, rest) = rest.split_at_checked(digits).filter(|_| (1..=4).contains(&digits))?;
            (long.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte)), rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        Some((Self { tag, content }, rest))
    }

    /// Its content, if it is of this kind.
    fn of(self, tag: u8) -> Option<&'a [u8]> {
        (self.tag == tag).then_some(self.content)
    }

    /// A string of whichever kind.
    fn text(self) -> Option<String> {
        match self.tag {
            // UTF8String, NumericString, PrintableString, IA5String.
            0x0c | 0x12 | 0x13 | 0x16 => std::str::from_utf8(self.content).ok().map(str::to_owned),
            // TeletexString, in which everybody writes Latin-1.
            0x14 => Some(self.content.iter().copied().map(char::from).collect()),
            // BMPString.
            0x1e => {
                let (units, odd) = self.content.as_chunks::<2>();
                let units: Vec<_> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
                String::from_utf16(&units).ok().filter(|_| odd.is_empty())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, CustomExtension, DistinguishedName, DnType, KeyPair};

    use super::*;

    fn of(parts: &[(DnType, &str)]) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in parts {
            params.distinguished_name.push(kind.clone(), *value);
        }
        params.custom_extensions = vec![CustomExtension::from_oid_content(&[1, 2, 3], vec![5, 0])];
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    #[test]
    fn a_subject_is_text_with_its_last_part_first() {
        let parts = [
            (DnType::CountryName, "DE"),
            (DnType::OrganizationName, "Caf\u{e9}, Inc."),
            (DnType::CommonName, " #a+b=\"c\\<d>;\u{1b} "),
        ];
        let expected = "CN=\\ #a\\+b\\=\\\"c\\\\\\<d\\>\\;\\1b\\ ,O=Caf\u{e9}\\, Inc.,C=DE";

        assert_eq!(shown(&of(&parts)).subject, expected);
        assert_eq!(shown(&of(&[])).subject, "");
        let other = DnType::CustomDnType(vec![2, 999, 3]);
        assert_eq!(shown(&of(&[(other, "x")])).subject, "2.999.3=#0c0178");
    }

    #[test]
    fn a_fingerprint_is_the_digest_of_the_whole() {
        let certificate = of(&[(DnType::CommonName, "a")]);
        let fingerprint = shown(&certificate).fingerprint;

        assert_eq!(fingerprint, hex(&Sha256::digest(certificate.as_ref())));
        assert_eq!(fingerprint.len(), 64);
    }

    #[test]
    fn what_is_cut_off_or_no_certificate_has_no_subject() {
        let certificate = of(&[(DnType::CommonName, "alice")]);
        for length in 0..certificate.len() {
            let cut = CertificateDer::from(certificate[..length].to_vec());
            assert_eq!(shown(&cut).subject, "", "{length} bytes of {}", certificate.len());
        }
        for bytes in [&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..], &[0x30, 0x80, 0], &[0x30, 0x89, 1], &[0xff; 64]] {
            assert_eq!(shown(&CertificateDer::from(bytes)).subject, "");
        }
    }
}
