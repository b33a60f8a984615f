//! The vocabulary of the wire: streams of every kind, replay of bytes read too early, socket options.

mod socket;
mod stream;

pub use socket::{bind_shared, probe, raise_descriptor_limit};
pub use stream::{Replay, Socket, Stream};
