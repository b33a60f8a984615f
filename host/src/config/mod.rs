//! The configuration: as written, as used, and how one becomes the other.

mod model;

pub use model::*;
