//! What a decider does beside deciding: edits of the heads of request and response, and notes.

use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use parking_lot::Mutex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::wire;

/// Notes of one call, from the contract.
pub const NOTES_OF_A_CALL: usize = 8;

/// Bytes of the key of a note, and of its value; from the contract.
pub const NOTE_BYTES: usize = 256;

/// Notes of one exchange; from the contract. A balancer is asked anew for every attempt, so that calls alone are no
/// bound.
const NOTES: usize = 256;

/// One change of a head, already checked: no hop-by-hop, framing or handshake field, and not `Host`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadEdit {
    /// This is the only field of its name.
    Set(#[serde(with = "wire::text")] HeaderName, #[serde(with = "wire::bytes")] HeaderValue),
    /// One more field.
    Append(#[serde(with = "wire::text")] HeaderName, #[serde(with = "wire::bytes")] HeaderValue),
    /// No field has this name.
    Remove(#[serde(with = "wire::text")] HeaderName),
}

impl HeadEdit {
    /// The field that it is about.
    #[must_use]
    pub fn name(&self) -> &HeaderName {
        match self {
            Self::Set(name, _) | Self::Append(name, _) | Self::Remove(name) => name,
        }
    }

    /// Carries it out.
    pub fn apply(self, headers: &mut HeaderMap) {
        match self {
            Self::Set(name, value) => drop(headers.insert(name, value)),
            Self::Append(name, value) => drop(headers.append(name, value)),
            Self::Remove(name) => drop(headers.remove(name)),
        }
    }
}

/// A word that a decider leaves about an exchange: for deciders that come later, the access line, and records of
/// decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What it is about, 1 to [`NOTE_BYTES`] bytes.
    pub key: String,
    /// At most [`NOTE_BYTES`] bytes.
    pub value: String,
}

/// Whose head an edit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadSide {
    /// What goes to the endpoint, and what deciders that come later see of the request.
    Request,
    /// What goes to the client.
    Response,
}

/// What there is, where there is something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct EffectLists {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    request: Vec<HeadEdit>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    response: Vec<HeadEdit>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Note>,
}

/// What one call did beside deciding. Nearly always nothing, which costs no more than a null pointer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Effects(Option<Box<EffectLists>>);

impl Effects {
    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// One more edit, behind those before it.
    pub fn edit(&mut self, side: HeadSide, edit: HeadEdit) {
        let lists = self.0.get_or_insert_default();
        match side {
            HeadSide::Request => lists.request.push(edit),
            HeadSide::Response => lists.response.push(edit),
        }
    }

    /// A note, in the place of an earlier one with its key.
    pub fn note(&mut self, note: Note) {
        write_note(&mut self.0.get_or_insert_default().notes, note);
    }

    /// Edits of the request, in their order.
    #[must_use]
    pub fn request(&self) -> &[HeadEdit] {
        self.0.as_deref().map_or(&[], |lists| &lists.request)
    }

    /// Edits of the response, in their order.
    #[must_use]
    pub fn response(&self) -> &[HeadEdit] {
        self.0.as_deref().map_or(&[], |lists| &lists.response)
    }

    /// Notes, in the order of their keys' first appearance.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        self.0.as_deref().map_or(&[], |lists| &lists.notes)
    }

    /// Takes the edits of the request out.
    #[must_use]
    pub fn take_request(&mut self) -> Vec<HeadEdit> {
        self.0.as_deref_mut().map(|lists| std::mem::take(&mut lists.request)).unwrap_or_default()
    }
}

/// What the deciders of one exchange have done so far beside deciding: notes, and edits that wait for the response. An
/// exchange under way shares it with its record; none where no decider does anything of the kind.
///
/// A clone stands for itself: what is done to it is not done to the exchange, so that whoever tries a decision out with
/// a clone of its facts changes nothing.
#[derive(Default)]
pub struct ExchangeEffects(Option<Arc<Mutex<EffectLists>>>);

impl ExchangeEffects {
    /// Ready to take some, also from those who have the facts but shared.
    #[must_use]
    pub fn ready() -> Self {
        Self(Some(Arc::default()))
    }

    /// Whether those who have the facts but shared may add to it.
    #[must_use]
    #[inline]
    pub fn is_ready(&self) -> bool {
        self.0.is_some()
    }

    /// Adds what a decider did. Edits of a request are no part of this: whoever has the request's head carries them
    /// out at once.
    pub fn add(&mut self, effects: Effects) {
        if !effects.is_empty() {
            self.0.get_or_insert_default();
            self.add_shared(effects);
        }
    }

