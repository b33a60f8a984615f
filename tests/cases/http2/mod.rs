//! HTTP/2, in and out.

mod endpoints;
mod probes;
mod refused;
mod requests;
