#![cfg_attr(feature = "fuzz", no_main)]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tidegate_fuzz::import::run(bytes));

#[cfg(not(feature = "fuzz"))]
fn main() {}
