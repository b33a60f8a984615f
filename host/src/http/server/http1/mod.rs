//! HTTP/1.1 with clients, over hyper: nothing outside of this folder knows that a client speaks it.
//!
//! ```text
//! Stream ─▶ Guard (framing, chunks: which bytes go on) ─▶ hyper ─▶ handler ─▶ hyper ─▶ Guard ─▶ Stream
//!             └──────────────── State: what the connection is at, whom it waits for ───────┘
//! ```

mod chunks;
mod framing;
mod guard;
mod incoming;
mod linger;
mod request_line;
mod response;
mod serve;
mod state;
mod upgrade;

pub use chunks::{Chunks, MalformedChunks};
pub use framing::{Framing, Passed, end_of_lines, length_from};
pub(in crate::http) use incoming::Incoming;
pub use linger::linger;
pub use serve::{Limits, ServeError, serve};
pub(in crate::http) use upgrade::Http1Upgrade;
