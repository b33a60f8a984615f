//! HTTP/2 with clients, over the `h2` library: nothing outside of this folder knows that a client speaks it.
//!
//! ```text
//! Stream ─▶ WatchedStream ─▶ h2 ─▶ serve: the connection, its clocks, its end
//!                                    └─▶ a task for each stream: request ─▶ handler ─▶ respond
//!                                                                             └─ 101 ─▶ 200, tunnel
//! ```

mod clock;
mod date;
mod incoming;
mod outflow;
mod request;
mod respond;
mod responder;
mod serve;
mod stream;
mod switch;

pub use serve::{Multiplexed, StreamOffer};

#[cfg(test)]
mod tests;
