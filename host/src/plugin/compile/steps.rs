//! The steps from bytes to linked code, and one trial; in whichever process they are taken.

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::{Component, InstancePre};

use super::super::contract::TRIAL_REALLOC;
use super::super::engine::PluginEngine;
use super::super::error::LoadErrorKind;
use super::super::host_state::HostState;
use super::super::instance::Instance;
use super::super::interface::ComponentInterface;
use super::super::limits::{MemoryMeter, PluginLimits};
use super::super::role::RoleName;
use super::super::shared::PluginShared;
use super::super::text::one_line;
use super::super::ticker::ticks;
use super::super::{features, wasi, wrap};
use super::count::{InstanceCost, cost};
use super::trial::check_realloc;
use super::{Measured, check_size};
use crate::clock::Clock;

/// A component that can be instantiated, and what it exports and imports.
pub(in super::super) struct LinkedPlugin {
    pub(in super::super) interface: ComponentInterface,
    pub(in super::super) pre: InstancePre<HostState>,
}

impl PluginEngine {
    /// Checks, compiles, links, and instantiates once a file. `make_room` is called before the instance is
    /// made.
    pub(in super::super) fn compile(
        &self,
        bytes: &[u8],
        limits: &PluginLimits,
        make_room: impl FnOnce(),
    ) -> Result<(Component, LinkedPlugin, Measured), LoadErrorKind> {
        check_size(bytes)?;
        let binary = wrap::binary(bytes)?;
        cost(&binary)?;
        let named = |problem| name_feature(&binary, problem);
        let wasm = wrap::component(&binary, &self.roles).map_err(named)?;
        let InstanceCost { instances, held, .. } = cost(&wasm)?;
        let mut measured = Measured { instances, held, started: std::time::Duration::ZERO, compiler_peak: None };
        measured.check(limits)?;
        let component = Component::from_binary(&self.wasmtime, &wasm)
            .map_err(|error| named(LoadErrorKind::Invalid { message: one_line(format_args!("{error:#}")) }))?;
        let linked = self.link(&component)?;
        linked.interface.check(&limits.allow)?;
        make_room();
        measured.started = self.trial(&linked, limits, measured.held)?;
        Ok((component, linked, measured))
    }

    /// Reads the type of `component`, and meets its imports.
    pub(in super::super) fn link(&self, component: &Component) -> Result<LinkedPlugin, LoadErrorKind> {
        let interface = ComponentInterface::of(component, &self.wasmtime, &self.roles)?;
        let mut linker = self.linker.clone();
        if interface.wasi {
            wasi::link(&mut linker, component)?;
        }
        let pre = linker
            .instantiate_pre(component)
            .map_err(|error| LoadErrorKind::Signature { message: one_line(format_args!("{error:#}")) })?;
        Ok(LinkedPlugin { interface, pre })
    }

    /// Makes an instance and throws it away. Returns the processor time that it took.
    fn trial(
        &self,
        linked: &LinkedPlugin,
        limits: &PluginLimits,
        held: u64,
    ) -> Result<std::time::Duration, LoadErrorKind> {
        let shared = Arc::new(PluginShared::new("trial".into(), Clock::System).scratch());
        let state = HostState::new(shared, RoleName::new("trial"), MemoryMeter::new(limits.memory, held));
        let within = limits.setup_deadline();
        let find = |store: &mut Store<HostState>, instance: &wasmtime::component::Instance| {
            Ok(instance.get_typed_func(store, TRIAL_REALLOC).ok())
        };
        let mut instance = Instance::start(&linked.pre, state, &self.ticker, ticks(within), within, find)?;
        if instance.exports.is_some() {
            check_realloc(&mut instance, ticks(limits.deadline))?;
        }
        Ok(instance.started)
    }
}

/// A proposal that is not offered shows itself in many ways; where there is one, it is the reason.
fn name_feature(binary: &[u8], problem: LoadErrorKind) -> LoadErrorKind {
    use LoadErrorKind::{Invalid, MissingExport, NoRole, Signature, UnknownImport};
    match problem {
        Invalid { .. } | MissingExport { .. } | NoRole { .. } | Signature { .. } | UnknownImport { .. } => {
            features::refusal(binary).unwrap_or(problem)
        }
        problem => problem,
    }
}
