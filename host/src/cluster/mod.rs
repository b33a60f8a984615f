//! Endpoints, live counters, leases, eligibility, and the one step of choosing and counting.
//!
//! ```text
//! Registry (outlives every generation)          Cluster (one generation's view)
//!   └─ Live per cluster and endpoint url ◀──────── members ──▶ eligible ──▶ Balancer ──▶ Lease
//! ```

mod affinity;
mod budget;
mod eligible;
mod lease;
mod live;
mod numbers;
mod registry;
mod reported;
mod retry;
mod select;
mod shared;
mod signals;
mod sticky;
#[cfg(test)]
mod testing;
mod values;

pub use eligible::{Candidate, eligible};
pub use lease::{Lease, Stickiness};
pub use live::{Live, Standing};
pub use numbers::Numbers;
pub use registry::Registry;
pub use reported::{Reported, SignalKey};
pub use retry::{Failure, Retry, is_idempotent};
pub use select::{Cluster, Member, Policy, SelectError, Tried};
pub use shared::AddressCount;
pub use signals::{Heartbeat, PushFault, Reading, Reports, Signals, Source};
pub use sticky::Sticky;
