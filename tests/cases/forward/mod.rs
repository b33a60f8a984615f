//! Plain HTTP through the gateway.

mod bodies;
