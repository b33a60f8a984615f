//! Dialling, pooling, TLS to endpoints, and HTTP/1.1 with them.
//!
//! ```text
//! Upstream ── pool (per worker) ──▶ Connection ── send ──▶ answer | not sent | broken | unreadable
//!          └─ dial: resolve ▶ connect ▶ tls ──┘
//! ```

mod body;
mod dial;
mod http1;
mod pool;
mod replay;

pub use body::{Progress, RequestBody, RequestBodyError};
pub use dial::{Address, ConnectError, ConnectFault, Tls};
pub use http1::{Broken, Connection, Content, Download, HeadLimits, RequestHead, SendError, Unreadable, Unsent};
pub use pool::{PoolLimits, Upstream, UpstreamSettings};
pub use replay::{Kept, Replay};
