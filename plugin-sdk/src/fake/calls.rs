//! What the functions of the gateway do natively.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use super::Edited;
use super::bucket::Bucket;
use crate::RequestLine;
use crate::columns::Metric;
use crate::edits::Side;
use crate::log::Level;
use crate::request::Shown;

/// As in a gateway.
const MOST_COUNTERS: usize = 1024;
const LONGEST_KEY: usize = 256;
const LONGEST_NOTE: usize = 256;
const MOST_SERIES: usize = 64;
const LONGEST_LABEL: usize = 128;
const LONGEST_NAME: usize = 64;

/// What one thread's plugin sees and did.
pub(super) struct State {
    pub(super) now: f64,
    pub(super) wall: f64,
    pub(super) chances: VecDeque<f64>,
    pub(super) buckets: BTreeMap<String, Bucket>,
    pub(super) counts: BTreeMap<(String, String), f64>,
    pub(super) levels: BTreeMap<(String, String), f64>,
    pub(super) observed: BTreeMap<(String, String), Vec<f64>>,
    pub(super) columns: Vec<(Metric, Vec<f64>)>,
    pub(super) signals: BTreeMap<String, Vec<f64>>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) client: Option<String>,
    pub(super) sni: Option<String>,
    pub(super) line: Option<RequestLine>,
    pub(super) listener: Option<String>,
    pub(super) certificate: Option<Shown>,
    pub(super) table: BTreeMap<String, String>,
    pub(super) fields: BTreeMap<String, String>,
    pub(super) blocks: Vec<u32>,
    pub(super) first: Vec<u8>,
    pub(super) counters: BTreeMap<String, f64>,
    pub(super) lines: Vec<(Level, String)>,
    pub(super) edits: Vec<Edited>,
    pub(super) notes: BTreeMap<String, String>,
}

impl State {
    /// Whether a gateway would have room for a series that is not known yet.
    fn has_room(&self, label: &str) -> bool {
        label.len() <= LONGEST_LABEL && self.counts.len() + self.levels.len() + self.observed.len() < MOST_SERIES
    }

    const fn new() -> Self {
        Self {
            now: 0.0,
            wall: 0.0,
            chances: VecDeque::new(),
            buckets: BTreeMap::new(),
            counts: BTreeMap::new(),
            levels: BTreeMap::new(),
            observed: BTreeMap::new(),
            columns: Vec::new(),
            signals: BTreeMap::new(),
            headers: Vec::new(),
            client: None,
            sni: None,
            line: None,
            listener: None,
            certificate: None,
            table: BTreeMap::new(),
            fields: BTreeMap::new(),
            blocks: Vec::new(),
            first: Vec::new(),
            counters: BTreeMap::new(),
            lines: Vec::new(),
            edits: Vec::new(),
            notes: BTreeMap::new(),
        }
    }
}

thread_local! {
    static STATE: RefCell<State> = const { RefCell::new(State::new()) };
}

pub(super) fn with<T>(look: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(look)
}

pub(super) fn reset() {
    STATE.replace(State::new());
}

/// On stderr as well, which `cargo test` shows with a test that failed.
pub(crate) fn log(level: Level, message: &str) {
    eprintln!("{level:?}: {message}");
    with(|state| state.lines.push((level, message.to_owned())));
}

pub(crate) fn header(name: &str) -> Option<String> {
    values(name).into_iter().next()
}

pub(crate) fn values(name: &str) -> Vec<String> {
    with(|state| {
        let named = state.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.clone()).collect()
    })
}

pub(crate) fn client() -> Option<String> {
    with(|state| state.client.clone())
}

pub(crate) fn sni() -> Option<String> {
    with(|state| state.sni.clone())
}

pub(crate) fn line() -> Option<RequestLine> {
    with(|state| state.line.clone())
}

pub(crate) fn listener() -> Option<String> {
    with(|state| state.listener.clone())
}

pub(crate) fn certificate() -> Option<Shown> {
    with(|state| state.certificate.clone())
}

pub(crate) fn column(of: Metric) -> Vec<f64> {
    with(|state| {
        let column = state.columns.iter().find(|(metric, _)| *metric == of);
        column.map(|(_, numbers)| numbers.clone()).unwrap_or_default()
    })
}

pub(crate) fn signal(name: &str) -> Vec<f64> {
    with(|state| state.signals.get(name).cloned().unwrap_or_default())
}

