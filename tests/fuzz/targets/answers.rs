//! Nothing that a plugin answers gets past the checks and breaks a request line or a head.
#![cfg_attr(feature = "fuzz", no_main)]

libfuzzer_sys::fuzz_target!(|input: (u32, &str)| {
    tidegate::plugin::try_answers(input.1, input.0, tidegate::net::is_reserved);
});

#[cfg(not(feature = "fuzz"))]
fn main() {}
