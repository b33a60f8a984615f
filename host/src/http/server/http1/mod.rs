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
mod serve;
mod state;
mod violation;

pub use chunks::{Chunks, MalformedChunks};
pub use framing::{Framing, Passed, end_of_lines, length_from};
pub use guard::Guard;
pub use incoming::{Incoming, IncomingError};
pub use linger::linger;
pub use serve::{Limits, ServeError, serve, take_back};
pub(in super::super) use state::State;
pub use violation::{Refused, Violation};
