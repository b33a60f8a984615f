//! By what a gateway knows that a request has come through it before.
//!
//! CDN-Loop (RFC 8586) and not Via: of Via every server may make something, and common ones do – they no longer
//! compress.

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

use ::http::{HeaderMap, HeaderValue};

use super::Fields;
use super::list::{is_there, list};
use crate::net::CDN_LOOP;

/// How often a request may come through one gateway: a route may lead to another route of the same gateway, and that to
/// a third.
const MOST_PASSES: usize = 5;

static FIELD: ::http::HeaderName = CDN_LOOP;

/// The name of this gateway in the requests that it sends: chance, new with each start. It says nothing about what runs
/// here, and who makes it up again gets nothing but an error.
#[derive(Clone, Debug)]
pub struct Pseudonym(HeaderValue);

impl Pseudonym {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        // Keyed by the system, and hashed: no other gateway has it by chance.
        let chance = RandomState::new().build_hasher().finish();
        let value = HeaderValue::try_from(format!("{chance:016x}"));
        Self(value.unwrap_or(HeaderValue::from_static("tidegate")))
    }

    /// Whether a request with these fields has come through here as often as it may.
    #[must_use]
    pub fn is_looping(&self, headers: &HeaderMap) -> bool {
        if !is_there(headers, &FIELD) {
            return false;
        }
        // Parameters may follow the name (RFC 8586 §2).
        let names = list(headers, &FIELD).filter_map(|entry| entry.split(|byte| *byte == b';').next());
        names.filter(|name| name.trim_ascii() == self.0.as_bytes()).nth(MOST_PASSES - 1).is_some()
    }

    /// Says in a request that it has come through here. The last thing that is done to its fields.
    pub fn sign<'a>(&'a self, fields: &mut Fields<'a>) {
        fields.push(Cow::Borrowed(&FIELD), Cow::Borrowed(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(values: &[String]) -> HeaderMap {
        values.iter().map(|value| (CDN_LOOP, value.parse().unwrap())).collect()
    }

    #[test]
    fn passes_are_counted_however_they_are_written() {
        let ours = Pseudonym::random();
        let name = ours.0.to_str().unwrap();
        let lines = |count| vec![name.to_owned(); count];

        for (values, expected) in [
            (vec![], false),
            (lines(4), false),
            (lines(5), true),
            (vec![lines(5).join(", ")], true),
            (vec![lines(3).join(","), format!("other.example, {name} ; hop=4,{name};x")], true),
            (vec![format!("{name}0, x{name}, {}", lines(4).join(","))], false),
            (vec!["other.example".to_owned(); 50], false),
            (vec![",;,".repeat(1000)], false),
        ] {
            assert_eq!(ours.is_looping(&fields(&values)), expected, "{values:?}");
        }
    }

    #[test]
    fn a_request_is_signed_behind_what_others_have_said() {
        let (ours, others) = (Pseudonym::random(), Pseudonym::random());
        let before = fields(&["a.example".to_owned()]);
        let mut sent = Fields::end_to_end(&before);

        ours.sign(&mut sent);

        let name = ours.0.to_str().unwrap();
        let sent: Vec<_> = sent.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        assert_eq!(sent, ["cdn-loop: a.example".to_owned(), format!("cdn-loop: {name}")]);
        assert_ne!(ours.0, others.0);
    }
}
