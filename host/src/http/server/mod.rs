//! The gateway's side towards clients: a folder for each version of HTTP.

pub(super) mod http1;