pub(crate) fn add(key: &str, delta: f64) -> Option<f64> {
    with(|state| {
        let is_new = !state.counters.contains_key(key);
        if key.len() > LONGEST_KEY || (is_new && state.counters.len() == MOST_COUNTERS) {
            return None;
        }
        let value = state.counters.entry(key.to_owned()).or_default();
        let sum = Some(*value + delta).filter(|sum| sum.is_finite())?;
        *value = sum;
        Some(sum)
    })
}

pub(crate) fn take(key: &str, rate: f64, burst: f64) -> u32 {
    assert!(rate.is_finite() && rate >= 0.0, "expected of `take` a rate of 0 or more tokens a second, found {rate}");
    assert!(burst.is_finite() && burst >= 1.0, "expected of `take` a burst of 1 or more tokens, found {burst}");
    with(|state| {
        let now = state.now;
        let bucket = state.buckets.entry(key.to_owned()).or_insert_with(|| Bucket::full(burst, now));
        bucket.take(rate, burst, now)
    })
}

pub(crate) fn count(name: &str, label: &str, by: f64) {
    check_name("count", name);
    assert!(by.is_finite() && by >= 0.0, "expected of `count` a finite number of 0 or more, found {by}");
    with(|state| {
        let (key, room) = ((name.to_owned(), label.to_owned()), state.has_room(label));
        if room || state.counts.contains_key(&key) {
            *state.counts.entry(key).or_default() += by;
        }
    });
}

pub(crate) fn level(name: &str, label: &str, is: f64) {
    check_name("level", name);
    assert!(is.is_finite(), "expected of `level` a finite number, found {is}");
    with(|state| {
        let (key, room) = ((name.to_owned(), label.to_owned()), state.has_room(label));
        if room || state.levels.contains_key(&key) {
            state.levels.insert(key, is);
        }
    });
}

pub(crate) fn observe(name: &str, label: &str, value: f64) {
    check_name("observe", name);
    assert!(value.is_finite() && value >= 0.0, "expected of `observe` a finite number of 0 or more, found {value}");
    with(|state| {
        let (key, room) = ((name.to_owned(), label.to_owned()), state.has_room(label));
        if room || state.observed.contains_key(&key) {
            state.observed.entry(key).or_default().push(value);
        }
    });
}

fn check_name(function: &str, name: &str) {
    assert!(
        name.len() <= LONGEST_NAME,
        "expected of `{function}` a name of at most {LONGEST_NAME} bytes, found {}",
        name.len()
    );
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    assert!(
        name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(is_word),
        "expected of `{function}` a name of a-z, 0-9 and _ that begins with a letter, found `{name}`"
    );
}

pub(crate) fn now() -> f64 {
    with(|state| state.now)
}

pub(crate) fn wall() -> f64 {
    with(|state| state.wall)
}

pub(crate) fn chance() -> f64 {
    with(|state| state.chances.pop_front().unwrap_or_default())
}

pub(crate) fn get(key: &str) -> Option<String> {
    with(|state| state.table.get(key).cloned())
}

pub(crate) fn set(side: Side, name: &str, value: &str) {
    with(|state| state.edits.push(Edited::Set(side, name.to_owned(), value.to_owned())));
}

pub(crate) fn append(side: Side, name: &str, value: &str) {
    with(|state| state.edits.push(Edited::Append(side, name.to_owned(), value.to_owned())));
}

pub(crate) fn remove(side: Side, name: &str) {
    with(|state| state.edits.push(Edited::Remove(side, name.to_owned())));
}

/// Where a gateway would end the call, a test ends.
pub(crate) fn note(key: &str, value: &str) {
    let fits = (1..=LONGEST_NOTE).contains(&key.len()) && value.len() <= LONGEST_NOTE;
    assert!(fits, "`note`: expected a key of 1 to {LONGEST_NOTE} bytes and a value of at most {LONGEST_NOTE}");
    with(|state| state.notes.insert(key.to_owned(), value.to_owned()));
}

pub(crate) fn noted(key: &str) -> Option<String> {
    with(|state| state.notes.get(key).cloned())
}

pub(crate) fn field(name: &str) -> Option<String> {
    with(|state| state.fields.get(name).cloned())
}

pub(crate) fn blocks() -> Vec<u32> {
    with(|state| state.blocks.clone())
}

pub(crate) fn first() -> Vec<u8> {
    with(|state| state.first.clone())
}
