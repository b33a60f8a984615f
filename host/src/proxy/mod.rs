//! The life of one request: begin → route → balance → connect → forward or tunnel → rewrite → end.
//!
//! | step | file |
//! |---|---|
//! | a connection, from request to request | `serve.rs` |
//! | begin: read the target, find the client | `begin.rs` |
//! | route, and what each decision leads to | `handle.rs` |
//! | balance, connect, send; the next endpoint if one fails | `attempt.rs`, `retry.rs` |
//! | wait where no endpoint can take it now | `waiting.rs` |
//! | why an endpoint failed, for the log | `endpoint_fault.rs` |
//! | heads both ways, rewrite | `head.rs` |
//! | switch protocols, tunnel | `switch.rs` |
//! | end: count, log, give the lease back | `record.rs` |

mod attempt;
mod begin;
mod client;
mod endpoint_fault;
mod handle;
mod head;
mod max_forwards;
mod record;
mod retry;
mod serve;
mod snapshot;
mod switch;
mod waiting;

pub use client::{Client, Observers};
pub use serve::serve;
pub use snapshot::{Destination, HeaderEdits, Rules, Snapshot, Timeouts, Upgrades};
pub use switch::Tunnel;
