//! HTTP/2 to endpoints that the library serves, and to some that it would not.

mod bodies;
mod by_hand;
mod connections;
mod endpoint;
mod refused;
mod switches;
