//! A gateway for native tests: what a plugin reads through [`body`](crate::body), [`clock`](crate::clock),
//! [`chance`](crate::chance),
//! [`columns`](crate::columns), [`counters`](crate::counters), [`limit`](crate::limit), [`request`](crate::request) and
//! [`table`](crate::table) is what the test says, and what it does through [`log`](crate::log), [`edits`](crate::edits),
//! [`notes`](crate::notes) and [`metrics`](crate::metrics) can be read.
//!
//! ```
//! use tidegate_plugin::columns::{Metric, column};
//! use tidegate_plugin::fake::Host;
//! use tidegate_plugin::{clock, counters, log, request};
//!
//! let host = Host::new();
//! host.clock(5e6).column(Metric::Latest, [900.0, 250.0]).header("x-tenant", "blue");
//!
//! assert_eq!((clock::now(), column(Metric::Latest)), (5e6, vec![900.0, 250.0]));
//! assert_eq!(request::header("X-Tenant").as_deref(), Some("blue"));
//!
//! counters::add("picks", 1.0);
//! log::warn("nobody is ready");
//!
//! assert_eq!(host.counter("picks"), 1.0);
//! assert_eq!(host.lines(), [(log::Level::Warn, "nobody is ready".to_owned())]);
//! ```
//!
//! Each thread has its own, so that tests do not meet. It is not there in wasm.

mod bucket;
pub(crate) mod calls;

use std::marker::PhantomData;
use std::time::Duration;

use crate::columns::Metric;
use crate::edits::Side;
use crate::log::Level;
use crate::request::Shown;
use crate::{Context, Endpoint, RequestLine, Scheme};

use calls::with;

/// What the plugin of this thread sees of a gateway. Nothing at first: no request, no number, no line, and the clock at
/// zero. Dropped, it leaves nothing behind for the next test.
#[derive(Debug)]
pub struct Host {
    /// Of one thread.
    not_send: PhantomData<*const ()>,
}

