//! Code that is ready to run.

use std::sync::Arc;

use wasmtime::component::InstancePre;

use super::compile::Measured;
use super::host_state::HostState;
use super::interface::ComponentInterface;

/// Code that is ready to run, shared by all artifacts of the same bytes.
pub(super) struct CompiledPlugin {
    /// SHA-256 of the file, hex.
    pub(super) digest: Arc<str>,
    pub(super) interface: ComponentInterface,
    pub(super) pre: InstancePre<HostState>,
    pub(super) measured: Measured,
}
