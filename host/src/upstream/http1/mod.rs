//! HTTP/1.1 towards an endpoint: one request at a time, in the task of the request.
//!
//! ```text
//! RequestHead ────┐
//! ResendableBody ─┴─▶ Upload ─▶ Connection ─▶ response::read ─┬─▶ Whole ───────────────────┐
//!                                                             ├─▶ Stream ── at its end ────┴─▶ the connection waits
//!                                                             └─▶ Duplex: the plain stream, for a tunnel
//! ```
//!
//! Trailers end here, both ways (RFC 9110 §6.5.1 lets an intermediary drop them): `upload.rs` and `response.rs` log
//! that at `debug`.

mod access;
mod connection;
mod decoder;
mod download;
mod exchange;
mod explain;
mod request;
mod response;
mod trial;
mod upload;

#[cfg(test)]
mod tests;

pub(super) use connection::{Connection, ReturnTo};
pub use trial::{Trial, TrialEnd};