impl Host {
    /// Begins anew.
    #[expect(
        clippy::new_without_default,
        reason = "a test begins with `Host::new()`; a default would be a second word for it"
    )]
    #[must_use = "what was set is forgotten when the host is dropped"]
    pub fn new() -> Self {
        calls::reset();
        Self { not_send: PhantomData }
    }

    /// Sets the clock, in microseconds. That of a gateway never goes back; this one may.
    pub fn clock(&self, now: f64) -> &Self {
        with(|state| state.now = now);
        self
    }

    /// Sets the date, in seconds since 1970.
    pub fn wall(&self, seconds: f64) -> &Self {
        with(|state| state.wall = seconds);
        self
    }

    /// Lets time pass, on both clocks.
    pub fn advance(&self, time: Duration) -> &Self {
        with(|state| {
            state.now += time.as_secs_f64() * 1e6;
            state.wall += time.as_secs_f64();
        });
        self
    }

    /// Says what chance brings next, each number once; 0 after the last.
    pub fn chances(&self, numbers: impl IntoIterator<Item = f64>) -> &Self {
        with(|state| state.chances.extend(numbers));
        self
    }

    /// Sets a column: one number for each candidate of the next picks, in their order.
    pub fn column(&self, of: Metric, numbers: impl Into<Vec<f64>>) -> &Self {
        let numbers = numbers.into();
        with(|state| {
            state.columns.retain(|(metric, _)| *metric != of);
            state.columns.push((of, numbers));
        });
        self
    }

    /// Sets what endpoints report about themselves, likewise; NaN is unknown.
    pub fn signal(&self, name: &str, numbers: impl Into<Vec<f64>>) -> &Self {
        let numbers = numbers.into();
        with(|state| state.signals.insert(name.to_owned(), numbers));
        self
    }

    /// Adds a header to the request that is being decided.
    pub fn header(&self, name: &str, value: &str) -> &Self {
        with(|state| state.headers.push((name.to_owned(), value.to_owned())));
        self
    }

    /// Sets the client's address.
    pub fn client(&self, address: &str) -> &Self {
        with(|state| state.client = Some(address.to_owned()));
        self
    }

    /// Sets the server name that the client's TLS asked for.
    pub fn sni(&self, name: &str) -> &Self {
        with(|state| state.sni = Some(name.to_owned()));
        self
    }

    /// Sets the request line.
    pub fn line(&self, line: RequestLine) -> &Self {
        with(|state| state.line = Some(line));
        self
    }

    /// Sets the name of the listener.
    pub fn listener(&self, name: &str) -> &Self {
        with(|state| state.listener = Some(name.to_owned()));
        self
    }

    /// Sets the client's certificate: subject as text, SHA-256 in hex.
    pub fn certificate(&self, subject: &str, fingerprint: &str) -> &Self {
        let shown = Shown { subject: subject.to_owned(), fingerprint: fingerprint.to_owned() };
        with(|state| state.certificate = Some(shown));
        self
    }

    /// Forgets all of the request: the next one begins.
    pub fn next_request(&self) -> &Self {
        with(|state| {
            state.headers.clear();
            state.edits.clear();
            state.notes.clear();
            (state.client, state.sni) = (None, None);
            (state.line, state.listener, state.certificate) = (None, None, None);
        });
        self
    }

    /// Sets a value of the table.
    pub fn table(&self, key: &str, value: &str) -> &Self {
        with(|state| state.table.insert(key.to_owned(), value.to_owned()));
        self
    }

    /// Writes a note, as a plugin before has.
    pub fn note(&self, key: &str, value: &str) -> &Self {
        calls::note(key, value);
        self
    }

    /// Reads a note, of the plugin or of [`Self::note`].
    #[must_use]
    pub fn noted(&self, key: &str) -> Option<String> {
        calls::noted(key)
    }

    /// The edits of the request that is being decided, in the order in which they were made.
    #[must_use]
    pub fn edits(&self) -> Vec<Edited> {
        with(|state| state.edits.clone())
    }

    /// Says how the body of the request begins. What [`body`](crate::body) makes of it is set beside it: fields by
    /// [`Self::body_field`], hashes by [`Self::body_blocks`].
    pub fn body_first(&self, bytes: impl Into<Vec<u8>>) -> &Self {
        let bytes = bytes.into();
        with(|state| state.first = bytes);
        self
    }

    /// Sets a field of the body's JSON.
    pub fn body_field(&self, name: &str, value: &str) -> &Self {
        with(|state| state.fields.insert(name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the hashes of the body's blocks.
    pub fn body_blocks(&self, hashes: impl Into<Vec<u32>>) -> &Self {
        let hashes = hashes.into();
        with(|state| state.blocks = hashes);
        self
    }

    /// Reads a counter; 0 for a key that nothing was added to.
    #[must_use]
    pub fn counter(&self, key: &str) -> f64 {
        with(|state| state.counters.get(key).copied().unwrap_or_default())
    }

    /// What was counted in a series of the plugin's own metrics; 0 for one that is not kept.
    #[must_use]
    pub fn counted(&self, name: &str, label: &str) -> f64 {
        let key = (name.to_owned(), label.to_owned());
        with(|state| state.counts.get(&key).copied().unwrap_or_default())
    }

    /// The latest level of a series.
    #[must_use]
    pub fn level(&self, name: &str, label: &str) -> Option<f64> {
        let key = (name.to_owned(), label.to_owned());
        with(|state| state.levels.get(&key).copied())
    }

    /// The values that were observed in a series, the oldest first.
    #[must_use]
    pub fn observed(&self, name: &str, label: &str) -> Vec<f64> {
        let key = (name.to_owned(), label.to_owned());
        with(|state| state.observed.get(&key).cloned().unwrap_or_default())
    }

    /// The lines that were logged so far, the oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<(Level, String)> {
        with(|state| state.lines.clone())
    }
}

/// What a plugin did to a head: the name of the field as it gave it, and the value.
#[derive(Clone, Debug, PartialEq)]
pub enum Edited {
    /// By [`set`](crate::edits::set).
    Set(Side, String, String),
    /// By [`append`](crate::edits::append).
    Append(Side, String, String),
    /// By [`remove`](crate::edits::remove).
    Remove(Side, String),
}

impl Drop for Host {
    fn drop(&mut self) {
        calls::reset();
    }
}

/// An endpoint of weight 1.0, in group 0, without labels: `Endpoint { weight: 300, ..endpoint("ws://10.0.0.1:8080") }`.
#[must_use]
pub fn endpoint(name: &str) -> Endpoint {
    Endpoint { name: name.to_owned(), weight: 100, group: 0, route: None, labels: Vec::new() }
}

/// One such endpoint for each name: ids 0, 1, 2, …
#[must_use]
pub fn endpoints(names: &[&str]) -> Vec<Endpoint> {
    names.iter().copied().map(endpoint).collect()
}

/// `GET http://gateway.example/`: `RequestLine { path: "/chat".to_owned(), ..request() }`.
#[must_use]
pub fn request() -> RequestLine {
    RequestLine {
        method: "GET".to_owned(),
        scheme: Scheme::Http,
        host: "gateway.example".to_owned(),
        path: "/".to_owned(),
        query: None,
        upgrade: None,
    }
}

/// A response of `ws://10.0.0.1:8080` to [`request`]: `Context { scheme: Scheme::Https, ..context() }`.
#[must_use]
pub fn context() -> Context {
    Context {
        scheme: Scheme::Http,
        host: "gateway.example".to_owned(),
        path: "/".to_owned(),
        route: None,
        endpoint: "ws://10.0.0.1:8080".to_owned(),
    }
}

#[cfg(test)]
mod tests;
