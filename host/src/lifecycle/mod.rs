//! Workers, drain, signals, spawned tasks.

mod drain;
mod guard;
mod worker;
mod workers;

pub use drain::{Drain, spawn};
pub use guard::ConnectionGuard;
pub use worker::{PerWorker, WorkerId};
pub use workers::{LoadGuard, WorkerThreads, Workers};
