//! Workers, drain, signals, spawned tasks.

mod worker;

pub use worker::{PerWorker, WorkerId};
