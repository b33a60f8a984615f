//! From the start of the process to the first response through it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::figures::median;
use crate::load::dialer::{Dialer, Version};
use crate::peer::{Ports, tidegate};
use crate::process::Group;
use crate::stage::Stage;

/// Starts of which the median counts, after one that fills the cache.
const STARTS: usize = 11;

/// Milliseconds that a start with a warm cache may take.
const MOST: f64 = 150.0;

/// Between two tries to connect.
const LOOK: Duration = Duration::from_millis(1);

/// Longest start.
const LIMIT: Duration = Duration::from_secs(30);

pub(super) async fn run(stage: &Stage, program: &Path) -> anyhow::Result<()> {
    println!("\n## start: first response within {MOST} ms, with what was compiled before");
    let _nothing_yet = std::fs::remove_dir_all(stage.path("tidegate-cache"));
    let cold = once(stage, program).await?;
    let mut warm = Vec::new();
    for _ in 0..STARTS {
        warm.push(once(stage, program).await?);
    }
    let warm = median(warm);
    let verdict = if warm <= MOST { "met" } else { "missed" };
    println!("cold {cold:.0} ms, warm {warm:.0} ms (median of {STARTS}): {verdict}");
    Ok(())
}

/// Milliseconds.
async fn once(stage: &Stage, program: &Path) -> anyhow::Result<f64> {
    let ports = Ports::free()?;
    let address = ports.plain().to_string();
    let dialer = Dialer::new(&address, "/", "localhost", Version::Http1, false)?;
    let mut command = Command::new(program);
    tidegate::configure(&mut command, stage, ports, &tidegate::Setup::default())?;
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let _running = Group::spawn(command)?;
    loop {
        if let Ok(mut connection) = dialer.connect().await {
            dialer.request(&mut connection, &[], true).await?;
            return Ok(start.elapsed().as_secs_f64() * 1e3);
        }
        ensure!(start.elapsed() < LIMIT, "does not serve after {LIMIT:?}");
        tokio::time::sleep(LOOK).await;
    }
}
