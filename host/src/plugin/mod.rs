//! The wasm runtime: engine, artifacts, compile and cache, bindings, host capabilities, instances, faults, roles.
//!
//! ```text
//! file ─▶ Runtime::load ─▶ Artifact ─┬─▶ balancer: a slot for its cluster ──────╮
//!         digest; a child wraps,     ├─▶ router:   a slot for each worker ──────┼─▶ the traits of `policy`
//!         compiles, tries; link      ╰─▶ rewriter: a slot for each worker ──────╯
//!
//! slot: instance + circuit breaker + counters; a fault throws the instance away, the next call gets a fresh one
//! ```

mod abi_words;
mod artifact;
mod backtrace;
mod bindings;
mod breaker;
mod buckets;
mod burst;
mod call_error;
mod capabilities;
mod compile;
mod compiled;
mod contract;
mod counters;
mod describe;
mod effects;
mod engine;
mod error;
mod factory;
mod features;
mod fields;
mod foreign;
mod host_state;
mod instance;
mod interface;
mod last_words;
mod limits;
mod lines;
mod output;
mod own_metrics;
mod role;
mod roles;
mod runtime;
mod secrets;
mod shared;
mod shipped;
mod slot;
pub mod status;
mod suspects;
mod table;
mod text;
mod ticker;
mod wasi;
mod wrap;

#[cfg(test)]
mod tests;

pub use artifact::Artifact;
pub use compile::{Bounds, Compiler};
pub use contract::{PACKAGE as CONTRACT_PACKAGE, VERSION as CONTRACT_VERSION};
pub use describe::About;
pub use error::{ConfigFault, LoadError, LoadErrorKind, RuntimeError};
pub use limits::PluginLimits;
pub use role::RoleName;
#[doc(hidden)]
pub use roles::try_answers;
pub use roles::{
    ContractInterface, MADE_UP_CLUSTER, RoleKind, RouterPlace, TrialInputs, contract_interfaces, role_kind, role_names,
};
pub use runtime::{PluginFile, Runtime, compile_for_parent};
pub use secrets::PluginSecrets;
pub use shipped::{SHIPPED, shipped};
pub use table::{MOST_TABLE_KEYS, PluginTable, TableContent, TableError, TableFault, TableStatus};
pub use wrap::binary;
