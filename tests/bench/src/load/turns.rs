//! So many clients that do something again and again, and what it took them.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hdrhistogram::Histogram;

use super::Measure;
use crate::figures::{Column, Figures, float};

/// After a failure. A proxy that refuses everything is not to be asked as fast as possible.
const PAUSE: Duration = Duration::from_millis(5);

/// Failures that are reported.
const TOLD: u64 = 2;

/// Durations in microseconds.
pub(crate) type Durations = Histogram<u64>;

/// An empty one: three digits, up to an hour.
pub(crate) fn durations() -> anyhow::Result<Durations> {
    Ok(Histogram::new_with_bounds(1, 3_600_000_000, 3)?)
}

/// Adds one.
pub(crate) fn record(durations: &mut Durations, took: Duration) {
    durations.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
}

/// The latency columns.
pub(super) fn latencies(durations: &Durations, figures: Figures) -> Figures {
    figures
        .with(Column::P50, float(durations.value_at_quantile(0.5)))
        .with(Column::P99, float(durations.value_at_quantile(0.99)))
}

/// `clients` that do `turn` until the time is up or enough were begun. The first turn is not measured.
pub(super) async fn run<F>(
    clients: usize,
    measure: Measure,
    turn: impl Fn() -> F + Send + Sync + 'static,
) -> anyhow::Result<Figures>
where
    F: Future<Output = anyhow::Result<()>> + Send,
{
    turn().await.context("the first one")?;
    let turn = Arc::new(turn);
    let (errors, begun) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let most = measure.operations.unwrap_or(u64::MAX);
    let before = measure.usage();
    let start = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..clients {
        let (turn, errors, begun) = (turn.clone(), errors.clone(), begun.clone());
        let mut took = durations()?;
        tasks.push(tokio::spawn(async move {
            while start.elapsed() < measure.time && begun.fetch_add(1, Relaxed) < most {
                let start = Instant::now();
                match turn().await {
                    Ok(()) => record(&mut took, start.elapsed()),
                    Err(error) => {
                        if errors.fetch_add(1, Relaxed) < TOLD {
                            eprintln!("error: {error:#}");
                        }
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
            took
        }));
    }
    let mut all = durations()?;
    for task in tasks {
        all.add(task.await?)?;
    }
    let elapsed = start.elapsed().as_secs_f64();
    let after = measure.usage();
    let figures = Figures::default()
        .with(Column::Rate, float(all.len()) / elapsed)
        .with(Column::Operations, float(all.len() + 1))
        .with(Column::Errors, float(errors.load(Relaxed)));
    Ok(measure.spent(before, after, all.len(), latencies(&all, figures)))
}
