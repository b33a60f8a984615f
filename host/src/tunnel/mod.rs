//! The relay after a switch: bytes both ways, idle clock, boundaries for polite closing.
//!
//! ```text
//! Relay ── Pipe (client → endpoint) ── Transport: bytes, pending, shut      one future, no buffer while idle
//!       │                           └─ Inspector: looks at what passes (nothing, websocket frames)
//!       ├─ Pipe (endpoint → client) ── the same
//!       └─ PingSchedule: for those that are pinged while they are quiet
//! ```

mod end;
mod frames;
mod inspector;
mod meter;
#[cfg(test)]
mod ping_tests;
mod pinged;
mod pings;
mod pipe;
mod relay;
#[cfg(test)]
mod tests;
mod transport;

pub use end::End;
pub use frames::FrameBoundaries;
pub use inspector::{CloseMessages, Inspector, Opaque};
pub use meter::Meter;
pub use pinged::PingedFrames;
pub use pings::PingSchedule;
pub use pipe::Direction;
pub use relay::{Relay, RelayParts, Side, TunnelLimits};
