//! HTTP/1.1 with clients, over hyper: nothing outside of this folder knows that a client speaks it.
//!
//! ```text
//! Stream ─▶ GuardedStream (framing, chunks: which bytes go on) ─▶ hyper ─▶ handler ─▶ hyper ─▶ GuardedStream ─▶ Stream
//!             └──────────────── ConnectionState: what the connection is at, whom it waits for ───────┘
//! ```

mod chunks;
mod framing;
mod incoming;
mod preface;
mod request_line;
mod response;
mod serve;
mod state;
mod stream;
mod trailers;
mod upgrade;

pub use chunks::{Chunks, MalformedChunks};
pub use framing::{Framing, Passed, end_of_lines, length_from};
pub(in crate::http) use incoming::Incoming;
pub use serve::serve;
pub(in crate::http) use upgrade::Http1Upgrade;
