//! Who compiles plugins for a gateway, and the process in which that is done.

use std::time::Duration;

use crate::plugin::{self, Bounds, Compiler};

/// The compiler of the `tidegate` binary: itself, in a process for each plugin that did not come with it.
#[must_use]
pub fn own_compiler() -> Compiler {
    Compiler::child().unwrap_or_else(|error| {
        // Plugins that did not come with it are refused then, and say why. No name without a folder: `PATH` might know
        // another binary by it, and code is taken from this one alone.
        tracing::warn!(%error, "the path of this binary is not known");
        Compiler::Child { program: "/proc/self/exe".into(), bounds: Bounds::default() }
    })
}

/// Is that process: takes the limits upon itself, reads a plugin from standard input, writes its code or the reason for
/// which it is refused to standard output.
///
/// # Errors
/// If the limits cannot be imposed or the pipes fail.
pub fn compile_plugin(memory: u64, processor: Duration) -> std::io::Result<()> {
    plugin::compile_for_parent(&Bounds { memory, processor })
}
