//! What the end-to-end tests share: real endpoints, a gateway between them, real clients.
//!
//! ```text
//! client ──▶ Gateway (in process) or Process (the binary) ──▶ Origin
//! ```
//!
//! Everything listens on port 0 and ends when it is dropped. Nothing sleeps: tests wait for conditions
//! ([`eventually`]) and results ([`within`]), both with a limit.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "whatever goes wrong in here is a failed test"
)]

mod admin;
mod ca;
mod client;
pub mod frames;
mod gateway;
pub mod guests;
pub mod http2;
mod io;
mod names;
mod origin;
mod process;
mod wait;

pub use admin::Admin;
pub use ca::{Ca, Identity};
pub use client::{Answer, Http, Raw, Websocket, get, upgrade_request};
pub use gateway::{Gateway, Setup};
pub use http2::{Http2, Http2Exchange, Http2Io};
pub use io::{BoxedIo, Io};
pub use names::Names;
pub use origin::{Ending, Origin, OriginSetup, Reserved, Seen};
pub use process::{Process, binary};
pub use wait::{LIMIT, eventually, within};
