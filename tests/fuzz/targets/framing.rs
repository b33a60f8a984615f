//! What is found about a byte stream does not depend on how it is cut.
#![no_main]

use tidegate::http::Framing;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut whole = Framing::default();
    whole.pass(bytes);
    let mut cut = Framing::default();
    bytes.chunks(3).for_each(|piece| cut.pass(piece));
    assert_eq!(whole.violation(), cut.violation());
});
