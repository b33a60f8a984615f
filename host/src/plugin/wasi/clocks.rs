//! `wasi:clocks`: real time; what waits for a time is over at once.

use wasmtime::component::Resource;

use super::bindings::clocks::{monotonic_clock, wall_clock};
use super::bindings::io::poll::Pollable;
use super::io::ready;
use crate::plugin::host_state::HostState;

impl wall_clock::Host for HostState {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        let now = self.shared.clock.wall();
        Ok(wall_clock::Datetime { seconds: now.as_secs(), nanoseconds: now.subsec_nanos() })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime { seconds: 0, nanoseconds: 1 })
    }
}

impl monotonic_clock::Host for HostState {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.monotonic_nanos())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, _when: u64) -> wasmtime::Result<Resource<Pollable>> {
        Ok(ready())
    }

    fn subscribe_duration(&mut self, _when: u64) -> wasmtime::Result<Resource<Pollable>> {
        Ok(ready())
    }
}
