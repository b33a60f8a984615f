//! Endpoints, live counters, leases, eligibility, and the one step of choosing and counting.
//!
//! ```text
//! Registry (outlives every generation)          Cluster (one generation's view)
//!   └─ Live per cluster and endpoint url ◀──────── members ──▶ eligible ──▶ Balancer ──▶ Lease
//! ```

mod affinity;
mod budget;
mod chooser;
mod eligible;
mod failure_policy;
mod lease;
mod live;
mod member;
mod numbers;
mod recovery;
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
pub use failure_policy::FailurePolicy;
pub use lease::{Lease, Stickiness};
pub use live::{Health, HealthReport, Live, ProbeTicket, Thresholds};
pub use member::Member;
pub use numbers::Numbers;
pub use recovery::Recovery;
pub use registry::Registry;
pub use reported::{Reported, SignalKey};
pub use retry::{Failure, Retry};
pub use select::{Cluster, Policy, SelectError, Tried};
pub use shared::AddressCount;
pub use signals::{AnswerReader, Heartbeat, PushFault, Reading, ReportSource, Reports, Signals};
pub use sticky::Sticky;
