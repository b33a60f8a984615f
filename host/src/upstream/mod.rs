//! Dialling, pooling and TLS to endpoints, and the exchange of a request for a response, whichever protocol it takes.
//!
//! ```text
//! Upstream::exchange ── pool (per worker) ──▶ Session ── send ──▶ response | ExchangeError
//!                    └─ dial: resolve ▶ connect ▶ tls ──┘
//! ```
//!
//! | what | file |
//! |---|---|
//! | the call: connections that wait, a new one, one repetition | `exchange.rs` |
//! | what goes in and comes out: head, limits, observer, content of the response | `message.rs` |
//! | why it failed | `error.rs`; what endpoints do wrong: `broken.rs`, `unreadable.rs` |
//! | a body that may be sent again | `resendable.rs`, `replay.rs` |
//! | the protocols, and a connection in one of them | `session.rs`, `http1/`, `http2/` |
//! | connections that wait, and new ones | `pool.rs`, `connect.rs`, `context.rs`, `turns.rs`; for the gateway's own: `apart.rs` |
//! | from an address to a stream, and the timer for all of it | `dial.rs`, `timer.rs` |

mod apart;
mod broken;
mod connect;
mod context;
mod dial;
mod error;
mod exchange;
mod http1;
mod http2;
mod message;
mod pool;
mod replay;
mod resendable;
mod session;
mod timer;
mod turns;
mod unreadable;

#[cfg(test)]
mod tests;

pub use apart::{LoneConnection, LoneRequest};
pub use broken::{Broken, GivenUp};
pub use dial::{Address, ConnectError, ConnectFault, NoHttp2Remedy, RefusedProtocols, Tls};
pub use error::{ExchangeCause, ExchangeError, FaultOf, Sent, Unsendable};
#[doc(hidden)]
pub use http1::{Trial, TrialEnd};
use message::Unobserved;
pub use message::{
    ExchangeLimits, ExchangeObserver, HeadLimits, PendingUpload, RequestHead, ResponseContent, ResponseStream,
};
pub use pool::{PoolLimits, Upstream, UpstreamSettings};
pub use resendable::{ResendableBody, UploadProgress};
pub use session::{EndpointProtocol, SpokenProtocol};
pub use unreadable::Unreadable;
