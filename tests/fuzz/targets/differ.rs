//! hyper never sees a request that has not been judged.
#![cfg_attr(feature = "fuzz", no_main)]

#[path = "../parts/differ.rs"]
mod differ;

libfuzzer_sys::fuzz_target!(|input: (&[u8], [u8; 4])| {
    let (bytes, cuts) = input;
    differ::differ(&mut tidegate::http::Framing::new(16 * 1024), bytes, &cuts);
});

#[cfg(not(feature = "fuzz"))]
fn main() {}
