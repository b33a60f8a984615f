//! Plain HTTP through the gateway.

mod bodies;
mod decided_here;
mod error_pages;
mod expect;
mod forwarded;
mod header_values;
mod heads;
mod paths;
mod reverse;
mod targets;
mod trailers;
mod unix;
mod uploads;
