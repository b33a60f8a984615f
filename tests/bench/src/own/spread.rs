//! How long tunnels spread over the worker threads.

use std::path::Path;

use super::gateway::Gateway;
use crate::figures::float;
use crate::load::dialer::{Dialer, Version, echo};
use crate::stage::Stage;

const TUNNELS: [usize; 2] = [64, 5000];

/// No worker may hold more than this many times its share.
const MOST: f64 = 1.25;

pub(super) async fn run(stage: &Stage, program: &Path, workers: usize) -> anyhow::Result<()> {
    println!("\n## spread over {workers} workers: none above {MOST} × its share");
    for count in TUNNELS {
        let gateway = Gateway::start(stage, program, workers).await?;
        let dialer = Dialer::new(&gateway.address(), "/ws", "localhost", Version::Http1, false)?;
        let mut held = Vec::with_capacity(count);
        for _ in 0..count {
            let mut websocket = dialer.websocket().await?;
            echo(&mut websocket, b"hello").await?;
            held.push(websocket);
        }
        let loads = gateway.metric("tidegate_worker_connections").await?;
        let most = loads.iter().copied().fold(0.0, f64::max) * float(workers as u64) / float(count as u64);
        let verdict = if most <= MOST { "met" } else { "missed" };
        println!("{count:5} tunnels: {loads:?}, the fullest has {most:.2} × its share: {verdict}");
    }
    Ok(())
}
