//! What the gateway offers to a plugin, as plain functions.
//!
//! Compiled for anything but wasm they are what a test sets through [`fake::Host`](crate::fake::Host): without one the
//! clock stands at zero, counters count within the thread, lines go to stderr, and everything else is unknown.

/// Lines in the gateway's log. At most 64 a second and 4 KiB each are kept.
pub mod log {
    pub use super::bound::log::Level;

    /// Writes one line.
    pub fn write(level: Level, message: impl AsRef<str>) {
        super::calls::log(level, message.as_ref());
    }

    /// One line per decision, for finding out.
    pub fn debug(message: impl AsRef<str>) {
        write(Level::Debug, message);
    }

    /// Something that happens now and then.
    pub fn info(message: impl AsRef<str>) {
        write(Level::Info, message);
    }

    /// Degraded, still working.
    pub fn warn(message: impl AsRef<str>) {
        write(Level::Warn, message);
    }

    /// Someone must act.
    pub fn error(message: impl AsRef<str>) {
        write(Level::Error, message);
    }
}

/// The request being decided, or responded to. Only inside `route`, `pick`, `choose` and `rewrite`; elsewhere every getter
/// answers none, or an empty list.
pub mod request {
    /// First value of the header; the name in any case.
    #[must_use]
    pub fn header(name: &str) -> Option<String> {
        super::calls::header(name)
    }

    /// Every value of a header that may be repeated, in the order of the request; the name in any case.
    #[must_use]
    pub fn values(name: &str) -> Vec<String> {
        super::calls::values(name)
    }

    /// Client's address without port, trusted proxies already looked through.
    #[must_use]
    pub fn client() -> Option<String> {
        super::calls::client()
    }

    /// Server name that the client's TLS asked for.
    #[must_use]
    pub fn sni() -> Option<String> {
        super::calls::sni()
    }

    pub use super::bound::request::Shown;

    /// As `route` gets it, whichever function asks.
    #[must_use]
    pub fn line() -> Option<crate::RequestLine> {
        super::calls::line()
    }

    /// Name of the listener that the client came in by, if the operator gave it one.
    #[must_use]
    pub fn listener() -> Option<String> {
        super::calls::listener()
    }

    /// The client's certificate of TLS, if one was shown and has been checked.
    #[must_use]
    pub fn certificate() -> Option<Shown> {
        super::calls::certificate()
    }
}

/// Live numbers of the cluster, one per id of `eligible`, in its order. Only inside `pick` and `choose`.
pub mod columns {
    pub use super::bound::columns::Metric;

    /// What the gateway measures.
    #[must_use]
    pub fn column(of: Metric) -> Vec<f64> {
        super::calls::column(of)
    }

    /// What endpoints report about themselves, by the operator's name for it; NaN = unknown.
    #[must_use]
    pub fn signal(name: &str) -> Vec<f64> {
        super::calls::signal(name)
    }
}

/// Numbers shared by all instances of a plugin and kept over swaps. At most 1,024 keys of 256 bytes.
pub mod counters {
    /// Adds and returns the new value; whole numbers are exact to 2^53. None, and nothing is added: one key too many, too
    /// long a key, or a sum that is no finite number.
    pub fn add(key: &str, delta: f64) -> Option<f64> {
        super::calls::add(key, delta)
    }

    /// Reads without changing; 0 for a key that nothing was added to.
    #[must_use]
    pub fn read(key: &str) -> f64 {
        add(key, 0.0).unwrap_or_default()
    }
}

/// Token buckets, shared by all instances of a plugin and kept over swaps. At most 100,000 keys; beyond that the bucket
/// that was asked for longest ago is forgotten, and is full when it is asked for again.
pub mod limit {
    /// Takes a token from the bucket of `key`, which holds `burst` of them and gets `rate` a second; a new one is full.
    /// 0: taken. Else nothing was taken, and so many milliseconds pass until there is a token; 2,147,483,647 stands for
    /// longer and for never.
    ///
    /// A fault ends the call: a `rate` that is negative, a `burst` below 1, either of them no finite number.
    #[must_use = "0 says that a token was taken"]
    pub fn take(key: &str, rate: f64, burst: f64) -> u32 {
        super::calls::take(key, rate, burst)
    }
}

/// Time: one clock that passes, for what decays, and one that tells the date.
pub mod clock {
    /// Microseconds since some moment in the past, never going back. The same for all instances of all plugins, until
    /// the gateway is started anew.
    #[must_use]
    pub fn now() -> f64 {
        super::calls::now()
    }

