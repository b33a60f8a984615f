//! When a request is sent again: what the configuration of a cluster says.

use std::num::NonZeroU32;

use ::http::Method;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::budget::Budget;
use crate::config;
use crate::net::is_idempotent;

/// What became of a request that may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection was had: nothing was sent.
    Connect,
    /// No response in time.
    Timeout,
    /// The connection broke before a response.
    Broken,
    /// A response with this status.
    Status(u16),
}

/// The retry policy of a cluster.
#[derive(Debug)]
pub struct Retry {
    attempts: Option<NonZeroU32>,
    connect: bool,
    timeout: bool,
    broken: bool,
    statuses: Box<[u16]>,
    all_methods: bool,
    body: usize,
    budget: Mutex<Budget>,
}

impl Retry {
    /// As configured.
    #[must_use]
    pub fn new(written: &config::RetryConfig) -> Self {
        Self {
            attempts: written.attempts.and_then(NonZeroU32::new),
            connect: written.connect,
            timeout: written.timeout,
            broken: written.broken,
            statuses: written.statuses.clone().into(),
            all_methods: written.all_methods,
            body: written.body,
            budget: Mutex::new(Budget::new(written.budget)),
        }
    }

    /// Whether a request may go on to another endpoint after `attempts`, the last of which came to `failure`.
    /// `is_whole` says whether its body can be sent once more.
    #[must_use]
    pub fn allows(&self, failure: Failure, attempts: u32, method: &Method, is_whole: bool) -> bool {
        let wanted = match failure {
            Failure::Connect => self.connect,
            Failure::Timeout => self.timeout,
            Failure::Broken => self.broken,
            Failure::Status(status) => self.repeats_status(status),
        };
        let may_repeat = failure == Failure::Connect || (is_whole && (self.all_methods || is_idempotent(method)));
        wanted && may_repeat && self.attempts.is_none_or(|most| attempts < most.get())
    }

    /// Whether a response of this status is one to try another endpoint for.
    #[must_use]
    pub fn repeats_status(&self, status: u16) -> bool {
        self.statuses.contains(&status)
    }

    /// Bytes of a body of `method` that are to be kept while it is sent; none if it will not be sent twice.
    #[must_use]
    pub fn keeps(&self, method: &Method) -> Option<usize> {
        let after_sending = self.timeout || self.broken || !self.statuses.is_empty();
        let once = self.attempts.is_some_and(|most| most.get() == 1);
        (after_sending && !once && self.body > 0 && (self.all_methods || is_idempotent(method))).then_some(self.body)
    }

    pub(super) fn has_budget(&self, now: Instant, attempts: u64) -> bool {
        self.budget.lock().allows(now, attempts)
    }

    pub(super) fn spend(&self, now: Instant, attempts: u64) -> bool {
        self.budget.lock().spend(now, attempts)
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::new(&config::RetryConfig::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every() -> config::RetryConfig {
        config::RetryConfig { timeout: true, broken: true, statuses: vec![502, 503], ..config::RetryConfig::default() }
    }

    #[test]
    fn what_is_repeated() {
        use Failure::{Broken, Connect, Status, Timeout};
        let (get, post) = (Method::GET, Method::POST);
        let only = |on: &[Failure]| config::RetryConfig {
            connect: on.contains(&Connect),
            timeout: on.contains(&Timeout),
            ..config::RetryConfig::default()
        };
        let all = || config::RetryConfig { all_methods: true, ..every() };
        let two = || config::RetryConfig { attempts: Some(2), ..every() };
        let table = [
            ("default", config::RetryConfig::default(), Connect, 1, &post, false, true),
            ("default", config::RetryConfig::default(), Connect, 99, &post, false, true),
            ("default", config::RetryConfig::default(), Broken, 1, &get, true, false),
            ("default", config::RetryConfig::default(), Timeout, 1, &get, true, false),
            ("default", config::RetryConfig::default(), Status(503), 1, &get, true, false),
            ("only timeout", only(&[Timeout]), Connect, 1, &get, true, false),
            ("only timeout", only(&[Timeout]), Timeout, 1, &get, true, true),
            ("every", every(), Status(503), 1, &get, true, true),
            ("every", every(), Status(500), 1, &get, true, false),
            ("every", every(), Broken, 1, &get, true, true),
            ("every", every(), Broken, 1, &get, false, false),
            ("every", every(), Broken, 1, &post, true, false),
            ("every", every(), Timeout, 1, &post, true, false),
            ("every", every(), Status(503), 1, &post, true, false),
            ("every", every(), Connect, 1, &post, true, true),
            ("every", every(), Connect, 1, &post, false, true),
            ("every", every(), Status(503), 1, &Method::QUERY, true, false),
            ("all", all(), Broken, 1, &post, true, true),
            ("all", all(), Broken, 1, &post, false, false),
            ("two", two(), Status(503), 1, &get, true, true),
            ("two", two(), Status(503), 2, &get, true, false),
            ("two", two(), Connect, 2, &get, true, false),
        ];
        for (name, written, failure, attempts, method, is_whole, expected) in table {
            let allowed = Retry::new(&written).allows(failure, attempts, method, is_whole);
            assert_eq!(allowed, expected, "{name}: {failure:?} after {attempts} of {method}, whole {is_whole}");
        }
    }

    #[test]
    fn bodies_are_kept_only_for_what_may_be_sent_twice() {
        let table = [
            (config::RetryConfig::default(), Method::PUT, None),
            (every(), Method::PUT, Some(65_536)),
            (every(), Method::POST, None),
            (every(), Method::QUERY, None),
            (config::RetryConfig { all_methods: true, body: 100, ..every() }, Method::POST, Some(100)),
            (config::RetryConfig { attempts: Some(1), ..every() }, Method::PUT, None),
            (config::RetryConfig { body: 0, ..every() }, Method::PUT, None),
        ];
        for (written, method, expected) in table {
            assert_eq!(Retry::new(&written).keeps(&method), expected, "{written:?} {method}");
        }
    }
}
