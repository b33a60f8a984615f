//! The relay after a switch: bytes both ways, idle clock, websocket frame boundaries for polite closing.
//!
//! ```text
//! Relay ── Pipe (client → endpoint) ── Frames     one future, no buffer while idle
//!       └─ Pipe (endpoint → client) ── Frames
//! ```

mod frames;
mod pipe;
mod relay;

pub use frames::{CloseCode, Frames};
pub use relay::{End, Limits, Meter, Relay, Side};
