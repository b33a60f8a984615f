//! Which wasm proposals a refused file needs that are not offered here: the engine names a byte, its author needs the
//! name of the proposal and the switch that turns it off.

use wasmparser::{Validator, WasmFeatures};

use super::error::LoadErrorKind;

/// A proposal that the engine is built without.
struct Proposal {
    name: &'static str,
    /// What validates with it alone.
    features: WasmFeatures,
    remedy: &'static str,
}

const fn proposal(name: &'static str, features: WasmFeatures, remedy: &'static str) -> Proposal {
    Proposal { name, features, remedy }
}

/// All that are known and not offered. The docs list the same. The engine takes 64-bit memories, but not as the one that
/// arguments are placed in.
static REFUSED: [Proposal; 12] = [
    proposal(
        "threads",
        WasmFeatures::THREADS.union(WasmFeatures::SHARED_EVERYTHING_THREADS),
        "build without shared memory and atomics (C: no `-pthread` and `-matomics`; Rust: `wasm32-unknown-unknown` or \
         `wasm32-wasip1`, no `+atomics`; AssemblyScript: no `--enable threads`)",
    ),
    proposal(
        "garbage collection",
        WasmFeatures::GC.union(WasmFeatures::CM_GC),
        "Kotlin, Dart, Java, OCaml, Scala and other languages that compile to wasm GC cannot make plugins; take one \
         that compiles to linear memory (`tidegate plugin new --help` lists some)",
    ),
    proposal(
        "exceptions",
        WasmFeatures::EXCEPTIONS.union(WasmFeatures::LEGACY_EXCEPTIONS),
        "build without them (C++: `-fno-exceptions`; Rust: `panic = \"abort\"`; emscripten: no `-fwasm-exceptions`)",
    ),
    proposal(
        "memory64",
        WasmFeatures::MEMORY64,
        "build for 32-bit wasm (`wasm32`, not `wasm64`; emscripten: no `-sMEMORY64`)",
    ),
    proposal(
        "wide arithmetic",
        WasmFeatures::WIDE_ARITHMETIC,
        "build without it (clang: `-mno-wide-arithmetic`; Rust: `-C target-feature=-wide-arithmetic`)",
    ),
    proposal(
        "custom page sizes",
        WasmFeatures::CUSTOM_PAGE_SIZES,
        "take the page size out of the memory: pages are 64 KiB",
    ),
    proposal("stack switching", WasmFeatures::STACK_SWITCHING, "build without it"),
    proposal(
        "compact imports",
        WasmFeatures::COMPACT_IMPORTS,
        "build without it (its import section is written in a shorter form)",
    ),
    proposal("memory control", WasmFeatures::MEMORY_CONTROL, "build without it"),
    proposal("custom descriptors", WasmFeatures::CUSTOM_DESCRIPTORS, "build without it"),
    proposal(
        "component-model async",
        WasmFeatures::CM_ASYNC
            .union(WasmFeatures::CM_ASYNC_STACKFUL)
            .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
            .union(WasmFeatures::CM_THREADING)
            .union(WasmFeatures::CM_ERROR_CONTEXT),
        "build it synchronous (componentize-qjs: `--sync`; WASI 0.2 instead of 0.3; WIT without `async`, `stream` and \
         `future`)",
    ),
    proposal(
        "newer kinds of component-model types",
        WasmFeatures::CM_VALUES
            .union(WasmFeatures::CM_NESTED_NAMES)
            .union(WasmFeatures::CM_FIXED_LENGTH_LISTS)
            .union(WasmFeatures::CM_MAP)
            .union(WasmFeatures::CM64)
            .union(WasmFeatures::CM_IMPLEMENTS)
            .union(WasmFeatures::CM_CANON_NAMES),
        "use the types that the contract has alone",
    ),
];

/// Values of the host's, which only a host with a garbage collector can hand in.
static REFERENCES: Proposal = proposal(
    "references to values of the host (externref)",
    WasmFeatures::GC_TYPES,
    "build without them (`-mno-reference-types`; AssemblyScript: no `--enable reference-types`); what needs JavaScript \
     or its garbage collector, as Kotlin, Dart, Java and OCaml do, cannot make plugins",
);

/// The refusal that names what `wasm` needs; none if it needs nothing of the kind, or is not valid at all.
///
/// Takes a pass through the file, and one more for each proposal if it needs one: for files that were refused.
pub(super) fn refusal(wasm: &[u8]) -> Option<LoadErrorKind> {
    let offered = REFUSED
        .iter()
        .chain([&REFERENCES])
        .fold(WasmFeatures::all(), |all, proposal| all.difference(proposal.features));
    if is_valid(wasm, offered) || !is_valid(wasm, WasmFeatures::all()) {
        return None;
    }
    let needed: Vec<_> =
        REFUSED.iter().filter(|proposal| !is_valid(wasm, WasmFeatures::all().difference(proposal.features))).collect();
    // `externref` and its like come with several proposals: it is named where nothing else is.
    let needed = if needed.is_empty() { vec![&REFERENCES] } else { needed };
    Some(LoadErrorKind::Feature {
        names: needed.iter().map(|proposal| proposal.name.to_owned()).collect(),
        remedies: needed.iter().map(|proposal| proposal.remedy.to_owned()).collect(),
    })
}

/// The refusal of text with the first form of exceptions, which has no text of its own any more.
pub(super) fn legacy_exceptions() -> Option<LoadErrorKind> {
    let found = REFUSED.iter().find(|proposal| proposal.features.contains(WasmFeatures::LEGACY_EXCEPTIONS))?;
    Some(LoadErrorKind::Feature { names: vec![found.name.to_owned()], remedies: vec![found.remedy.to_owned()] })
}

fn is_valid(wasm: &[u8], features: WasmFeatures) -> bool {
    Validator::new_with_features(features).validate_all(wasm).is_ok()
}
