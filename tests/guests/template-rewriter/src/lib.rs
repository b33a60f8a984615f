//! What `tidegate plugin new --role rewriter` begins with.

#[path = "../../../../plugin-sdk/templates/rust/rewriter/src/lib.rs"]
mod template;
