//! What is found about a byte stream, and what goes on of it, does not depend on how it is cut.

use tidegate::http::Framing;

use crate::pieces::{pass, with_cuts};

/// What a client sends, and four bytes that say where it is cut.
pub fn run(bytes: &[u8]) {
    let (bytes, cuts) = with_cuts(bytes);
    let (whole, passed) = framed(bytes, &[0]);
    let (cut, passed_cut) = framed(bytes, cuts);
    match (whole.refused(), cut.refused()) {
        (None, None) => assert_eq!(passed, passed_cut),
        (Some(_), Some(_)) => {}
        // Of a line that has not ended, only the first piece is looked at.
        (Some(_), None) => assert!(cut.is_within_head()),
        (None, Some(refused)) => panic!("{refused:?}"),
    }
}

/// Framing behind `bytes`, and what goes on of them.
fn framed(bytes: &[u8], cuts: &[u8]) -> (Framing, Vec<u8>) {
    let mut framing = Framing::new(16 * 1024);
    let (passed, _judged) = pass(&mut framing, bytes, cuts);
    (framing, passed)
}
