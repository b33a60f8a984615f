//! Serving connections, bodies, hop-by-hop, forwarded headers, upgrade detection, error replies.

mod body;
mod chunks;
mod claims;
mod fields;
mod forwarded;
mod framing;
mod guard;
mod hop;
mod incoming;
mod linger;
mod path;
mod pseudonym;
pub mod reply;
mod request_line;
mod serve;
mod state;
mod target;
mod upgrade;
mod violation;

pub use body::{Body, BodyError, Watch};
pub use chunks::{Chunks, MalformedChunks};
pub use fields::Fields;
pub use forwarded::{Forwarding, Peer, client_behind};
pub use framing::{Framing, Passed, end_of_lines, length_from};
pub use guard::Guard;
pub use hop::strip_hop_by_hop;
pub use incoming::{Incoming, IncomingError};
pub use linger::linger;
pub use pseudonym::Pseudonym;
pub use serve::{Limits, ServeError, serve, take_back};
pub use target::{Target, TargetError, read_target};
pub use upgrade::{Offer, offered, switched_to};
pub use violation::{Refused, Violation};
