//! What `<…>` begins while lines are read, whether it is in the tree or not.

use super::stop::ReadStop;
use crate::import::tree::Place;

/// What `<…>` began and is not ended.
#[derive(Debug)]
pub(super) struct OpenPart {
    /// Its name, as written.
    pub(super) name: String,
    /// Where it began.
    pub(super) place: Place,
    /// What is in it.
    pub(super) kind: PartKind,
}

/// What becomes of what is between its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartKind {
    /// It is in the tree.
    Section,
    /// What is in it counts.
    Counts,
    /// What is in it does not.
    LeftOut,
}

/// Whether `</NAME`, which stands at `place`, ends `open`.
pub(super) fn ends(name: &str, place: &Place, open: Option<&OpenPart>) -> Result<bool, ReadStop> {
    let Some(name) = name.strip_suffix('>') else {
        let what = format!("expected `>` at the end of `</{name}`, found none");
        return Err(ReadStop::new(
            place,
            what,
            "Apache does not start with this line: write it without a blank before `>`",
        ));
    };
    match open {
        Some(part) if part.name.eq_ignore_ascii_case(name) => Ok(true),
        Some(part) => {
            let what = format!("expected `</{}>`, found `</{name}>`", part.name);
            Err(ReadStop::new(place, what, format!("end the section that begins at {} first", part.place)))
        }
        None => {
            let what = format!("`</{name}>` ends no section of this file");
            Err(ReadStop::new(place, what, format!("begin it with `<{name} …>`, or take the line away")))
        }
    }
}
