//! What a plugin may do beside deciding: `edits` of heads, and `notes` about the exchange.
//!
//! Each call is checked at once and kept in [`HostState`]; the role takes what was kept when the call has ended well.

use super::bindings::{edits, notes};
use super::call_error::RefusedArgument;
use super::fields;
use super::host_state::{EffectScope, HostState};
use super::text::printable;
use crate::policy::{HeadEdit, HeadSide, NOTE_BYTES, NOTES_OF_A_CALL, Note};

/// Edits of one call; from the contract.
const EDITS: usize = 64;

/// Bytes of their names and values, all together; from the contract.
const EDIT_BYTES: usize = 64 << 10;

impl edits::Host for HostState {
    fn set(&mut self, side: edits::Side, name: String, value: String) -> wasmtime::Result<()> {
        self.edit("set", side, &name, Some(&value), HeadEdit::Set)
    }

    fn append(&mut self, side: edits::Side, name: String, value: String) -> wasmtime::Result<()> {
        self.edit("append", side, &name, Some(&value), HeadEdit::Append)
    }

    fn remove(&mut self, side: edits::Side, name: String) -> wasmtime::Result<()> {
        self.edit("remove", side, &name, None, |name, _| HeadEdit::Remove(name))
    }
}

impl HostState {
    fn edit(
        &mut self,
        function: &str,
        side: edits::Side,
        name: &str,
        value: Option<&str>,
        make: fn(::http::HeaderName, ::http::HeaderValue) -> HeadEdit,
    ) -> wasmtime::Result<()> {
        if self.scope < EffectScope::Edits {
            return Err(RefusedArgument::new(format_args!("`{function}` within `route`"), "it called elsewhere").into());
        }
        let name = fields::name(name).map_err(|wrong| RefusedArgument::of(function, &wrong))?;
        let value = fields::value(&name, value.unwrap_or_default().as_bytes());
        let value = value.map_err(|wrong| RefusedArgument::of(function, &wrong))?;
        let edit = make(name, value);
        let before = || self.effects.request().iter().chain(self.effects.response());
        let count = before().count() + 1;
        if count > EDITS {
            let expected = format_args!("at most {EDITS} edits in a call");
            return Err(RefusedArgument::new(expected, format_args!("one more by `{function}`")).into());
        }
        let bytes = before().map(size).sum::<usize>() + size(&edit);
        if bytes > EDIT_BYTES {
            let expected = format_args!("edits of at most {EDIT_BYTES} bytes in a call");
            return Err(RefusedArgument::new(expected, format_args!("{bytes} with `{function}`")).into());
        }
        self.effects.edit(side.into(), edit);
        Ok(())
    }
}

/// Bytes of a name and a value.
fn size(edit: &HeadEdit) -> usize {
    let value = match edit {
        HeadEdit::Set(_, value) | HeadEdit::Append(_, value) => value.len(),
        HeadEdit::Remove(_) => 0,
    };
    edit.name().as_str().len() + value
}

impl From<edits::Side> for HeadSide {
    fn from(side: edits::Side) -> Self {
        match side {
            edits::Side::Request => Self::Request,
            edits::Side::Response => Self::Response,
        }
    }
}

impl notes::Host for HostState {
    fn note(&mut self, key: String, value: String) -> wasmtime::Result<()> {
        if self.scope < EffectScope::Notes {
            return Err(RefusedArgument::new(
                "`note` within `route`, `pick`, `choose` or `rewrite`",
                "it called elsewhere",
            )
            .into());
        }
        if key.is_empty() || key.len() > NOTE_BYTES {
            let expected = format_args!("of `note` a key of 1 to {NOTE_BYTES} bytes");
            return Err(RefusedArgument::new(expected, key.len()).into());
        }
        if value.len() > NOTE_BYTES {
            let expected = format_args!("of `note` a value of at most {NOTE_BYTES} bytes under `{}`", printable(&key));
            return Err(RefusedArgument::new(expected, value.len()).into());
        }
        let notes = self.effects.notes();
        if notes.len() >= NOTES_OF_A_CALL && notes.iter().all(|note| note.key != key) {
            let expected = format_args!("of `note` at most {NOTES_OF_A_CALL} keys in a call");
            return Err(RefusedArgument::new(expected, format_args!("one more, `{}`", printable(&key))).into());
        }
        // Who reads notes does not know whose secrets may be in them.
        let [key, value] = [key, value].map(|text| self.shared.masks.mask(&text).into_owned());
        self.effects.note(Note { key, value });
        Ok(())
    }

