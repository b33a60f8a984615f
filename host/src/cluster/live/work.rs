//! The work of an endpoint: what it holds, has carried, and how fast it responds.

use std::sync::atomic::Ordering::Relaxed;

use super::Live;
use crate::policy::LeaseUnits;

impl Live {
    /// Units of the leases held now, over all generations: one for each connection and request, unless a balancer weighed
    /// it.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.counts.in_flight.load(Relaxed)
    }

    /// Leases ever given.
    #[must_use]
    pub fn picks(&self) -> u64 {
        self.counts.picks.load(Relaxed)
    }

    /// Bytes sent to it.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.counts.sent.load(Relaxed)
    }

    /// Bytes received from it.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.counts.received.load(Relaxed)
    }

    /// Failed connects and broken exchanges.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.counts.failures.load(Relaxed)
    }

    /// Smoothed time from choice to first byte in microseconds; NaN before the first.
    #[must_use]
    pub fn latency(&self) -> f64 {
        f64::from_bits(self.counts.latency.load(Relaxed))
    }

    /// Time from choice to first byte of the latest response in microseconds; NaN before the first.
    #[must_use]
    pub fn latest(&self) -> f64 {
        f64::from_bits(self.counts.latest.load(Relaxed))
    }

    /// Bytes flowed towards it.
    pub fn add_sent(&self, bytes: u64) {
        self.counts.sent.fetch_add(bytes, Relaxed);
    }

    /// Bytes flowed from it.
    pub fn add_received(&self, bytes: u64) {
        self.counts.received.fetch_add(bytes, Relaxed);
    }

    pub(in crate::cluster) fn take(&self, units: LeaseUnits) {
        self.counts.in_flight.fetch_add(units.get(), Relaxed);
        self.counts.picks.fetch_add(1, Relaxed);
    }

    pub(in crate::cluster) fn give_back(&self, units: LeaseUnits) {
        let before = self.counts.in_flight.fetch_sub(units.get(), Relaxed);
        debug_assert!(before >= units.get(), "a lease was given back twice to {}", self.url());
    }

    /// A failed connect or a broken exchange is counted. What else follows from it is another question.
    pub(in crate::cluster) fn count_failure(&self) {
        self.counts.failures.fetch_add(1, Relaxed);
    }
}
