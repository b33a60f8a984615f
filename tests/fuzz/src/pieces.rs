//! A byte stream that comes in pieces.

use tidegate::http::Framing;

/// A stream, and the four bytes behind it that say where it is cut; in one piece if there are none.
pub(crate) fn with_cuts(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_last_chunk::<4>().map_or((bytes, &[]), |(stream, cuts)| (stream, cuts))
}

/// `bytes` in pieces of as many bytes as `cuts` say in turn; 0 is all that is left.
pub(crate) fn cut<'a>(mut bytes: &'a [u8], cuts: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut cuts = cuts.iter().map(|cut| usize::from(*cut)).cycle();
    std::iter::from_fn(move || {
        let length = cuts.next().filter(|cut| *cut > 0).unwrap_or(bytes.len());
        let (piece, rest) = bytes.split_at(length.min(bytes.len()));
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// What goes on of `bytes`, which are cut after so many bytes as `cuts` say in turn, and the request line of each head
/// in it.
pub(crate) fn pass(framing: &mut Framing, bytes: &[u8], cuts: &[u8]) -> (Vec<u8>, Vec<String>) {
    let (mut passed, mut judged) = (Vec::new(), Vec::new());
    for mut piece in cut(bytes, cuts) {
        while !piece.is_empty() {
            let is_head = !framing.is_within_body();
            let step = framing.pass(piece);
            assert!(step.taken > 0 && step.taken <= piece.len(), "{step:?}");
            let (taken, later) = piece.split_at(step.taken);
            let on = step.instead.as_deref().unwrap_or(taken);
            if is_head && !on.is_empty() {
                let line = on.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
                judged.push(String::from_utf8_lossy(line).into_owned());
            }
            passed.extend_from_slice(on);
            piece = later;
        }
    }
    (passed, judged)
}
