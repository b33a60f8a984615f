//! Plain HTTP through the gateway.

mod bodies;
mod decided_here;
mod expect;
mod forwarded;
mod heads;
mod paths;
mod reverse;
mod targets;
mod trailers;
mod unix;
mod uploads;
