//! What the functions of the gateway do natively.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use super::Edited;
use super::bucket::Bucket;
use crate::columns::Metric;
use crate::edits::Side;
use crate::log::Level;

/// As in a gateway.
const MOST_COUNTERS: usize = 1024;
const LONGEST_KEY: usize = 256;
const LONGEST_NOTE: usize = 256;

/// What one thread's plugin sees and did.
pub(super) struct State {
    pub(super) now: f64,
    pub(super) wall: f64,
    pub(super) chances: VecDeque<f64>,
    pub(super) buckets: BTreeMap<String, Bucket>,
    pub(super) columns: Vec<(Metric, Vec<f64>)>,
    pub(super) signals: BTreeMap<String, Vec<f64>>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) client: Option<String>,
    pub(super) sni: Option<String>,
    pub(super) table: BTreeMap<String, String>,
    pub(super) counters: BTreeMap<String, f64>,
    pub(super) lines: Vec<(Level, String)>,
    pub(super) edits: Vec<Edited>,
    pub(super) notes: BTreeMap<String, String>,
}

impl State {
    const fn new() -> Self {
        Self {
            now: 0.0,
            wall: 0.0,
            chances: VecDeque::new(),
            buckets: BTreeMap::new(),
            columns: Vec::new(),
            signals: BTreeMap::new(),
            headers: Vec::new(),
            client: None,
            sni: None,
            table: BTreeMap::new(),
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
