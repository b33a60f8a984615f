//! `tidegate demo`: the gateway at work, without a file to write first.
//!
//! ```text
//! visitor ═ wss ═▶ gateway ═ ws ═▶ endpoint a | b        all in this process, on free loopback ports
//!                     ▲
//!  stage: folder with certificate, configuration, and the balancer's file that the script replaces
//! ```

mod endpoint;
mod folder;
mod script;
mod stage;
mod visitor;

use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use tokio::task::JoinSet;

use super::terminal::{FAILED, complain, say};
use crate::config;
use crate::gateway::{self, BuildOptions, Gateway, Stopped};
use crate::telemetry;

use stage::Stage;

pub(super) use endpoint::DemoEndpoint;
pub(super) use folder::OwnFolder;
pub(super) use visitor::{DemoTunnel, Visitor};

/// How long the end of the demo waits for its own connections.
const PATIENCE: Duration = Duration::from_secs(2);

/// How to show it.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// End after the scripted part instead of serving on, with exit code 0 if everything went as it should
    #[arg(long)]
    once: bool,
    /// What the gateway logs to standard error meanwhile: error, warn, info, debug, trace or off
    #[arg(long, value_name = "LEVEL", default_value = "error")]
    log: String,
}

/// Shows it.
pub(super) fn demo(options: &Options) -> ExitCode {
    let played = play(options);
    telemetry::log::flush();
    match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("tidegate: {error:#}"));
            ExitCode::from(FAILED)
        }
    }
}

fn play(options: &Options) -> anyhow::Result<()> {
    telemetry::log::init(&options.log, telemetry::LineFormat::Text)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut servers = JoinSet::new();
        let mut endpoints = Vec::new();
        for name in ["a", "b"] {
            let endpoint = DemoEndpoint::bind(name).await.context("no free loopback port for an endpoint")?;
            endpoints.push(endpoint.address());
            servers.spawn(endpoint.serve());
        }
        let stage = Stage::set(&endpoints)?;
        let config = config::load(stage.config())?;
        let built = BuildOptions { compiler: gateway::own_compiler(), ..BuildOptions::default() };
        let gateway = Gateway::build_with(config, built).context("the gateway does not start")?;
        run(options, &stage, &gateway).await
        // Dropping `servers` ends the endpoints; dropping `stage` removes its folder.
    })
}

async fn run(options: &Options, stage: &Stage, gateway: &Gateway) -> anyhow::Result<()> {
    let mut running = pin!(gateway.run());
    let played = tokio::select! {
        stopped = &mut running => return farewell(stopped?),
        played = script::play(stage, gateway) => played,
    };
    if options.once || played.is_err() {
        gateway.stop(PATIENCE).await;
        return played;
    }
    script::invite(stage, gateway);
    farewell(running.await?)
}

fn farewell(stopped: Stopped) -> anyhow::Result<()> {
    match stopped.cut {
        0 => say("\nStopped; everybody was let go in peace."),
        cut => say(format_args!("\nStopped; {cut} connections were cut off.")),
    }
    Ok(())
}
