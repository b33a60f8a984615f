//! Fields as a rewriter is shown them, and the edits that it returns, checked.

use ::http::{HeaderName, HeaderValue};

use super::super::bindings::rewriter as contract;
use super::super::call_error::CallError;
use super::super::fields;
use crate::policy::{HeaderEdit, SHOWN_FIELDS};

/// Edits of one response.
const EDITS: usize = SHOWN_FIELDS;

/// A value as it is shown: one that is not UTF-8 byte for byte, as the characters U+0000 to U+00FF.
pub(super) fn text(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => value.iter().copied().map(char::from).collect(),
    }
}

/// A value that takes the place of `old`, in the bytes that [`text`] showed.
fn bytes(text: String, old: &[u8]) -> Vec<u8> {
    if std::str::from_utf8(old).is_ok() {
        return text.into_bytes();
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u8::try_from(character) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

pub(super) fn checked(
    edits: Vec<contract::Edit>,
    fields: &[(HeaderName, HeaderValue)],
) -> Result<Vec<HeaderEdit>, CallError> {
    if edits.len() > EDITS {
        return Err(CallError::answer(format_args!("at most {EDITS} edits"), edits.len()));
    }
    let find = |index: u32| {
        let field = usize::try_from(index).ok().and_then(|index| Some((index, fields.get(index)?)));
        let (index, (name, value)) = field
            .ok_or_else(|| CallError::answer(format_args!("the index of one of {} fields", fields.len()), index))?;
        fields::allowed(name)?;
        Ok((index, name, value))
    };
    edits
        .into_iter()
        .map(|edit| match edit {
            contract::Edit::Replace((index, text)) => {
                let (index, name, old) = find(index)?;
                Ok(HeaderEdit::Replace(index, fields::value(name, &bytes(text, old.as_bytes()))?))
            }
            contract::Edit::Remove(index) => Ok(HeaderEdit::Remove(find(index)?.0)),
            contract::Edit::Add((name, text)) => {
                let name = fields::name(&name)?;
                let value = fields::value(&name, text.as_bytes())?;
                Ok(HeaderEdit::Add(name, value))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_not_utf_8_come_back_byte_for_byte() {
        let table: [(&[u8], &str, &str, &[u8]); 4] = [
            (b"http://a/caf\xe9", "http://a/caf\u{e9}", "http://b/caf\u{e9}", b"http://b/caf\xe9"),
            (b"\xff\x80;\xc3\xa9", "\u{ff}\u{80};\u{c3}\u{a9}", "\u{c3}\u{a9}\u{20ac}", b"\xc3\xa9\xe2\x82\xac"),
            ("http://a/café".as_bytes(), "http://a/café", "http://b/café", "http://b/café".as_bytes()),
            (b"/a", "/a", "/b\u{e9}", "/b\u{e9}".as_bytes()),
        ];

        for (value, shown, answered, expected) in table {
            let field = (HeaderName::from_static("location"), HeaderValue::from_bytes(value).unwrap());
            let edit = contract::Edit::Replace((0, answered.to_owned()));

            assert_eq!(text(value), shown);
            let expected = HeaderEdit::Replace(0, HeaderValue::from_bytes(expected).unwrap());
            assert_eq!(checked(vec![edit], &[field]).unwrap(), [expected], "{shown}");
        }
    }

    #[test]
    fn edits_outside_the_contract_are_refused() {
        let fields = [
            (HeaderName::from_static("location"), HeaderValue::from_static("/a")),
            (HeaderName::from_static("content-length"), HeaderValue::from_static("3")),
        ];
        let refused = |edit| checked(vec![edit], &fields).is_err();

        assert!(refused(contract::Edit::Remove(2)), "no such field");
        assert!(refused(contract::Edit::Remove(1)), "framing, though it was shown");
        assert!(refused(contract::Edit::Replace((0, "/\r\nx: y".into()))), "two lines");
        assert!(refused(contract::Edit::Add(("Transfer-Encoding".into(), "chunked".into()))), "framing");
        assert!(!refused(contract::Edit::Replace((0, "/b".into()))));
        let many = std::iter::repeat_n(contract::Edit::Remove(0), EDITS + 1).collect();
        assert!(checked(many, &fields).is_err(), "too many");
    }
}
