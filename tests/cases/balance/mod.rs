//! Who gets the next client.

mod balanced;
mod bybusyness;
mod chooser;
mod failover;
mod limits;
mod preview;
mod shipped;
mod waiting;
