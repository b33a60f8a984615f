//! Endpoints, live counters, leases, eligibility, and the one step of choosing and counting.
//!
//! ```text
//! Registry (outlives every generation)          Cluster (one generation's view)
//!   └─ Live per cluster and endpoint url ◀──────── members ──▶ eligible ──▶ Balancer ──▶ Lease
//! ```

mod eligible;
mod lease;
mod live;
mod numbers;
mod registry;
mod select;
mod shared;

pub use eligible::{Candidate, eligible};
pub use lease::Lease;
pub use live::{Live, Standing};
pub use numbers::Numbers;
pub use registry::Registry;
pub use select::{Cluster, Member, SelectError, Tried};
pub use shared::AddressCount;
