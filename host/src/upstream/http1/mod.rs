//! HTTP/1.1 towards an endpoint: one request at a time, in the task of the request.
//!
//! ```text
//! RequestHead ────┐
//! ResendableBody ─┴─▶ Upload ─▶ Connection ─▶ response::read ─┬─▶ Whole ───────────────────┐
//!                                                             ├─▶ Stream ── at its end ────┴─▶ the connection waits
//!                                                             └─▶ Duplex: the plain stream, for a tunnel
//! ```
//!
//! Trailers go both ways behind chunks (RFC 9112 §7.1.2). Behind a Content-Length there is no place for them: those of a
//! request are dropped there, and `upload.rs` logs that at `debug`.

mod access;
mod connection;
mod decoder;
mod download;
mod exchange;
mod explain;
mod handshake;
mod request;
mod response;
mod trailers;
mod trial;
mod upload;

#[cfg(test)]
mod tests;

pub(super) use connection::{Connection, ReturnTo};
pub use trial::{Trial, TrialEnd};
