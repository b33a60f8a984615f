//! `retry` and `fail_on` of a cluster.

use super::super::model::RetryConfig;
use super::super::schema::{CountField, OnEntry, RetryTable};
use super::{Resolver, defaults};
use crate::diagnose::closest;

/// Statuses that may be called failures.
const FAILURES: (u64, u64) = (400, 599);
/// As many as a cluster may have members that make sense to try one after the other.
const MOST_ATTEMPTS: u64 = 100;

impl Resolver<'_, '_> {
    pub(super) fn retry(&mut self, written: &RetryTable) -> RetryConfig {
        let start = RetryConfig::default();
        let attempts = written.attempts.as_ref().map(|_| {
            let attempts = self.whole("attempts", written.attempts.as_ref(), (1, MOST_ATTEMPTS), 1);
            u32::try_from(attempts).unwrap_or(u32::MAX)
        });
        let body = self.size("body", written.body.as_ref(), 0, defaults::RETRY_BODY);
        if let Some(size) = written.body.as_ref().filter(|size| size.get_ref().0 > defaults::MOST_RETRY_BODY) {
            let most = defaults::MOST_RETRY_BODY >> 20;
            let message = format!("`body` is {} bytes, expected at most {most}MiB", size.get_ref().0);
            self.report.fault_hint(size.span(), message, "it is kept in memory for each request on its way");
        }
        let budget = written.budget.as_ref().map_or(defaults::RETRY_BUDGET, |budget| {
            let share = budget.get_ref().0;
            if !(0.0..=1.0).contains(&share) {
                let message = format!("`budget` is {share}, expected a share of the requests from 0 to 1");
                self.report.fault_hint(budget.span(), message, "for example 0.2 for one in five");
            }
            share
        });
        let methods = [("idempotent", false), ("all", true)];
        let all_methods = self.choice("methods", written.methods.as_ref(), &methods, false);
        let start = RetryConfig { attempts, all_methods, body, budget, ..start };
        match &written.on {
            Some(on) => on.iter().fold(RetryConfig { connect: false, ..start }, |retry, entry| {
                let at = entry.span();
                match entry.get_ref() {
                    OnEntry::Status(status) => {
                        self.within("on", *status, FAILURES, at);
                        add_status(retry, *status)
                    }
                    OnEntry::Word(word) => match word.as_str() {
                        "connect" => RetryConfig { connect: true, ..retry },
                        "timeout" => RetryConfig { timeout: true, ..retry },
                        "broken" => RetryConfig { broken: true, ..retry },
                        _ => {
                            let words = ["connect", "timeout", "broken"];
                            let message = format!(
                                "`on` has \"{word}\", expected \"connect\", \"timeout\", \"broken\" or a status"
                            );
                            self.report.fault_meant(at, message, closest(word, words));
                            retry
                        }
                    },
                }
            }),
            None => start,
        }
    }

    /// Statuses that mean a failure.
    pub(super) fn statuses(&mut self, key: &str, written: &[CountField]) -> Vec<u16> {
        let mut statuses = Vec::new();
        for status in written {
            let number = status.get_ref().0;
            self.within(key, number, FAILURES, status.span());
            statuses.extend(u16::try_from(number));
        }
        statuses
    }
}

fn add_status(mut retry: RetryConfig, status: u64) -> RetryConfig {
    retry.statuses.extend(u16::try_from(status));
    retry
}
