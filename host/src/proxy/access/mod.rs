//! Who may use a route: clients by their addresses, pages by their origins.

mod admit;
mod rules;

pub(super) use admit::admit;
pub use rules::AccessRules;
pub(super) use rules::Denied;
