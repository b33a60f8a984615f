//! HTTP/2, in and out.

mod endpoints;
mod refused;
mod requests;
