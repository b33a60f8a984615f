//! What an instance's store carries: whose it is, its limits, and what it may look at during the current call.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ::http::HeaderMap;
use tokio::time::Instant;

use super::limits::MemoryMeter;
use super::output::Output;
use super::role::RoleName;
use super::shared::PluginShared;
use super::ticker::LongCall;
use crate::policy::{ClusterNumbers, EndpointIds, RequestFacts};

/// The `T` of every `Store<T>` here.
pub(super) struct HostState {
    pub(super) shared: Arc<PluginShared>,
    pub(super) role: RoleName,
    pub(super) meter: MemoryMeter,
    /// Ticks that the current call may still run for.
    pub(super) left: u64,
    /// Held by a call that has run for a tick or more.
    pub(super) long_call: Option<LongCall>,
    /// Off for a throw-away instance: the one that serves logs the same.
    pub(super) logs: bool,
    /// What it has written, and its last words.
    pub(super) output: Output,
    /// The request being decided.
    pub(super) request: Option<LentRequest>,
    /// The choice being made; empty outside `pick`, and for plugins that import no columns.
    pub(super) eligible: EndpointIds,
    pub(super) numbers: Option<Arc<dyn ClusterNumbers>>,
    /// Where the monotonic clock starts, that of WASI too.
    pub(super) born: Instant,
}

/// The part of a request that getters read, shared for one call.
#[derive(Debug, Default)]
pub(super) struct LentRequest {
    pub(super) headers: Arc<HeaderMap>,
    pub(super) client: Option<IpAddr>,
    pub(super) sni: Option<Arc<str>>,
}

impl HostState {
    pub(super) fn new(shared: Arc<PluginShared>, role: RoleName, meter: MemoryMeter) -> Self {
        let born = shared.clock.now();
        Self {
            shared,
            role,
            meter,
            left: 0,
            long_call: None,
            logs: true,
            output: Output::default(),
            request: None,
            eligible: EndpointIds::default(),
            numbers: None,
            born,
        }
    }

    /// How long ago the monotonic clock of the plugin started.
    pub(super) fn elapsed(&self) -> Duration {
        self.shared.clock.now().saturating_duration_since(self.born)
    }

    /// The monotonic clock of WASI: [`Self::elapsed`] in nanoseconds, from 1 on. Go does not start with a clock of zero.
    pub(super) fn monotonic_nanos(&self) -> u64 {
        u64::try_from(self.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }

    /// Shares what getters need of `facts`, until [`Self::give_back`].
    #[inline]
    pub(super) fn lend(&mut self, facts: &RequestFacts) {
        self.request =
            Some(LentRequest { headers: Arc::clone(&facts.headers), client: facts.client, sni: facts.sni.clone() });
    }

    /// Ends the sharing, however the call ended.
    #[inline]
    pub(super) fn give_back(&mut self) {
        self.request = None;
    }
}
