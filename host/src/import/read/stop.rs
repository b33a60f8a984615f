//! What ends the reading of a configuration.

use std::io;

use crate::files::ReadError;
use crate::import::tree::Place;

/// Why nothing can be made of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReadStop {
    pub(super) place: Place,
    pub(super) what: String,
    pub(super) remedy: String,
}

impl ReadStop {
    /// At `place`: what is wrong, and what to do about it.
    pub(super) fn new(place: &Place, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { place: place.clone(), what: what.into(), remedy: remedy.into() }
    }
}

/// What to do about a file that `error` keeps from being read.
pub(super) fn remedy(error: &ReadError) -> &'static str {
    match error.kind() {
        Some(io::ErrorKind::PermissionDenied) => {
            "import as a user that may read it, such as root (`sudo`), or a copy of the files that one has made"
        }
        _ => "name a file or folder that Apache reads",
    }
}
