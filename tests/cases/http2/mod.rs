//! HTTP/2, in and out.

mod drain;
mod endpoints;
mod probes;
mod refused;
mod requests;
mod websockets;
