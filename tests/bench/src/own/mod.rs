//! What only Tidegate is asked: how tunnels spread over workers, what a swap costs those who talk meanwhile, how soon
//! it serves, what swaps leave in memory, what choosing by bodies costs.

mod gateway;
mod prompts;
mod spread;
mod start;
mod swaps;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::stage::Stage;

/// Which, and how much.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Which, instead of spread, swap and start
    #[arg(long, value_delimiter = ',', default_values = ["spread", "swap", "start"])]
    scenes: Vec<Kind>,
    /// Tidegate's binary
    #[arg(long, default_value = "target/dist/tidegate")]
    gateway: PathBuf,
    /// Worker threads, for `spread`
    #[arg(long, default_value_t = 4)]
    workers: usize,
    /// The inference balancer, for `prompts`
    #[arg(long, default_value = "target/wasm32-unknown-unknown/release/tidegate_example_inference.wasm")]
    plugin: PathBuf,
    /// How long an echo is measured, for `swap`; a round, for `prompts`
    #[arg(long, default_value_t = 5.0, value_parser = crate::scene::seconds)]
    seconds: f64,
    /// How many, for `swaps-memory`
    #[arg(long, default_value_t = 10_000)]
    swaps: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Connections of each worker with 64 and with 5,000 tunnels
    Spread,
    /// p99 of an echo with a plugin swap every 100 ms, and without
    Swap,
    /// From start to the first response, with what was compiled before
    Start,
    /// Memory after 100 swaps and after many; takes minutes
    SwapsMemory,
    /// What the inference balancer adds to prompts of 220 KB, 130 a second
    Prompts,
}

/// Plays them one after the other.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let stage = Stage::set()?;
    for scene in &arguments.scenes {
        match scene {
            Kind::Spread => spread::run(&stage, &arguments.gateway, arguments.workers).await?,
            Kind::Swap => swaps::latency(&stage, &arguments.gateway, arguments.seconds).await?,
            Kind::Start => start::run(&stage, &arguments.gateway).await?,
            Kind::Prompts => prompts::run(&stage, &arguments.gateway, &arguments.plugin, arguments.seconds).await?,
            Kind::SwapsMemory => swaps::memory(&stage, &arguments.gateway, arguments.swaps).await?,
        }
    }
    Ok(())
}
