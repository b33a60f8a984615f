//! HTTP/2, in and out: what its specifications say, and other implementations of it.

mod conformance;
mod drain;
mod endpoints;
mod grpc;
mod hostile;
mod others;
mod probes;
mod refused;
mod requests;
mod smuggling;
mod spec;
mod websockets;
