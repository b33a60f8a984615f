//! What `tidegate plugin new --role balancer` begins with.

#[path = "../../../../plugin-sdk/templates/rust/balancer/src/lib.rs"]
mod template;