    /// Seconds since 1970, UTC, with fractions. It goes back when somebody sets the machine's clock back.
    #[must_use]
    pub fn wall() -> f64 {
        super::calls::wall()
    }
}

/// Chance, for sampling and shuffling. Not for keys.
pub mod chance {
    /// A number of at least 0 and below 1.
    #[must_use]
    pub fn number() -> f64 {
        super::calls::chance()
    }
}

/// The plugin's own numbers in the gateway's /metrics, under its name; shared by all its instances and kept over swaps.
///
/// A series is a function below, a name and a label: at most 64 of them, with labels of at most 128 bytes; what is beyond
/// is dropped, counted, and logged once. A name has at most 64 bytes, of a-z, 0-9 and `_`, and begins with a letter.
/// Another name is a fault; so is a number that is not finite, or negative where that is not said.
pub mod metrics {
    /// Adds `by`, of 0 or more, to a sum.
    pub fn count(name: &str, label: &str, by: f64) {
        super::calls::count(name, label, by);
    }

    /// Sets what goes up and down; may be negative.
    pub fn level(name: &str, label: &str, is: f64) {
        super::calls::level(name, label, is);
    }

    /// Adds one value, of 0 or more, to counts by size: two sizes for each power of ten, from 1e-6 to 1e9.
    pub fn observe(name: &str, label: &str, value: f64) {
        super::calls::observe(name, label, value);
    }
}

/// What the operator lets the plugin look up: tenant → cluster, as `table` of its section says. It may change between two
/// calls, all of it at once, and no instance is made for that.
pub mod table {
    /// The value under `key`, byte for byte; none for every key where there is no table.
    #[must_use]
    pub fn get(key: &str) -> Option<String> {
        super::calls::get(key)
    }
}

/// Changes of the request's and the response's head, which take effect if `route` ends well. Only inside `route`; what
/// a plugin may not change (hop-by-hop, framing and handshake fields, `Host`) is a fault: the call ends there.
pub mod edits {
    pub use super::bound::edits::Side;

    /// Makes this the only field of its name.
    pub fn set(side: Side, name: &str, value: &str) {
        super::calls::set(side, name, value);
    }

    /// Adds a field behind those of its name.
    pub fn append(side: Side, name: &str, value: &str) {
        super::calls::append(side, name, value);
    }

    /// Takes every field of this name away.
    pub fn remove(side: Side, name: &str) {
        super::calls::remove(side, name);
    }
}

/// Words about the exchange, for whoever comes later in it, for the access line and for records of decisions. Only
/// inside `route`, `pick`, `choose` and `rewrite`.
pub mod notes {
    /// Writes a value under a key, in the place of what was there. At most 8 keys in a call, of 1 to 256 bytes; values of
    /// at most 256. More is a fault: the call ends there.
    pub fn note(key: &str, value: &str) {
        super::calls::note(key, value);
    }

    /// What was last written under the key, by any plugin in this exchange.
    #[must_use]
    pub fn noted(key: &str) -> Option<String> {
        super::calls::noted(key)
    }
}

/// The beginning of the body of the request being decided, as far as [`Preview`](crate::Preview) asked for it. Only inside
/// `route`, `pick` and `choose`; elsewhere none, or empty. In a plugin without [`Preview`](crate::Preview) a call is a fault.
pub mod body {
    /// A string, number or boolean of the outermost JSON object, by its key, if it ends within what is there.
    #[must_use]
    pub fn field(name: &str) -> Option<String> {
        super::calls::field(name)
    }

    /// For each whole block from the beginning a hash of 31 bits: equal where all up to its end is equal.
    #[must_use]
    pub fn blocks() -> Vec<u32> {
        super::calls::blocks()
    }

    /// The bytes.
    #[must_use]
    pub fn first() -> Vec<u8> {
        super::calls::first()
    }
}

use crate::bindings::imports::tidegate::plugin as bound;

#[cfg(target_arch = "wasm32")]
mod calls {
    pub(super) use super::bound::body::{blocks, field, first};
    pub(super) use super::bound::chance::chance;
    pub(super) use super::bound::clock::{now, wall};
    pub(super) use super::bound::columns::{column, signal};
    pub(super) use super::bound::counters::add;
    pub(super) use super::bound::edits::{append, remove, set};
    pub(super) use super::bound::limit::take;
    pub(super) use super::bound::log::log;
    pub(super) use super::bound::metrics::{count, level, observe};
    pub(super) use super::bound::notes::{note, noted};
    pub(super) use super::bound::request::{certificate, client, header, line, listener, sni, values};
    pub(super) use super::bound::table::get;
}

#[cfg(not(target_arch = "wasm32"))]
use crate::fake::calls;
