//! `wasi:random`: all three from the same source.

use wasmtime::bail;

use super::bindings::random::{insecure, insecure_seed, random};
use crate::plugin::host_state::HostState;

/// Bytes that one call may ask for.
const RANDOM_BYTES: u64 = 65_536;

impl random::Host for HostState {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        if length > RANDOM_BYTES {
            bail!("expected a request for at most {RANDOM_BYTES} random bytes, found {length}");
        }
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < length {
            bytes.extend_from_slice(&self.shared.clock.random().to_le_bytes());
        }
        bytes.truncate(usize::try_from(length).unwrap_or(0));
        Ok(bytes)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.shared.clock.random())
    }
}

impl insecure::Host for HostState {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        random::Host::get_random_bytes(self, length)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        random::Host::get_random_u64(self)
    }
}

impl insecure_seed::Host for HostState {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.shared.clock.random(), self.shared.clock.random()))
    }
}
