//! Asking a server of the operator's who the client of a request is, and whether it may (Traefik's `forwardAuth`, Caddy's
//! `forward_auth`).
//!
//! | what | file |
//! |---|---|
//! | whom to ask, and what of its answer goes on | `rules.rs` |
//! | the question: fields about the request | `question.rs` |
//! | asking it: one endpoint, or the next | `call.rs` |
//! | what the answer comes to | `verdict.rs` |
//! | why there is none, and what to do about it | `failure.rs` |

mod call;
mod failure;
mod question;
mod rules;
mod verdict;

pub use rules::ForwardAuth;
pub(super) use verdict::ask_server;
