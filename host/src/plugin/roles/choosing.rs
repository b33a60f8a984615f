//! The two exports by which a plugin is a balancer: `pick` of `balancer`, and `choose` of `chooser`.
//!
//! Each is a type, so that what a call costs is what its export costs.

use wasmtime::Store;
use wasmtime::component::{Instance as WasmInstance, InstancePre};

use super::super::bindings::types::{ConfigError, Endpoint};
use super::super::bindings::{balancer, chooser};
use super::super::call_error::CallError;
use super::super::host_state::HostState;
use crate::policy::{BalancerRefusal, Choice, ChoiceError, EndpointId, EndpointIds, FaultKind, LeaseUnits};

/// An interface by which a plugin chooses.
pub(super) trait ChoosingExport: Send + Sync + 'static {
    /// Its functions in an instance.
    type Guest: Send;
    /// What the choosing one returns.
    type Returned;
    /// Name of the choosing one.
    const FUNCTION: &'static str;

    fn find(
        pre: &InstancePre<HostState>,
        store: &mut Store<HostState>,
        instance: &WasmInstance,
    ) -> wasmtime::Result<Self::Guest>;

    fn configure(
        guest: &Self::Guest,
        store: &mut Store<HostState>,
        config: &str,
        endpoints: &[Endpoint],
    ) -> wasmtime::Result<Result<(), Vec<ConfigError>>>;

    fn call(
        guest: &Self::Guest,
        store: &mut Store<HostState>,
        eligible: &[u32],
        busy: &[u32],
        affinity: Option<u32>,
    ) -> wasmtime::Result<Self::Returned>;

    /// What was returned, if the contract permits it: of the endpoints, only those that were offered.
    fn checked(returned: Self::Returned, eligible: &EndpointIds) -> Result<Choice, CallError>;
}

/// By `pick`: an id or none.
pub(super) struct Picks;

/// By `choose`: an id with units, or a refusal with a status.
pub(super) struct Chooses;

impl ChoosingExport for Picks {
    type Guest = balancer::Guest;
    type Returned = Option<u32>;
    const FUNCTION: &'static str = "pick";

    fn find(
        pre: &InstancePre<HostState>,
        store: &mut Store<HostState>,
        instance: &WasmInstance,
    ) -> wasmtime::Result<Self::Guest> {
        balancer::GuestIndices::new(pre)?.load(store, instance)
    }

    fn configure(
        guest: &Self::Guest,
        store: &mut Store<HostState>,
        config: &str,
        endpoints: &[Endpoint],
    ) -> wasmtime::Result<Result<(), Vec<ConfigError>>> {
        guest.call_configure(store, config, endpoints)
    }

    #[inline]
    fn call(
        guest: &Self::Guest,
        store: &mut Store<HostState>,
        eligible: &[u32],
        busy: &[u32],
        affinity: Option<u32>,
    ) -> wasmtime::Result<Option<u32>> {
        guest.call_pick(store, eligible, busy, affinity)
    }

    #[inline]
    fn checked(returned: Option<u32>, eligible: &EndpointIds) -> Result<Choice, CallError> {
        match returned.map(EndpointId) {
            Some(id) if !eligible.contains(id) => Err(not_eligible("none", id, eligible)),
            choice => Ok(choice.into()),
        }
    }
}

impl ChoosingExport for Chooses {
    type Guest = chooser::Guest;
    type Returned = chooser::Choice;
    const FUNCTION: &'static str = "choose";

    fn find(
        pre: &InstancePre<HostState>,
        store: &mut Store<HostState>,
        instance: &WasmInstance,
    ) -> wasmtime::Result<Self::Guest> {
        chooser::GuestIndices::new(pre)?.load(store, instance)
    }

    fn configure(
        guest: &Self::Guest,
        store: &mut Store<HostState>,
        config: &str,
        endpoints: &[Endpoint],
    ) -> wasmtime::Result<Result<(), Vec<ConfigError>>> {
        guest.call_configure(store, config, endpoints)
    }

    #[inline]
    fn call(
        guest: &Self::Guest,
        store: &mut Store<HostState>,
        eligible: &[u32],
        busy: &[u32],
        affinity: Option<u32>,
    ) -> wasmtime::Result<chooser::Choice> {
        guest.call_choose(store, eligible, busy, affinity)
    }

