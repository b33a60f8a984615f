//! What an instance's store carries: whose it is, its limits, and what it may look at during the current call.

use std::net::IpAddr;
use std::sync::Arc;

use ::http::HeaderMap;

use super::bindings::types::RequestLine;
use super::limits::MemoryMeter;
use super::output::Output;
use super::role::RoleName;
use super::shared::PluginShared;
use super::table::PluginTable;
use super::ticker::LongCall;
use crate::policy::{
    ArrivalFacts, BodySight, BodyStart, ClusterNumbers, Effects, EndpointIds, ExchangeEffects, RequestFacts,
};

/// The `T` of every `Store<T>` here.
pub(super) struct HostState {
    pub(super) shared: Arc<PluginShared>,
    pub(super) role: RoleName,
    pub(super) meter: MemoryMeter,
    /// Ticks that the current call may still run for.
    pub(super) left: u64,
    /// Held by a call that has run for a tick or more.
    pub(super) long_call: Option<LongCall>,
    /// What it has written, and its last words.
    pub(super) output: Output,
    /// Whether a call has asked for more than its arguments, through an import other than `log`.
    pub(super) has_asked: bool,
    /// What may be done beside deciding in the current call.
    pub(super) scope: EffectScope,
    /// What has been done beside deciding in the current call, until [`Self::take_effects`].
    pub(super) effects: Effects,
    /// Whether the plugin may ask for the request line.
    pub(super) lends_line: bool,
    /// Whether the plugin says how much of bodies it wants to see.
    pub(super) exports_preview: bool,
    /// The request being decided.
    pub(super) request: Option<LentRequest>,
    /// The choice being made; empty outside `pick`, and for plugins that import no columns.
    pub(super) eligible: EndpointIds,
    pub(super) numbers: Option<Arc<dyn ClusterNumbers>>,
    /// What the plugin looks things up in; reading it is no effect, so that trials read it too.
    pub(super) table: Option<Arc<PluginTable>>,
}

/// The part of a request that getters read, shared for one call.
#[derive(Debug, Default)]
pub(super) struct LentRequest {
    pub(super) headers: Arc<HeaderMap>,
    pub(super) client: Option<IpAddr>,
    pub(super) sni: Option<Arc<str>>,
    /// The beginning of its body, and how much of that may be shown.
    pub(super) body: Option<(Arc<BodyStart>, BodySight)>,
    pub(super) effects: ExchangeEffects,
    pub(super) connection: Option<Arc<ArrivalFacts>>,
    /// Where the plugin imports what asks for it: it takes copies.
    pub(super) line: Option<RequestLine>,
}

/// What a plugin may do beside deciding. Each of these includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EffectScope {
    /// Nothing: outside of `route`, `pick` and `rewrite`.
    None,
    /// Leave notes.
    Notes,
    /// Edit heads.
    Edits,
}

impl HostState {
    pub(super) fn new(shared: Arc<PluginShared>, role: RoleName, meter: MemoryMeter) -> Self {
        Self {
            shared,
            role,
            meter,
            left: 0,
            long_call: None,
            output: Output::default(),
            has_asked: false,
            scope: EffectScope::None,
            effects: Effects::default(),
            lends_line: false,
            exports_preview: false,
            request: None,
            eligible: EndpointIds::default(),
            numbers: None,
            table: None,
        }
    }

    /// The state for an import by which the plugin learns or does more than its arguments and its result say.
    #[inline]
    pub(super) fn asked(&mut self) -> &mut Self {
        self.has_asked = true;
        self
    }

    /// Begins a call in which the plugin may do so much beside deciding.
    #[inline]
    pub(super) fn begin_effects(&mut self, scope: EffectScope) {
        self.scope = scope;
        self.effects = Effects::default();
    }

    /// Ends it: what was done. To be dropped if the call did not end well, or was a trial.
    #[inline]
    pub(super) fn take_effects(&mut self) -> Effects {
        self.scope = EffectScope::None;
        std::mem::take(&mut self.effects)
    }

    /// The monotonic clock of WASI: that of the contract in nanoseconds, from 1 on. Go does not start with a clock of
    /// zero.
    pub(super) fn monotonic_nanos(&self) -> u64 {
        u64::try_from(self.shared.clock.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }

    /// From now on effects reach a scratch copy of what instances share. Returns that, to be put back after the trial.
    pub(super) fn begin_trial(&mut self) -> Arc<PluginShared> {
        let scratch = Arc::new(self.shared.scratch_with_counters());
        std::mem::replace(&mut self.shared, scratch)
    }

    /// Shares what getters need of `facts`, until [`Self::give_back`]; of the body what `sight` asked for.
    #[inline]
    pub(super) fn lend(&mut self, facts: &RequestFacts, sight: Option<BodySight>) {
        self.request = Some(LentRequest {
            headers: Arc::clone(&facts.headers),
            client: facts.client,
            sni: facts.sni.clone(),
            effects: facts.effects.share(),
            body: sight.and_then(|sight| Some((Arc::clone(facts.body.as_ref()?), sight))),
            connection: facts.connection.clone(),
            line: self.lends_line.then(|| facts.into()),
        });
    }

    /// Ends the sharing, however the call ended.
    #[inline]
    pub(super) fn give_back(&mut self) {
        self.request = None;
    }
}
