//! What `tidegate plugin new --role router` begins with.

#[path = "../../../../plugin-sdk/templates/rust/router/src/lib.rs"]
mod template;
