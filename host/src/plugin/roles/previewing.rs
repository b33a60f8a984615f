//! How much of bodies a plugin wants to see before it decides, whichever of its roles that is for.

use wasmtime::Store;
use wasmtime::component::Instance as WasmInstance;

use super::super::artifact::Artifact;
use super::super::bindings::preview;
use super::super::contract::Interface;
use super::super::error::LoadErrorKind;
use super::super::host_state::HostState;
use crate::policy::BodySight;

/// What it exports.
pub(super) const PREVIEW: Interface = Interface { name: "preview", functions: &["wants"] };

/// Where it says so; none if it does not.
pub(super) fn find(
    artifact: &Artifact,
    store: &mut Store<HostState>,
    instance: &WasmInstance,
) -> wasmtime::Result<Option<preview::Guest>> {
    if !artifact.compiled.interface.exports(PREVIEW.name) {
        return Ok(None);
    }
    preview::GuestIndices::new(&artifact.compiled.pre)?.load(store, instance).map(Some)
}

/// What it said, within the bounds of the contract.
pub(super) fn checked(wanted: Option<preview::Sight>) -> Result<Option<BodySight>, LoadErrorKind> {
    let sight = wanted.map(|sight| BodySight::new(sight.bytes, sight.block)).transpose();
    sight.map_err(|error| LoadErrorKind::ConfigureFailed { message: format!("`wants` of `preview`: {error}") })
}
