//! The life of one request: begin → route → balance → connect → forward or tunnel → rewrite → end.
//!
//! | step | file |
//! |---|---|
//! | a connection, from request to request | `serve.rs` |
//! | one request, from decision to response | `handle.rs` |
//! | read the target, find the client; decide | `begin.rs`, `route.rs` |
//! | refuse what came by the wrong name's handshake | `misdirected.rs` |
//! | send clients without TLS to it | `tls_redirect.rs` |
//! | what goes to an endpoint: heads both ways, rewrite | `outgoing.rs`, `head.rs` |
//! | edits of heads that are more than constants; what an exchange is called | `header_values.rs`, `request_id.rs` |
//! | balance, connect, send; the next endpoint if one fails | `attempt.rs`, `retry.rs` |
//! | wait where no endpoint can take it now | `waiting.rs` |
//! | pass the response on; switch protocols, tunnel | `respond.rs`, `switch.rs` |
//! | who may use a route | `access/` |
//! | what a decision waits for: the beginning of a body, or who a client is | `awaited.rs`, `preview.rs` |
//! | plugins of a route | `chain.rs` |
//! | stay with an endpoint: cookie, counts | `stickiness.rs` |
//! | what goes wrong, and what that comes to | `failure.rs`; what the operator shows in its place: `error_pages.rs`; why an endpoint failed, for the log: `endpoint_fault.rs` |
//! | end: give the lease back; count, log | `in_flight.rs`, `record.rs` |

mod access;
mod attempt;
mod awaited;
mod begin;
mod chain;
mod client;
mod endpoint_fault;
mod error_pages;
mod failure;
mod handle;
mod head;
mod header_values;
mod in_flight;
mod max_forwards;
mod misdirected;
mod outgoing;
mod preview;
mod record;
mod request_id;
mod respond;
mod retry;
mod route;
mod serve;
mod snapshot;
mod stickiness;
mod switch;
#[cfg(test)]
mod tests;
mod tls_redirect;
mod waiting;

pub use access::{AccessRules, BasicAuth, ForwardAuth, PasswordChecks, PasswordFile, PasswordFileFault};
pub use client::{Client, ListenerKey, Observers};
pub use error_pages::{ErrorPage, ErrorPages};
pub use misdirected::{ListenerRules, RulesByListener};
pub use serve::serve;
pub use snapshot::{Destination, HeaderEdits, ResponseDecider, RoutePlugin, RouteRules, Snapshot, Timeouts, Upgrades};
pub use switch::Tunnel;
pub use tls_redirect::TlsPorts;
