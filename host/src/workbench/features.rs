//! Which proposals a file makes use of: those without which it is not valid.

use wasmparser::{Validator, WasmFeatures};

/// Proposals by the names of the page about them.
const PROPOSALS: [(&str, WasmFeatures); 20] = [
    ("multi-value", WasmFeatures::MULTI_VALUE),
    ("sign extension", WasmFeatures::SIGN_EXTENSION),
    ("non-trapping conversions", WasmFeatures::SATURATING_FLOAT_TO_INT),
    ("mutable globals", WasmFeatures::MUTABLE_GLOBAL),
    ("bulk memory", WasmFeatures::BULK_MEMORY),
    ("reference types", WasmFeatures::REFERENCE_TYPES),
    ("fixed-width SIMD", WasmFeatures::SIMD.union(WasmFeatures::RELAXED_SIMD)),
    ("relaxed SIMD", WasmFeatures::RELAXED_SIMD),
    ("tail calls", WasmFeatures::TAIL_CALL),
    ("extended constants", WasmFeatures::EXTENDED_CONST),
    ("multiple memories", WasmFeatures::MULTI_MEMORY),
    ("typed function references", WasmFeatures::FUNCTION_REFERENCES),
    ("threads", WasmFeatures::THREADS.union(WasmFeatures::SHARED_EVERYTHING_THREADS)),
    ("garbage collection", WasmFeatures::GC.union(WasmFeatures::CM_GC)),
    ("exceptions", WasmFeatures::EXCEPTIONS.union(WasmFeatures::LEGACY_EXCEPTIONS)),
    ("64-bit memory", WasmFeatures::MEMORY64),
    ("wide arithmetic", WasmFeatures::WIDE_ARITHMETIC),
    ("custom page sizes", WasmFeatures::CUSTOM_PAGE_SIZES),
    ("stack switching", WasmFeatures::STACK_SWITCHING),
    ("component-model async", WasmFeatures::CM_ASYNC),
];

/// The proposals that `wasm` needs.
///
/// # Errors
/// Why it is not valid with all of them either, in the validator's words.
pub(super) fn features_of(wasm: &[u8]) -> Result<Vec<&'static str>, String> {
    let validate = |features| Validator::new_with_features(features).validate_all(wasm);
    validate(WasmFeatures::all()).map_err(|error| error.to_string())?;
    let needed = PROPOSALS.iter().filter(|(_, features)| validate(WasmFeatures::all().difference(*features)).is_err());
    Ok(needed.map(|(name, _)| *name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_module_needs_is_named_and_nothing_else() {
        for (text, expected) in [
            ("(module)", &[][..]),
            ("(module (func (result i32 i32) i32.const 1 i32.const 2))", &["multi-value"]),
            ("(module (memory 1 1 shared))", &["threads"]),
            ("(module (memory 1) (func (drop (v128.load (i32.const 0)))))", &["fixed-width SIMD"]),
        ] {
            assert_eq!(features_of(&wat::parse_str(text).unwrap()).unwrap(), expected, "{text}");
        }
        let invalid = wat::parse_str("(module (func (result i32)))").unwrap();
        assert!(features_of(&invalid).unwrap_err().contains("type mismatch"));
    }
}
