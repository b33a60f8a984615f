//! Dialling, pooling, TLS to endpoints, and HTTP/1.1 with them.
//!
//! ```text
//! Upstream ── pool (per worker) ──▶ Connection ── send ──▶ answer | not sent | broken | unreadable
//!          └─ dial: resolve ▶ connect ▶ tls ──┘
//! ```

mod body;
mod dial;
mod error;
mod http1;
mod pool;
mod replay;
mod timer;
mod unreadable;

pub use body::{Progress, RequestBody};
pub use dial::{Address, ConnectError, ConnectFault, Tls};
pub use error::{Broken, SendError};
pub use http1::{Connection, Content, Download, HeadLimits, RequestHead, Unsent};
#[doc(hidden)]
pub use http1::{Trial, TrialEnd};
pub use pool::{PoolLimits, Upstream, UpstreamSettings};
pub use replay::{Kept, Replay};
pub use unreadable::Unreadable;
