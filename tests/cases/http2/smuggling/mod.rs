//! Messages that one version of HTTP could make something else of than the other: what reaches the other side is one
//! message as it was meant, or none.

mod recorded;
mod requests;
mod responses;
