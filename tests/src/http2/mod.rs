//! HTTP/2 on the `h2` library, for both ends.
//!
//! ```text
//! Http2 (a client)  ─┐
//!                    ├─ h2 ─ Tap (what was on the wire) ─ TCP or TLS
//! Origin::…http2()  ─┘
//! ```

mod body;
mod client;
mod frames;
mod stream;

pub(crate) use body::{Body, BoxError, ReceivedBody, send_body};
pub use client::{Http2, Http2Exchange};
pub use frames::FrameLog;
pub(crate) use frames::Tap;
pub use stream::Http2Io;
