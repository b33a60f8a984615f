//! The engine, everything that plugins are linked against, and the clock that ends their calls.

use std::sync::Arc;

use wasmtime::component::Linker;
use wasmtime::{Config, Engine, OptLevel, WasmBacktraceDetails};

use super::capabilities;
use super::error::RuntimeError;
use super::host_state::HostState;
use super::role::RoleContract;
use super::ticker::EpochTicker;

/// What a file is compiled with and linked against. One in the gateway, one in each process that compiles.
pub(super) struct PluginEngine {
    pub(super) wasmtime: Engine,
    pub(super) linker: Linker<HostState>,
    pub(super) ticker: Arc<EpochTicker>,
    /// What a plugin may be.
    pub(super) roles: Vec<&'static RoleContract>,
}

impl PluginEngine {
    /// Makes the engine for plugins of these roles, and starts its clock.
    ///
    /// # Errors
    /// If the compiler does not support this machine, or no thread can be started.
    pub(super) fn new(roles: Vec<&'static RoleContract>) -> Result<Self, RuntimeError> {
        Self::with(Config::new(), roles)
    }

    /// The same, whose code counts what it does. That takes time: it is for measurements alone.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn metered(roles: Vec<&'static RoleContract>) -> Result<Self, RuntimeError> {
        let mut config = Config::new();
        config.consume_fuel(true);
        Self::with(config, roles)
    }

    fn with(mut config: Config, roles: Vec<&'static RoleContract>) -> Result<Self, RuntimeError> {
        config.wasm_component_model(true).epoch_interruption(true).cranelift_opt_level(OptLevel::Speed);
        // Files and lines of faults, for plugins that bring them; not by the word of an environment variable.
        config.wasm_backtrace_details(WasmBacktraceDetails::Enable);
        let wasmtime = Engine::new(&config).map_err(|error| RuntimeError::Engine(format!("{error:#}")))?;
        let mut linker = Linker::new(&wasmtime);
        capabilities::link(&mut linker).map_err(|error| RuntimeError::Engine(format!("{error:#}")))?;
        let ticker = Arc::new(EpochTicker::start(&wasmtime).map_err(RuntimeError::Clock)?);
        Ok(Self { wasmtime, linker, ticker, roles })
    }
}
