//! HTTP/2, in and out.

mod drain;
mod endpoints;
mod grpc;
mod hostile;
mod probes;
mod refused;
mod requests;
mod smuggling;
mod websockets;
