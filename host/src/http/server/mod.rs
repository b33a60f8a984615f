//! The gateway's side towards clients: a folder for each version of HTTP, and what they have in common.

pub(super) mod error;
pub(super) mod http1;
pub(super) mod http2;
pub(super) mod limits;
pub(super) mod linger;
pub(super) mod served;
