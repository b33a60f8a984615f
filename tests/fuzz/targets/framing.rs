//! What is found about a byte stream, and what goes on of it, does not depend on how it is cut.
#![cfg_attr(feature = "fuzz", no_main)]

use tidegate::http::Framing;

libfuzzer_sys::fuzz_target!(|input: (&[u8], [u8; 4])| {
    let (bytes, cuts) = input;
    let (whole, passed) = pass(bytes, &[0]);
    let (cut, passed_cut) = pass(bytes, &cuts);
    match (whole.refused(), cut.refused()) {
        (None, None) => assert_eq!(passed, passed_cut),
        (Some(_), Some(_)) => {}
        // Of a line that has not ended, only the first piece is looked at.
        (Some(_), None) => assert!(cut.is_within_head()),
        (None, Some(refused)) => panic!("{refused:?}"),
    }
});

/// Framing behind `bytes`, which are cut after so many bytes as `cuts` say in turn, and what goes on of them.
fn pass(bytes: &[u8], cuts: &[u8]) -> (Framing, Vec<u8>) {
    let mut framing = Framing::new(16 * 1024);
    let mut passed = Vec::new();
    let mut rest = bytes;
    let mut cuts = cuts.iter().map(|cut| usize::from(*cut)).cycle();
    while !rest.is_empty() {
        let cut = cuts.next().filter(|cut| *cut > 0).unwrap_or(rest.len());
        let (mut piece, behind) = rest.split_at(cut.min(rest.len()));
        rest = behind;
        while !piece.is_empty() {
            let step = framing.pass(piece);
            let (taken, later) = piece.split_at(step.taken);
            assert!(step.taken > 0, "no progress");
            passed.extend_from_slice(step.instead.as_deref().unwrap_or(taken));
            piece = later;
        }
    }
    (framing, passed)
}

#[cfg(not(feature = "fuzz"))]
fn main() {}