    /// As [`Self::add`], for those who have the facts but shared; nothing happens unless it is [`ready`](Self::ready).
    pub fn add_shared(&self, effects: Effects) {
        let (Some(lists), Some(more)) = (&self.0, effects.0) else { return };
        let mut lists = lists.lock();
        lists.response.extend(more.response);
        for note in more.notes {
            if lists.notes.len() < NOTES || lists.notes.iter().any(|there| there.key == note.key) {
                write_note(&mut lists.notes, note);
            }
        }
    }

    /// The same, and not a copy of it.
    #[must_use]
    pub fn share(&self) -> Self {
        Self(self.0.clone())
    }

    /// What was last noted under `key`.
    #[must_use]
    pub fn noted(&self, key: &str) -> Option<String> {
        let lists = self.0.as_ref()?.lock();
        lists.notes.iter().find(|note| note.key == key).map(|note| note.value.clone())
    }

    /// All notes so far.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        self.0.as_ref().map(|lists| lists.lock().notes.clone()).unwrap_or_default()
    }

    /// Carries the edits of the response out.
    pub fn apply_to_response(&self, headers: &mut HeaderMap) {
        let Some(lists) = &self.0 else { return };
        let edits = std::mem::take(&mut lists.lock().response);
        for edit in edits {
            edit.apply(headers);
        }
    }

    /// Whether there is nothing so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lists().is_none_or(|lists| lists == EffectLists::default())
    }

    fn lists(&self) -> Option<EffectLists> {
        self.0.as_ref().map(|lists| lists.lock().clone())
    }
}

impl Clone for ExchangeEffects {
    fn clone(&self) -> Self {
        Self(self.lists().map(|lists| Arc::new(Mutex::new(lists))))
    }
}

impl std::fmt::Debug for ExchangeEffects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.lists().fmt(f)
    }
}

impl PartialEq for ExchangeEffects {
    fn eq(&self, other: &Self) -> bool {
        self.lists().unwrap_or_default() == other.lists().unwrap_or_default()
    }
}

impl Serialize for ExchangeEffects {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.lists().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ExchangeEffects {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let lists = Option::<EffectLists>::deserialize(deserializer)?;
        Ok(Self(lists.map(|lists| Arc::new(Mutex::new(lists)))))
    }
}

fn write_note(notes: &mut Vec<Note>, note: Note) {
    match notes.iter_mut().find(|there| there.key == note.key) {
        Some(there) => there.value = note.value,
        None => notes.push(note),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(key: &str, value: &str) -> Note {
        Note { key: key.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn nothing_costs_a_pointer() {
        assert_eq!(size_of::<Effects>(), size_of::<usize>());
        assert_eq!(size_of::<ExchangeEffects>(), size_of::<usize>());
    }

    #[test]
    fn the_latest_note_of_a_key_counts_and_a_clone_stands_for_itself() {
        let mut exchange = ExchangeEffects::default();
        let mut effects = Effects::default();
        effects.note(note("tenant", "a"));
        effects.note(note("tenant", "b"));
        exchange.add(effects);

        let tried = exchange.clone();
        let mut of_a_trial = Effects::default();
        of_a_trial.note(note("tenant", "c"));
        tried.add_shared(of_a_trial);

        assert_eq!(exchange.noted("tenant").as_deref(), Some("b"));
        assert_eq!(tried.noted("tenant").as_deref(), Some("c"));
        assert_eq!(exchange.share().notes(), [note("tenant", "b")]);
    }

    #[test]
    fn notes_of_an_exchange_are_bounded_and_known_keys_go_on() {
        let exchange = ExchangeEffects::ready();
        for number in 0..2 * NOTES {
            let mut effects = Effects::default();
            effects.note(note(&number.to_string(), "1"));
            exchange.add_shared(effects);
        }
        let mut effects = Effects::default();
        effects.note(note("0", "2"));
        exchange.add_shared(effects);

        assert_eq!(exchange.notes().len(), NOTES);
        assert_eq!(exchange.noted("0").as_deref(), Some("2"));
    }

    #[test]
    fn edits_wait_for_the_response_and_are_carried_out_in_order_and_once() {
        let mut exchange = ExchangeEffects::default();
        let mut effects = Effects::default();
        let (name, value) = (HeaderName::from_static("set-cookie"), HeaderValue::from_static);
        effects.edit(HeadSide::Response, HeadEdit::Remove(name.clone()));
        effects.edit(HeadSide::Response, HeadEdit::Append(name.clone(), value("a=1")));
        effects.edit(HeadSide::Response, HeadEdit::Append(name.clone(), value("b=2")));
        exchange.add(effects);
        let mut headers = HeaderMap::new();
        headers.append(&name, value("inner=1"));

        exchange.apply_to_response(&mut headers);
        exchange.apply_to_response(&mut headers);

        assert_eq!(headers.get_all(&name).iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    }
}
