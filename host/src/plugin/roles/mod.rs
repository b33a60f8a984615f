//! Plugins as the gateway sees them: the traits of `policy`, with every answer checked as if hostile.

mod balancer;
mod fields;
mod memo;
mod rewriter;
mod router;
mod trial;

pub(super) use balancer::balancer;
pub(super) use rewriter::rewriter;
pub(super) use router::router;
pub use trial::try_answers;

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::load::Problem;
use super::plan::{Plan, Role};
use super::seat::Seat;
use crate::lifecycle::PerWorker;

/// Host of the requests of our own: a name that nobody has (RFC 6761 §6.4).
const PROBE_HOST: &str = "tidegate.invalid";

/// A seat for each worker, all of them filled; and what the first one's `configure` answered.
fn per_worker<R: Role>(
    plan: &Arc<Plan<R>>,
    workers: NonZeroUsize,
) -> Result<(PerWorker<Seat<R>>, R::Configured), Problem> {
    let (first, configured) = plan.start()?;
    let mut instances = vec![first];
    for _ in 1..workers.get() {
        instances.push(plan.start()?.0);
    }
    let mut seats = instances.into_iter().map(|instance| Seat::new(Arc::clone(plan), instance));
    #[expect(clippy::expect_used, reason = "as many instances as workers were made above")]
    let seats = PerWorker::new(workers, || seats.next().expect("an instance for each worker"));
    Ok((seats, configured))
}
