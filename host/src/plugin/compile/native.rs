//! CompiledPlugin code becomes a component: the one place where bytes are trusted to be machine code.

use wasmtime::Engine;
use wasmtime::component::Component;

use super::super::error::LoadErrorKind;
use super::super::text::one_line;
use super::CompiledCode;

/// The component that `code` was made from.
///
/// A [`CompiledCode`] holds what this program's own compiler has made: it comes out of the pipe of a child that runs
/// this very binary, or out of the cache, whose folder and parents only this user and root may write to, and whose
/// entries say which input, which engine and which version of this program they are for, and are whole.
///
/// # Errors
/// If it was made for another engine.
#[expect(unsafe_code, reason = "the engine cannot check that code does what its source said")]
pub(in super::super) fn component(engine: &Engine, code: &CompiledCode) -> Result<Component, LoadErrorKind> {
    // SAFETY: the bytes are what `Component::serialize` returned for an engine of the same configuration, unchanged.
    // - From a child (`child.rs`): it was started by this process from this process's own binary, no other process
    //   holds the write end of its standard output, and a frame that is cut short is an error. What it sends is the
    //   result of `serialize`, called on a component that this compiler made and that has been instantiated once.
    // - From the cache (`cache.rs`): an entry is used only from a folder that passed `folder::open`, after the SHA-256
    //   of all of it was found right, and if it names the same input and the same environment: the engine's own
    //   compatibility hash, and this program's version.
    //
    // A `CompiledCode` is made nowhere else. wasmtime itself refuses what was made by another version or configuration.
    let component = unsafe { Component::deserialize(engine, &code.bytes) };
    component.map_err(|error| LoadErrorKind::Invalid { message: one_line(format_args!("{error:#}")) })
}