    fn noted(&mut self, key: String) -> Option<String> {
        let mine = self.effects.notes().iter().find(|note| note.key == key).map(|note| note.value.clone());
        mine.or_else(|| self.request.as_ref()?.effects.noted(&key))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::limits::MemoryMeter;
    use super::super::role::RoleName;
    use super::super::shared::PluginShared;
    use super::*;
    use crate::clock::Clock;

    fn state(scope: EffectScope) -> HostState {
        let shared = Arc::new(PluginShared::new("guest".into(), Clock::System));
        let mut state = HostState::new(shared, RoleName::new("router"), MemoryMeter::new(0, 0));
        state.begin_effects(scope);
        state
    }

    fn set(state: &mut HostState, name: &str, value: &str) -> Result<(), String> {
        edits::Host::set(state, edits::Side::Request, name.to_owned(), value.to_owned()).map_err(|one| one.to_string())
    }

    fn note(state: &mut HostState, key: &str, value: &str) -> Result<(), String> {
        notes::Host::note(state, key.to_owned(), value.to_owned()).map_err(|one| one.to_string())
    }

    #[test]
    fn an_edit_of_what_is_the_gateways_own_is_refused_with_its_name() {
        let mut state = state(EffectScope::Edits);

        for name in ["Host", "content-length", "Transfer-Encoding", "connection", "upgrade", "te", "cdn-loop"] {
            let refused = set(&mut state, name, "1").unwrap_err();
            assert!(
                refused.starts_with("expected of `set` no hop-by-hop, framing or handshake field, found"),
                "{refused}"
            );
            assert!(refused.contains(&name.to_ascii_lowercase()), "{refused}");
        }
        assert!(
            set(&mut state, "x y", "1")
                .unwrap_err()
                .contains("expected of `set` a header name (RFC 9110 §5.1), found `x y`")
        );
        assert!(set(&mut state, "", "1").is_err(), "no name");
        assert!(set(&mut state, "x-a", "1\r\nx-b: 2").unwrap_err().contains("without control characters"));
        assert!(state.take_effects().is_empty(), "nothing of it was kept");
    }

    #[test]
    fn edits_of_a_call_are_limited_in_number_and_size() {
        let mut many = state(EffectScope::Edits);
        for _ in 0..EDITS {
            set(&mut many, "x-a", "1").unwrap();
        }
        let mut large = state(EffectScope::Edits);
        set(&mut large, "x-a", &"1".repeat(EDIT_BYTES - 3)).unwrap();

        let one_more = edits::Host::remove(&mut many, edits::Side::Response, "x-a".to_owned()).unwrap_err();
        assert_eq!(one_more.to_string(), "expected at most 64 edits in a call, found one more by `remove`");
        let larger = set(&mut large, "x", "1").unwrap_err();
        assert_eq!(larger, "expected edits of at most 65536 bytes in a call, found 65538 with `set`");
    }

    #[test]
    fn a_note_too_long_and_one_too_many_are_refused() {
        let mut state = state(EffectScope::Notes);
        let long = "x".repeat(NOTE_BYTES + 1);

        let refused = note(&mut state, &long, "1").unwrap_err();
        assert_eq!(refused, "expected of `note` a key of 1 to 256 bytes, found 257");
        assert_eq!(note(&mut state, "", "1").unwrap_err(), "expected of `note` a key of 1 to 256 bytes, found 0");
        let refused = note(&mut state, "a", &long).unwrap_err();
        assert_eq!(refused, "expected of `note` a value of at most 256 bytes under `a`, found 257");
        for key in 0..NOTES_OF_A_CALL {
            note(&mut state, &key.to_string(), &long[1..]).unwrap();
        }
        let refused = note(&mut state, "one more", "1").unwrap_err();
        assert_eq!(refused, "expected of `note` at most 8 keys in a call, found one more, `one more`");
        note(&mut state, "0", "again").unwrap();
        assert_eq!(notes::Host::noted(&mut state, "0".to_owned()).as_deref(), Some("again"));
    }

    #[test]
    fn what_is_done_in_the_wrong_place_is_refused() {
        let mut outside = state(EffectScope::None);
        let mut pick = state(EffectScope::Notes);

        assert!(
            set(&mut pick, "x-a", "1")
                .unwrap_err()
                .contains("expected `set` within `route`, found it called elsewhere")
        );
        assert!(
            note(&mut outside, "a", "1")
                .unwrap_err()
                .contains("expected `note` within `route`, `pick`, `choose` or `rewrite`")
        );
        assert!(note(&mut pick, "a", "1").is_ok());
        assert_eq!(notes::Host::noted(&mut outside, "a".to_owned()), None);
    }

    #[test]
    fn what_a_trial_did_is_gone_when_the_next_call_begins() {
        let mut state = state(EffectScope::Edits);
        set(&mut state, "x-a", "1").unwrap();

        state.begin_effects(EffectScope::Edits);

        assert!(state.take_effects().is_empty());
    }
}
