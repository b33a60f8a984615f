//! A role of which each worker has an instance of its own.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::super::error::LoadErrorKind;
use super::super::factory::{InstanceFactory, PluginRole};
use super::super::slot::InstanceSlot;
use crate::lifecycle::PerWorker;

/// Host of the probes: a name that is never in use (RFC 6761 §6.4).
pub(super) const PROBE_HOST: &str = "tidegate.invalid";

/// Host of the self-tests: another one, so that a plugin's author sees which of the two it was.
pub(super) const SELF_TEST_HOST: &str = "self-test.invalid";

/// A slot for each worker, each with an instance; and what `configure` of the first one returned.
pub(super) fn per_worker<R: PluginRole>(
    factory: &Arc<InstanceFactory<R>>,
    workers: NonZeroUsize,
) -> Result<(PerWorker<InstanceSlot<R>>, R::Configured), LoadErrorKind> {
    let (first, configured) = factory.first()?;
    let mut instances = vec![first];
    for _ in 1..workers.get() {
        instances.push(factory.first()?.0);
    }
    let mut slots = instances.into_iter().map(|instance| InstanceSlot::new(Arc::clone(factory), instance));
    #[expect(clippy::expect_used, reason = "as many instances as workers were made above")]
    let slots = PerWorker::new(workers, || slots.next().expect("an instance for each worker"));
    Ok((slots, configured))
}
