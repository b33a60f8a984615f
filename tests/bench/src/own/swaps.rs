//! What swaps of a plugin cost: those who talk meanwhile, and memory.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::gateway::Gateway;
use crate::compare::spawn_load;
use crate::cpu::resident;
use crate::figures::{Column, float, median};
use crate::peer::WORKERS;
use crate::stage::Stage;

/// Between two swaps.
const EVERY: Duration = Duration::from_millis(100);

/// Pairs of measurements, without and with swaps in turn.
const ROUNDS: usize = 5;

/// p99 with swaps may be so many times that without.
const MOST: f64 = 1.5;

/// Swaps after which everything that is set up once has been set up.
const WARM: usize = 100;

/// Swaps of which the least memory counts: it goes up and down as code is compiled and dropped.
const WINDOW: usize = 40;

/// Memory may grow by so much between the first window and the last.
const GROWTH: f64 = 1.05;

/// p99 of an echo with a swap every 100 ms, beside that without.
pub(super) async fn latency(stage: &Stage, program: &Path, seconds: f64) -> anyhow::Result<()> {
    println!("\n## swap: p99 of echo-64 with a plugin swap every {EVERY:?} at most {MOST} × without");
    let mut gateway = Gateway::start(stage, program, WORKERS).await?;
    let (mut without, mut with, mut swaps) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        without.push(p99(&gateway.address(), seconds, stage).await?);
        let address = gateway.address();
        let mut echo = std::pin::pin!(p99(&address, seconds, stage));
        let mut clock = tokio::time::interval(EVERY);
        let swapped = loop {
            tokio::select! {
                p99 = &mut echo => break p99?,
                _ = clock.tick() => {
                    gateway.swap().await?;
                    swaps += 1;
                }
            }
        };
        with.push(swapped);
    }
    let (without, with) = (median(without), median(with));
    let ratio = with / without;
    let verdict = if ratio <= MOST { "met" } else { "missed" };
    println!("without {without:.0} µs, with {with:.0} µs ({swaps} swaps, each compiled): {ratio:.2} {verdict}");
    Ok(())
}

async fn p99(address: &str, seconds: f64, stage: &Stage) -> anyhow::Result<f64> {
    let figures = spawn_load("echo-64", address, None, seconds, &[], stage).await?;
    figures.get(Column::P99).context("no p99")
}

/// Memory after many swaps beside that after the first hundred.
pub(super) async fn memory(stage: &Stage, program: &Path, swaps: usize) -> anyhow::Result<()> {
    println!("\n## swaps-memory: after {swaps} swaps at most {GROWTH} × after {WARM}");
    let mut gateway = Gateway::start(stage, program, WORKERS).await?;
    let mut sizes = Vec::with_capacity(swaps);
    let start = Instant::now();
    for number in 1..=swaps {
        gateway.swap().await?;
        sizes.push(resident(gateway.process()).context("the gateway is gone")?);
        if number % 1000 == 0 {
            eprintln!("{number} of {swaps} swaps, {:.0} s", start.elapsed().as_secs_f64());
        }
    }
    let least = |sizes: &[u64]| sizes.iter().min().map(|size| float(*size) / 1e6);
    let early = sizes.get(WARM..WARM + WINDOW).and_then(least);
    let late = sizes.get(swaps.saturating_sub(WINDOW)..).and_then(least);
    let (early, late) =
        early.zip(late).with_context(|| format!("{swaps} swaps are too few: at least {}", WARM + WINDOW))?;
    let verdict = if late <= early * GROWTH { "met" } else { "missed" };
    println!("{early:.1} MB, then {late:.1} MB: {:.3} {verdict}", late / early);
    Ok(())
}