    fn checked(returned: chooser::Choice, eligible: &EndpointIds) -> Result<Choice, CallError> {
        match returned {
            chooser::Choice::Take(chooser::Taken { endpoint, units }) => match EndpointId(endpoint) {
                id if eligible.contains(id) => {
                    LeaseUnits::try_from(units).map(|units| Choice::Take(id, units)).map_err(not_permitted)
                }
                id => Err(not_eligible("a refusal", id, eligible)),
            },
            chooser::Choice::Refuse(chooser::Refusal { status, after }) => {
                BalancerRefusal::new(status, after).map(Choice::Refuse).map_err(not_permitted)
            }
        }
    }
}

#[cold]
fn not_permitted(error: ChoiceError) -> CallError {
    CallError { kind: FaultKind::Answer, detail: error.to_string() }
}

/// `other`: what might have been returned instead.
#[cold]
fn not_eligible(other: &str, id: EndpointId, eligible: &EndpointIds) -> CallError {
    let eligible = eligible.as_numbers();
    let shown = eligible.get(..16).unwrap_or(eligible);
    let more = if shown.len() < eligible.len() { ", …" } else { "" };
    let expected = format_args!("{other}, or one of the {} eligible ids {shown:?}{more}", eligible.len());
    // The commonest mistake, and one that goes unseen as long as no endpoint in the middle is drained.
    match usize::try_from(id.0).ok().and_then(|index| eligible.get(index)) {
        Some(meant) => CallError::answer(
            expected,
            format_args!(
                "{id}; if that is an index into `eligible`, return `eligible[{id}]`, which is {meant}: an id is \
                 expected"
            ),
        ),
        None => CallError::answer(expected, id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(returned: chooser::Choice) -> Result<Choice, String> {
        Chooses::checked(returned, &[1, 4].into()).map_err(|error| {
            assert_eq!(error.kind, FaultKind::Answer);
            error.detail
        })
    }

    fn taken(endpoint: u32, units: u32) -> chooser::Choice {
        chooser::Choice::Take(chooser::Taken { endpoint, units })
    }

    fn refused(status: u32, after: Option<u32>) -> chooser::Choice {
        chooser::Choice::Refuse(chooser::Refusal { status, after })
    }

    #[test]
    fn a_choice_within_the_contract_is_taken() {
        for units in [1, 1000] {
            assert_eq!(checked(taken(4, units)), Ok(Choice::Take(EndpointId(4), units.try_into().unwrap())));
        }
        for (status, after) in [(429, None), (503, Some(0)), (429, Some(86_400))] {
            let Ok(Choice::Refuse(refusal)) = checked(refused(status, after)) else { panic!("{status} {after:?}") };
            assert_eq!(
                (u32::from(refusal.status().as_u16()), refusal.after().map(|time| time.as_secs())),
                (status, after.map(u64::from))
            );
        }
    }

    #[test]
    fn what_the_contract_does_not_permit_is_refused_with_its_sentence() {
        for (returned, sentence) in [
            (taken(7, 1), "expected a refusal, or one of the 2 eligible ids [1, 4], found 7"),
            (
                taken(0, 1),
                "expected a refusal, or one of the 2 eligible ids [1, 4], found 0; if that is an index into `eligible`, \
                 return `eligible[0]`, which is 1: an id is expected",
            ),
            (taken(4, 0), "expected `units` of 1 to 1000, found 0"),
            (taken(4, 1001), "expected `units` of 1 to 1000, found 1001"),
            (taken(4, u32::MAX), "expected `units` of 1 to 1000, found 4294967295"),
            (refused(500, None), "expected a refusal with the status 429 or 503, found 500"),
            (refused(0, Some(1)), "expected a refusal with the status 429 or 503, found 0"),
            (refused(65_965, None), "expected a refusal with the status 429 or 503, found 65965"),
            (refused(429, Some(86_401)), "expected an `after` of at most 86400 seconds (a day), found 86401"),
        ] {
            assert_eq!(checked(returned).unwrap_err(), sentence);
        }
    }
}
