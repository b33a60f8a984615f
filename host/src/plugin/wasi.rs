//! What a plugin gets of WASI: clocks and random. Everything else is empty (preview 1) or traps when called (0.2).

use std::time::Duration;

use wasmtime::component::{Component, ComponentType, Linker, LinkerInstance, Lower};
use wasmtime::{StoreContextMut, bail};

use super::host_state::HostState;

/// Stands under modules compiled for `wasi_snapshot_preview1`.
///
/// The standard adapter asks for half of WASI 0.2, and calls `cabi_realloc` before the Go runtime is up, which traps.
pub(super) const ADAPTER: &str = include_str!("adapter.wat");

/// The import module that [`ADAPTER`] meets.
pub(super) const PREVIEW1: &str = "wasi_snapshot_preview1";

/// Bytes that one call for random may ask for.
const RANDOM_BYTES: u64 = 65_536;

/// Meets a component's imports from `wasi:`: clocks and random are real, every other function traps when called.
///
/// The clocks are defined under the very version that is imported; a compatible one would lose against the traps.
pub(super) fn link(linker: &mut Linker<HostState>, component: &Component) -> wasmtime::Result<()> {
    let ty = component.component_type();
    let engine = component.engine();
    for (name, _) in ty.imports(engine).filter(|(name, _)| name.starts_with("wasi:")) {
        match name.split_once("@0.2.").map(|(interface, _)| interface) {
            Some("wasi:clocks/wall-clock") => link_wall_clock(&mut linker.instance(name)?)?,
            Some("wasi:clocks/monotonic-clock") => link_monotonic_clock(&mut linker.instance(name)?)?,
            Some("wasi:random/random") => {
                link_random(&mut linker.instance(name)?, "get-random-bytes", "get-random-u64")?;
            }
            Some("wasi:random/insecure") => {
                link_random(&mut linker.instance(name)?, "get-insecure-random-bytes", "get-insecure-random-u64")?;
            }
            Some("wasi:random/insecure-seed") => {
                let seed = |store: StoreContextMut<'_, HostState>, (): ()| Ok(((random(&store), random(&store)),));
                linker.instance(name)?.func_wrap("insecure-seed", seed)?;
            }
            _ => {}
        }
    }
    linker.define_unknown_imports_as_traps(component)
}

fn link_wall_clock(clock: &mut LinkerInstance<'_, HostState>) -> wasmtime::Result<()> {
    clock.func_wrap("now", |store: StoreContextMut<'_, HostState>, (): ()| {
        let now = store.data().shared.clock.wall();
        Ok((Datetime { seconds: now.as_secs(), nanoseconds: now.subsec_nanos() },))
    })?;
    clock.func_wrap("resolution", |_: StoreContextMut<'_, HostState>, (): ()| {
        Ok((Datetime { seconds: 0, nanoseconds: 1 },))
    })
}

fn link_monotonic_clock(clock: &mut LinkerInstance<'_, HostState>) -> wasmtime::Result<()> {
    clock.func_wrap("now", |store: StoreContextMut<'_, HostState>, (): ()| Ok((nanos(store.data().elapsed()),)))?;
    clock.func_wrap("resolution", |_: StoreContextMut<'_, HostState>, (): ()| Ok((1_u64,)))
}

/// `datetime` of `wasi:clocks`.
#[derive(Clone, Copy, ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

fn link_random(instance: &mut LinkerInstance<'_, HostState>, bytes: &str, number: &str) -> wasmtime::Result<()> {
    instance.func_wrap(bytes, |store: StoreContextMut<'_, HostState>, (length,): (u64,)| {
        if length > RANDOM_BYTES {
            bail!("expected a request for at most {RANDOM_BYTES} random bytes, found {length}");
        }
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < length {
            bytes.extend_from_slice(&random(&store).to_le_bytes());
        }
        bytes.truncate(usize::try_from(length).unwrap_or(0));
        Ok((bytes,))
    })?;
    instance.func_wrap(number, |store: StoreContextMut<'_, HostState>, (): ()| Ok((random(&store),)))
}

fn random(store: &StoreContextMut<'_, HostState>) -> u64 {
    store.data().shared.clock.random()
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
