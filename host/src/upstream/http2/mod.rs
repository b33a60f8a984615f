//! HTTP/2 towards an endpoint (RFC 9113): many requests on one connection, each in its own task, and tunnels beside them
//! (RFC 8441).
//!
//! ```text
//! open: preface ▶ SETTINGS ──▶ Http2Connection ── claim ──▶ send: head ▶ Http2Upload ─┬─▶ Whole
//!              └─▶ task: frames, pings                                               ├─▶ Stream: Http2Download
//!                                                                                    └─▶ Duplex: Http2Tunnel
//! ```

mod account;
mod connection;
mod download;
mod exchange;
mod fault;
mod keepalive;
mod open;
mod request;
mod response;
mod upgrade;
mod upload;

#[cfg(test)]
mod tests;

pub(super) use connection::Http2Connection;
pub(super) use open::open;
pub(super) use upgrade::may_switch;
