//! Which endpoint each session is with: a bounded table, and its form for the next version.
//!
//! Two halves: what is used is in the young one. When that is full it becomes the old one, and what nobody has used since
//! it was young the last time is forgotten.

use std::collections::HashMap;

use twox_hash::XxHash64;

/// What `save` may return, from the contract.
const LONGEST_STATE: usize = 1 << 20;

/// A session in it: eight bytes of its key, and two of its endpoint.
const RECORD: usize = 10;

/// The table.
#[derive(Debug)]
pub struct Sessions {
    half: usize,
    young: HashMap<u64, u32>,
    old: HashMap<u64, u32>,
    /// Names of the endpoints, by id.
    names: Vec<String>,
}

/// By what the id of a client is known: the same in every version, and short.
#[must_use]
pub fn key(id: &str) -> u64 {
    XxHash64::oneshot(0, id.as_bytes())
}

impl Sessions {
    /// An empty one with up to twice `half`, one at the least.
    #[must_use]
    pub fn new(half: usize, names: Vec<String>) -> Self {
        Self { half: half.max(1), young: HashMap::new(), old: HashMap::new(), names }
    }

    /// The endpoint of a session, which is used now.
    pub fn find(&mut self, session: u64) -> Option<u32> {
        if let Some(endpoint) = self.young.get(&session) {
            return Some(*endpoint);
        }
        let endpoint = self.old.remove(&session)?;
        self.set(session, endpoint);
        Some(endpoint)
    }

    /// A session is with this endpoint from now on.
    pub fn set(&mut self, session: u64, endpoint: u32) {
        if self.young.len() >= self.half && !self.young.contains_key(&session) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&session);
        self.young.insert(session, endpoint);
    }

    /// How many are known.
    #[must_use]
    pub fn count(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// The names of the endpoints, a line each, an empty line, and the sessions, those in use first.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let mut state = format!("{}\n\n", self.names.join("\n")).into_bytes();
        let room = LONGEST_STATE.saturating_sub(state.len()) / RECORD;
        for (session, endpoint) in self.young.iter().chain(&self.old).take(room) {
            let Ok(endpoint) = u16::try_from(*endpoint) else { continue };
            state.extend(session.to_le_bytes());
            state.extend(endpoint.to_le_bytes());
        }
        state
    }

    /// Takes over what [`Self::save`] wrote; sessions of endpoints that are gone are left out.
    ///
    /// # Errors
    /// If it is something else.
    pub fn restore(&mut self, state: &[u8]) -> Result<(), String> {
        let wrong = || "expected names of endpoints, an empty line and sessions of ten bytes".to_owned();
        let end = state.windows(2).position(|two| two == b"\n\n").ok_or_else(wrong)?;
        let (names, sessions) = state.split_at(end);
        let names = std::str::from_utf8(names).map_err(|_| wrong())?;
        let of_name: HashMap<&str, u32> = self.names.iter().map(String::as_str).zip(0..).collect();
        let ids: Vec<Option<u32>> = names.split('\n').map(|name| of_name.get(name).copied()).collect();
        let (records, []) = sessions.get(2..).unwrap_or_default().as_chunks::<RECORD>() else { return Err(wrong()) };
        let mut restored = Vec::with_capacity(records.len());
        for [a, b, c, d, e, f, g, h, low, high] in records {
            let endpoint = ids.get(usize::from(u16::from_le_bytes([*low, *high]))).ok_or_else(wrong)?;
            let session = u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
            restored.extend(endpoint.map(|endpoint| (session, endpoint)));
        }
        // Those in use come first, and are to be the last that are forgotten.
        for (session, endpoint) in restored.into_iter().take(self.half * 2).rev() {
            self.set(session, endpoint);
        }
        Ok(())
    }
}
