//! Switching protocols, and what flows afterwards.

mod answers;
mod bodies;
mod echo;
mod offers;
mod tls_before;
mod tls_behind;
