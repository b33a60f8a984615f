//! The compiling process, seen from within.

use std::io::{self, BufWriter, Read as _, Write as _};
use std::panic::resume_unwind;
use std::process::exit;
use std::thread::Builder;

use super::super::engine::PluginEngine;
use super::super::error::LoadErrorKind;
use super::super::limits::PluginLimits;
use super::super::role::RoleContract;
use super::{Bounds, CompiledCode, Measured, bounds, frames};

/// Bytes of the stack that a plugin is compiled, linked and tried on: less than the threads of a gateway have, so that
/// what overflows one overflows here first.
const STACK: usize = 3 << 19;

/// See [`crate::plugin::compile_for_parent`].
pub(in super::super) fn work(bounds: &Bounds, roles: Vec<&'static RoleContract>) -> io::Result<()> {
    bounds.impose()?;
    bounds::offer_to_be_killed_first();
    let (limits, bytes) = frames::read_job(&mut io::stdin().lock())?;
    Builder::new().name("parent".to_owned()).spawn(exit_with_parent)?;
    let work =
        Builder::new().name("plugin".to_owned()).stack_size(STACK).spawn(move || compile(roles, &limits, &bytes))?;
    let answer = work.join().unwrap_or_else(|panic| resume_unwind(panic));
    let mut out = BufWriter::new(io::stdout().lock());
    frames::write_result(&mut out, &answer)?;
    out.flush()
}

fn compile(
    roles: Vec<&'static RoleContract>,
    limits: &PluginLimits,
    bytes: &[u8],
) -> Result<CompiledCode, LoadErrorKind> {
    let engine = PluginEngine::new(roles).map_err(|error| LoadErrorKind::NoCompiler { message: error.to_string() })?;
    let room = || {
        // Without the room, a large instance is refused for its memory, and the refusal says so.
        let _as_it_is = bounds::make_room(limits.memory);
    };
    let (component, _linked, measured) = engine.compile(bytes, limits, room)?;
    CompiledCode::of(&component, Measured { compiler_peak: bounds::peak(), ..measured })
}

/// The parent sends nothing more on standard input: whatever comes, it has ended or wants no result.
fn exit_with_parent() {
    let _ended = io::stdin().lock().read(&mut [0]);
    exit(1);
}
