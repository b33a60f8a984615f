//! Workers, drain, signals, spawned tasks.

mod drain;
mod worker;
mod workers;

pub use drain::{Drain, spawn};
pub use worker::{PerWorker, WorkerId};
pub use workers::{LoadGuard, WorkerThreads, Workers};
