//! What can be done with a plugin without serving anything.

mod inspect;

pub use inspect::{InspectError, Inspection, RoleTrial, inspect};
