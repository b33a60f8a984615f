//! A byte stream that comes in pieces.

use tidegate::http::Framing;

/// What goes on of `bytes`, which are cut after so many bytes as `cuts` say in turn, and the request line of each head in it.
pub(crate) fn pass(framing: &mut Framing, bytes: &[u8], cuts: &[u8]) -> (Vec<u8>, Vec<String>) {
    let (mut passed, mut judged) = (Vec::new(), Vec::new());
    let mut rest = bytes;
    let mut cuts = cuts.iter().map(|cut| usize::from(*cut)).cycle();
    while !rest.is_empty() {
        let cut = cuts.next().filter(|cut| *cut > 0).unwrap_or(rest.len());
        let (mut piece, behind) = rest.split_at(cut.min(rest.len()));
        rest = behind;
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
