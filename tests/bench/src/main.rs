//! Measures Tidegate beside the proxies that are installed: same endpoints, same load, interleaved rounds.
//!
//! ```text
//! compare ─┬─▶ endpoint × 2 ◀── nginx | haproxy | … | tidegate ◀── load SCENE      (a process each)
//!          └─▶ CPU and memory of the proxy's own processes, medians over the rounds ─▶ table
//! ```
//!
//! docs/performance.md says what is counted, and how to read it.

mod compare;
mod cpu;
mod endpoint;
mod figures;
mod forward;
mod guided;
mod instructions;
mod load;
mod machine;
mod own;
mod peer;
mod process;
mod scene;
mod stage;
mod stream;
mod table;

use std::process::ExitCode;

use anyhow::bail;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

/// The forwarder is not to be slower than need be, and the library of HTTP/2 allocates for each stream.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Tidegate beside the proxies that are installed.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Side by side: every proxy that is installed, in front of the same two endpoints
    Compare(compare::Arguments),
    /// What only Tidegate is asked: spread over workers, swaps, start, memory after many swaps
    Own(own::Arguments),
    /// CPU instructions of an HTTP request, a new tunnel and a tunnel message, counted by callgrind
    Instructions(instructions::Arguments),
    /// Builds the gateway guided by a profile of the scenes: the fastest binary, in two builds
    Guided(guided::Arguments),
    /// One scene against an address
    Load(load::Arguments),
    /// An endpoint: HTTP/1.1, HTTP/2, and a websocket echo over both
    Endpoint(endpoint::Arguments),
    /// The limit to compare with: bytes there and back, or HTTP/2; no decision
    Forward(forward::Arguments),
}

fn main() -> ExitCode {
    match start(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(cli: Cli) -> anyhow::Result<()> {
    // A tunnel takes two descriptors of a proxy, which inherits this limit.
    rlimit::increase_nofile_limit(u64::MAX)?;
    if let Command::Forward(arguments) = &cli.command {
        return forward::run(arguments);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Command::Endpoint(arguments) = &cli.command {
        // Starts nothing, and whoever started it ends it by a signal: nothing to tell.
        return runtime.block_on(endpoint::run(arguments));
    }
    runtime.block_on(async {
        let (mut terminate, mut hangup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
        // Whatever was started is stopped as it is dropped, so also then.
        tokio::select! {
            done = run(cli.command) => done,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            _ = terminate.recv() => bail!("terminated"),
            _ = hangup.recv() => bail!("the terminal is gone"),
        }
    })
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Compare(arguments) => compare::run(&arguments).await,
        Command::Own(arguments) => own::run(&arguments).await,
        Command::Instructions(arguments) => instructions::run(&arguments).await,
        Command::Guided(arguments) => guided::run(&arguments).await,
        Command::Load(arguments) => load::run(&arguments).await,
        Command::Endpoint(_) | Command::Forward(_) => Ok(()),
    }
}
