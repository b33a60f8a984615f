//! Real clients.

mod http;
mod raw;
mod websocket;

pub use http::{Answer, Http, get};
pub use raw::Raw;
pub use websocket::{Websocket, upgrade_request};
