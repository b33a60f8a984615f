//! HTTP/1.1 towards an endpoint: one request at a time, in the task of whoever sends it.
//!
//! ```text
//! RequestHead ┐
//! RequestBody ┴─▶ Upload ─▶ Connection ─▶ response::read ─┬─▶ Whole: all of it is there, the connection waits again
//!                                                         ├─▶ Stream(Download) ── at its end ─▶ the connection waits again
//!                                                         └─▶ Switched: the plain stream, for a tunnel
//! ```

mod coding;
mod connection;
mod download;
mod exchange;
mod explain;
mod link;
mod request;
mod response;
mod trial;
mod upload;

#[cfg(test)]
mod tests;

pub use connection::Connection;
pub(super) use connection::Home;
pub use download::{Content, Download, Unsent};
pub use request::RequestHead;
pub use response::HeadLimits;
pub use trial::{Trial, TrialEnd};
