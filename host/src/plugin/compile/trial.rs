//! A look at the allocator of a bare module, before anything depends on it: the engine says of a wrong address only that
//! it is wrong, and of two arguments in one place nothing at all.

use wasmtime::component::TypedFunc;

use super::super::error::LoadErrorKind;
use super::super::instance::Instance;

/// `cabi_realloc`: old address and size, alignment, new size.
pub(super) type Realloc = TypedFunc<(u32, u32, u32, u32), (u32,)>;

/// What is asked for: bytes, and their alignment. Nothing at first, as for an empty list.
const ASKED: [(u32, u32); 5] = [(0, 1), (0, 4), (5, 1), (16, 4), (24, 8)];

/// Asks for a few places as the gateway does for the arguments of one call. A trap is none of its business: the first
/// real call will say more.
///
/// # Errors
/// If one is outside memory, not aligned, or lies over another one.
pub(super) fn check_realloc(instance: &mut Instance<Option<Realloc>>, ticks: u64) -> Result<(), LoadErrorKind> {
    let mut places: Vec<(u64, u64)> = Vec::new();
    for (size, align) in ASKED {
        let allocated = instance.run("cabi_realloc", ticks, |realloc, store| {
            realloc.as_ref().map(|realloc| realloc.call(store, (0, 0, align, size))).transpose()
        });
        let Ok(Some((address,))) = allocated else { return Ok(()) };
        let (begin, end) = (u64::from(address), u64::from(address) + u64::from(size));
        let refused = |problem: String| {
            Err(LoadErrorKind::Realloc { found: format!("{address:#x} for {size} bytes aligned to {align}"), problem })
        };
        let memory = instance.store.data().meter.memory_bytes();
        if end > memory {
            let also = if size == 0 { "; also for 0 bytes it must be inside" } else { "" };
            return refused(format!("an address inside memory, which ends at {memory:#x} at most{also}"));
        }
        if address % align != 0 {
            return refused(format!("a multiple of {align}"));
        }
        if let Some((other, _)) = places.iter().find(|(other, until)| size > 0 && begin < *until && *other < end) {
            return refused(format!(
                "a place of its own: {other:#x} was handed out before, and nothing is free until an export returns"
            ));
        }
        if size > 0 {
            places.push((begin, end));
        }
    }
    Ok(())
}
