//! Any text is a configuration or a list of faults, and a fault can be printed.
#![cfg_attr(feature = "fuzz", no_main)]

use std::path::Path;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(faults) = tidegate::config::parse(text, Path::new("fuzz.toml")) {
        assert!(!faults.to_string().is_empty());
    }
});

#[cfg(not(feature = "fuzz"))]
fn main() {}
