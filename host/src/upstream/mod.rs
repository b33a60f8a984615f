//! Dialling, pooling, TLS to endpoints.
//!
//! ```text
//! Upstream ── pool (per worker) ──▶ Connection ── send ──▶ response | not sent | broken
//!          └─ dial: resolve ▶ connect ▶ tls ──┘
//! ```

mod body;
mod connection;
mod dial;
mod pool;
mod replay;

pub use body::{Progress, RequestBody, RequestBodyError};
pub use connection::{Connection, SendError, take_back};
pub use dial::{Address, ConnectError, ConnectFault, Tls};
pub use pool::{PoolLimits, Upstream, UpstreamSettings};
pub use replay::{Kept, Replay};
