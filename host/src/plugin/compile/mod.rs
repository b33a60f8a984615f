//! From the bytes of a file to code for this machine, in a process of its own: parsers and a compiler, most of them
//! other people's, read files that may be hostile.
//!
//! ```text
//! gateway                                child: `tidegate compile-plugin`, limited in memory, time and files
//! limits, bytes ────────── stdin ──────▶ count ─▶ wrap ─▶ compile ─▶ link ─▶ instantiate once
//! code, what was measured ◀── stdout ─── or the reason for which the file is refused
//!       │
//!       ╰─▶ native: code becomes a component ─▶ cache: kept for the next start
//! ```

mod bounds;
mod cache;
mod child;
mod count;
mod folder;
mod frames;
mod native;
mod steps;
mod trial;
mod worker;

use std::path::{Path, PathBuf};
use std::time::Duration;

use wasmtime::component::Component;

use super::error::LoadErrorKind;
use super::limits::PluginLimits;
use super::text::one_line;

pub use bounds::Bounds;
pub(super) use cache::CodeCache;
pub(super) use child::compile as in_child;
pub(super) use native::component;
pub(super) use steps::LinkedPlugin;
pub(super) use worker::work;

/// Where plugins that did not come with the gateway are compiled.
#[derive(Clone, Debug, Default)]
pub enum Compiler {
    /// In this process. For tests, and for programs that vouch for every plugin they load: a hostile file can end the
    /// process, by a stack that overflows or by gigabytes.
    #[default]
    InProcess,
    /// In a process of its own for each file.
    Child {
        /// The `tidegate` binary.
        program: PathBuf,
        /// What such a process may use.
        bounds: Bounds,
    },
}

impl Compiler {
    /// A child that runs the binary of this process, which must be `tidegate`, within the usual bounds.
    ///
    /// # Errors
    /// If the system does not say which file that is.
    pub fn child() -> std::io::Result<Self> {
        // The binary that runs, also when its file has been replaced since.
        let running = Path::new("/proc/self/exe");
        let program = if running.exists() { running.to_owned() } else { std::env::current_exe()? };
        Ok(Self::Child { program, bounds: Bounds::default() })
    }
}

/// Bytes of a plugin's file. Python makes 18 MB, SpiderMonkey 12.
pub(super) const FILE_BYTES: usize = 64 << 20;

/// Bytes of compiled code. Python makes 35 MB.
const CODE_BYTES: usize = 128 << 20;

/// Refuses what is not worth looking at.
pub(super) fn check_size(bytes: &[u8]) -> Result<(), LoadErrorKind> {
    if bytes.len() > FILE_BYTES {
        return Err(LoadErrorKind::too_much("bytes in the file", FILE_BYTES, bytes.len()));
    }
    Ok(())
}

/// A plugin as code for this machine, and what one instance of it costs.
#[derive(Debug)]
pub(super) struct CompiledCode {
    pub(super) measured: Measured,
    bytes: Vec<u8>,
}

impl CompiledCode {
    /// The code of `component`.
    pub(super) fn of(component: &Component, measured: Measured) -> Result<Self, LoadErrorKind> {
        let code = component.serialize();
        let code = code.map_err(|error| LoadErrorKind::Invalid { message: one_line(format_args!("{error:#}")) })?;
        if code.len() > CODE_BYTES {
            return Err(LoadErrorKind::too_much("bytes of compiled code", CODE_BYTES, code.len()));
        }
        Ok(Self { measured, bytes: code })
    }
}

/// What one instance costs before it does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Measured {
    /// Core instances that it consists of.
    pub(super) instances: u64,
    /// Bytes that these hold beside memories and elements of tables: globals, functions, imports.
    pub(super) held: u64,
    /// Processor time of a trial instantiation.
    pub(super) started: Duration,
    /// The most bytes that the compiling process held; none where the system has no such number, or this process
    /// compiled.
    #[serde(default)]
    pub(super) compiler_peak: Option<u64>,
}

impl Measured {
    /// Refuses what costs more than the operator permits.
    pub(super) fn check(&self, limits: &PluginLimits) -> Result<(), LoadErrorKind> {
        if self.held > limits.memory as u64 {
            return Err(LoadErrorKind::Heavy { limit: limits.memory, found: self.held, instances: self.instances });
        }
        let limit = limits.setup_deadline();
        if self.started > limit {
            return Err(LoadErrorKind::Slow { limit, found: self.started });
        }
        Ok(())
    }
}
