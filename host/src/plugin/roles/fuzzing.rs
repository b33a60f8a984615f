//! Made-up results of plugins for the checks of results, for fuzzing.

use ::http::{HeaderName, HeaderValue};

use super::super::bindings::{rewriter as rewriting, router as routing};
use super::{decision, header_edits};
use crate::policy::HeaderEdit;

/// Puts `text` and `number` wherever a result has text and numbers, and panics if a check lets through what would
/// break a request line or a head. `reserved` says which fields are the gateway's own: the caller knows that,
/// plugins do not.
pub fn try_answers(text: &str, number: u32, reserved: impl Fn(&HeaderName) -> bool) {
    if decision::checked_path(text).is_ok() {
        let ends = text.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'#');
        assert!(text.starts_with('/') && !ends, "a path that is none was accepted: {text:?}");
    }
    let headers = vec![(text.to_owned(), text.to_owned()), ("x-a".to_owned(), text.to_owned())];
    let response = routing::Response { status: number, headers, body: text.as_bytes().to_vec() };
    if let Ok(response) = decision::checked_response(response) {
        assert!((200..600).contains(&response.status.as_u16()));
        response.headers.values().for_each(assert_one_line);
    }
    let fields = [(HeaderName::from_static("location"), HeaderValue::from_static("/"))];
    let edits = vec![
        rewriting::Edit::Replace((number, text.to_owned())),
        rewriting::Edit::Remove(number),
        rewriting::Edit::Add((text.to_owned(), text.to_owned())),
    ];
    for edit in edits {
        match header_edits::checked(vec![edit], &fields) {
            Ok(edits) => edits.iter().for_each(|edit| assert_harmless(edit, &reserved)),
            Err(_refused) => {}
        }
    }
}

fn assert_harmless(edit: &HeaderEdit, reserved: impl Fn(&HeaderName) -> bool) {
    match edit {
        HeaderEdit::Replace(index, value) => {
            assert_eq!(*index, 0);
            assert_one_line(value);
        }
        HeaderEdit::Remove(index) => assert_eq!(*index, 0),
        HeaderEdit::Add(name, value) => {
            assert!(!reserved(name), "{name} is the gateway's own");
            assert_one_line(value);
        }
    }
}

fn assert_one_line(value: &HeaderValue) {
    assert!(!value.as_bytes().iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "{value:?}");
}
