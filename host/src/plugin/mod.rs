//! The wasm runtime: engine, artifacts, compile and cache, bindings, host capabilities, instances, faults, roles.

mod shipped;

pub use shipped::{NAMES, shipped};
