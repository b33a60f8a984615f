//! What both sides of HTTP/2 share: the connection below the library, streams as tunnels and as bodies, fields, resets.
//!
//! ```text
//! net::Stream ──▶ WatchedStream (FrameScanner, FrameBudget; Wire) ──▶ h2 ──┬─▶ Http2Body ───▶ bodies of requests and responses
//!                                                             └─▶ Http2Duplex ─▶ tunnel
//! ```

mod body;
mod budget;
mod duplex;
mod fields;
mod first_frame;
mod flushes;
mod inbox;
mod judged;
mod limits;
mod reset;
mod room;
mod scanner;
mod sent_codes;
#[cfg(test)]
mod tests;
mod trailers;
mod unanswered;
mod watched;
mod wire;

pub use body::Http2Body;
pub use budget::FrameBudget;
pub use duplex::Http2Duplex;
pub use fields::{check_fields, join_cookies, strip_for_http2};
pub use limits::SMALL_PIECES;
pub(in crate::http) use reset::reset_reason;
pub use reset::reset_word;
pub use room::poll_room;
pub use scanner::{FrameHead, FrameScanner, FrameType, WireSide};
pub use watched::WatchedStream;
pub use wire::{Unfinished, Wire, WireFault};
