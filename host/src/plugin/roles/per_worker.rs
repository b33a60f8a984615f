//! A role of which each worker has an instance of its own.

use std::num::NonZeroUsize;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::load::Problem;
use super::super::plan::{Plan, Role};
use super::super::seat::Seat;
use crate::lifecycle::PerWorker;

/// Host of the requests of our own: a name that nobody has (RFC 6761 §6.4).
pub(super) const PROBE_HOST: &str = "tidegate.invalid";

/// A seat for each worker, all of them filled; and what the first one's `configure` answered.
pub(super) fn per_worker<R: Role>(
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

/// What a router or rewriter gets when no `[[route]]` is written, unless it is something else.
pub(super) fn config_or_no_routes(config: Option<&Value>) -> Value {
    config.cloned().unwrap_or_else(|| json!({ "routes": [] }))
}
