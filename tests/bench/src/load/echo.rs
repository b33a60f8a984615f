//! Messages through tunnels that stay open.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Barrier;

use super::dialer::Dialer;
use super::{Measure, frame, turns};
use crate::figures::{Column, Figures, float};

/// Messages flow for so long before the measurement begins.
const WARM_UP: Duration = Duration::from_millis(200);

/// From here on what counts is how many bytes go through.
const BULK: usize = 4096;

/// Between two looks whether enough messages came back.
const LOOK: Duration = Duration::from_millis(5);

pub(super) async fn run(
    dialer: &Dialer,
    tunnels: usize,
    size: usize,
    ahead: usize,
    measure: Measure,
) -> anyhow::Result<Figures> {
    let back = Arc::new(AtomicU64::new(0));
    // Begun by all at once, ended by all at once.
    let go = Arc::new(Barrier::new(tunnels + 1));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut tasks = Vec::new();
    for _ in 0..tunnels {
        let mut websocket = dialer.websocket().await.context("a websocket")?;
        let (back, go, stopped) = (back.clone(), go.clone(), stopped.clone());
        let mut took = turns::durations()?;
        tasks.push(tokio::spawn(async move {
            let messages = frame::message(frame::BINARY, &vec![7; size]).repeat(ahead);
            let mut echoes = vec![0; frame::echoed(size) * ahead];
            go.wait().await;
            while !*stopped.borrow() {
                let start = Instant::now();
                websocket.write_all(&messages).await?;
                websocket.read_exact(&mut echoes).await?;
                turns::record(&mut took, start.elapsed());
                back.fetch_add(ahead as u64, Relaxed);
            }
            anyhow::Ok(took)
        }));
    }
    go.wait().await;
    tokio::time::sleep(WARM_UP).await;
    let (before, first) = (measure.usage(), back.load(Relaxed));
    let start = Instant::now();
    match measure.operations {
        None => tokio::time::sleep(measure.time).await,
        Some(most) => {
            while start.elapsed() < measure.time && back.load(Relaxed) < most {
                tokio::time::sleep(LOOK).await;
            }
        }
    }
    let (after, last) = (measure.usage(), back.load(Relaxed));
    let elapsed = start.elapsed().as_secs_f64();
    stop.send_replace(true);
    let (mut all, mut errors) = (turns::durations()?, 0);
    for task in tasks {
        match task.await? {
            Ok(took) => all.add(took)?,
            Err(_broken) => errors += 1,
        }
    }
    let messages = last - first;
    let rate = float(messages) / elapsed;
    let mut figures = Figures::default()
        .with(Column::Rate, rate)
        .with(Column::Operations, float(back.load(Relaxed)))
        .with(Column::Errors, float(errors));
    if size >= BULK {
        figures = figures.with(Column::Megabytes, rate * float(size as u64) / 1e6);
    }
    Ok(measure.spent(before, after, messages, turns::latencies(&all, figures)))
}
