//! Plugins as the gateway sees them: the traits of `policy`, with every answer checked as if hostile.

mod balancer;
mod fields;
mod memo;
mod per_worker;
mod rewriter;
mod router;
mod trial;

pub use trial::try_answers;
