//! Who gets the next client.

mod bybusyness;
mod failover;
mod limits;
