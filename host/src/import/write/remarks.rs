//! Comments: where a section comes from, and what is to be known of it.

use std::fmt::Write as _;

use super::super::tree::Place;
use super::value::comment;

/// `# from FILE:1, 7; OTHER:3`
pub(super) fn origin(out: &mut String, places: &[Place]) {
    let mut sorted: Vec<&Place> = places.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut before: Option<&Place> = None;
    for place in sorted {
        match before {
            Some(known) if known.file == place.file => _ = write!(out, ", {}", place.line),
            Some(_other) => _ = write!(out, "; {}", comment(&place.to_string())),
            None => _ = write!(out, "# from {}", comment(&place.to_string())),
        }
        before = Some(place);
    }
    if before.is_some() {
        out.push('\n');
    }
}

/// Sentences above what they are about.
pub(super) fn sentences(out: &mut String, remarks: &[String]) {
    for remark in remarks {
        _ = writeln!(out, "# {}", comment(remark));
    }
}
