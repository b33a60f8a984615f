//! Tunnels and connections that are held and say nothing.

use std::time::{Duration, Instant};

use h2::client::SendRequest;

use super::dialer::{Connection, Dialer, echo};
use super::{Measure, turns};
use crate::figures::{Column, Figures, float};

/// How long nothing happens before CPU is read among many tunnels.
const QUIET: Duration = Duration::from_secs(10);

/// Echoes of which the median counts. So many that what the first few wake up does not matter.
const ECHOES: usize = 3000;

/// Memory that held tunnels add to a fresh process. Each echoes once, so that buffers that will be needed are there.
pub(super) async fn held(dialer: &Dialer, tunnels: usize, measure: Measure) -> anyhow::Result<Figures> {
    let before = measure.usage();
    let held = open(dialer, tunnels).await?;
    tokio::time::sleep(measure.time).await;
    let settled = measure.usage();
    tokio::time::sleep(measure.time).await;
    let after = measure.usage();
    drop(held);
    let grown = after.memory.saturating_sub(before.memory);
    let idle = (after.total() - settled.total()) * 1e3 / measure.time.as_secs_f64();
    Ok(Figures::default()
        .with(Column::TunnelBytes, float(grown / (tunnels.max(1) as u64)))
        .with(Column::Memory, float(after.memory) / 1e6)
        .with(Column::IdleCpu, idle))
}

/// Memory that held connections of HTTP/2 add to a fresh process after a request on each, and then a tunnel on each.
pub(super) async fn sessions(dialer: &Dialer, connections: usize, measure: Measure) -> anyhow::Result<Figures> {
    let each = |grown: u64| float(grown / (connections.max(1) as u64));
    let before = measure.usage();
    let mut held = Vec::with_capacity(connections);
    for _ in 0..connections {
        held.push(dialer.session().await?);
    }
    tokio::time::sleep(measure.time).await;
    let idle = measure.usage();
    let mut figures = Figures::default().with(Column::ConnectionBytes, each(idle.memory.saturating_sub(before.memory)));
    let mut tunnels = Vec::with_capacity(connections);
    if held.iter().all(SendRequest::is_extended_connect_protocol_enabled) {
        for session in &held {
            let mut websocket = dialer.websocket_on(session.clone()).await?;
            echo(&mut websocket, b"hello").await?;
            tunnels.push(websocket);
        }
        tokio::time::sleep(measure.time).await;
        figures = figures.with(Column::TunnelBytes, each(measure.usage().memory.saturating_sub(idle.memory)));
    }
    let memory = measure.usage().memory;
    drop((tunnels, held));
    Ok(figures.with(Column::Memory, float(memory) / 1e6))
}

/// CPU of ten quiet seconds, and an echo after them beside one before the other tunnels were there.
pub(super) async fn quiet(dialer: &Dialer, tunnels: usize, measure: Measure) -> anyhow::Result<Figures> {
    let mut one = dialer.websocket().await?;
    let alone = median_echo(&mut one).await?;
    let held = open(dialer, tunnels.saturating_sub(1)).await?;
    // What opening them left to do.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = measure.usage();
    tokio::time::sleep(QUIET).await;
    let after = measure.usage();
    let among = median_echo(&mut one).await?;
    drop(held);
    Ok(Figures::default()
        .with(Column::IdleCpu, (after.total() - before.total()) * 1e3 / QUIET.as_secs_f64())
        .with(Column::Memory, float(after.memory) / 1e6)
        .with(Column::Alone, alone)
        .with(Column::Among, among))
}

async fn open(dialer: &Dialer, count: usize) -> anyhow::Result<Vec<Connection>> {
    let mut held = Vec::with_capacity(count);
    for _ in 0..count {
        let mut websocket = dialer.websocket().await?;
        echo(&mut websocket, b"hello").await?;
        held.push(websocket);
    }
    Ok(held)
}

async fn median_echo(websocket: &mut Connection) -> anyhow::Result<f64> {
    let mut took = turns::durations()?;
    for _ in 0..ECHOES {
        let start = Instant::now();
        echo(websocket, &[7; 64]).await?;
        turns::record(&mut took, start.elapsed());
    }
    Ok(float(took.value_at_quantile(0.5)))
}
