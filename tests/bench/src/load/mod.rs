//! Load: clients that always wait for the response before they go on, all on one thread.

mod connect;
pub(crate) mod dialer;
mod echo;
pub(crate) mod frame;
mod http;
mod idle;
pub(crate) mod session;
pub(crate) mod turns;

use std::time::Duration;

use clap::Args;

use crate::cpu::Usage;
use crate::figures::Figures;
use crate::scene::{self, Load, Scene};
use dialer::Dialer;

/// Which scene, against whom.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// echo-64, echo-16k, connect, http, http-close, idle, …; -tls with TLS; h2, wsh2-64, … over HTTP/2
    scene: Scene,
    /// Whom to ask, `ip:port`
    #[arg(long)]
    address: String,
    /// How long
    #[arg(long, default_value_t = 2.0, value_parser = scene::seconds)]
    seconds: f64,
    /// Process whose CPU and memory are read, descendants included
    #[arg(long)]
    process: Option<u32>,
    /// Connections, or streams of HTTP/2 on an eighth as many; instead of the scene's own number
    #[arg(long)]
    connections: Option<usize>,
    /// Operations, after which it ends early
    #[arg(long)]
    operations: Option<u64>,
    /// Path to ask for, instead of the scene's own
    #[arg(long)]
    path: Option<String>,
    /// Host to ask for
    #[arg(long, default_value = "localhost")]
    host: String,
    /// Figures as JSON
    #[arg(long)]
    json: bool,
}

/// How long and how often, and who is watched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    pub(crate) time: Duration,
    pub(crate) operations: Option<u64>,
    pub(crate) process: Option<u32>,
}

impl Measure {
    /// What the watched process has used so far.
    fn usage(self) -> Usage {
        self.process.map(Usage::of).unwrap_or_default()
    }

    /// `figures` with what the watched process spent since `before`.
    fn spent(self, before: Usage, after: Usage, operations: u64, figures: Figures) -> Figures {
        if self.process.is_some() { after.since(before, operations, figures) } else { figures }
    }
}

/// Measures, and prints the figures.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Scene { name, load, version, tls, .. } = arguments.scene;
    let path = arguments.path.clone().unwrap_or_else(|| arguments.scene.path());
    let dialer = Dialer::new(&arguments.address, &path, &arguments.host, version, tls)?;
    let measure = Measure {
        time: Duration::try_from_secs_f64(arguments.seconds)?,
        operations: arguments.operations,
        process: arguments.process,
    };
    let figures = play(load, &dialer, arguments.connections, measure).await?;
    if arguments.json {
        println!("{}", serde_json::to_string(&figures)?);
        return Ok(());
    }
    let shown: Vec<_> =
        figures.columns().filter_map(|column| figures.get(column).map(|value| (column, value))).collect();
    println!("{name}");
    for (column, value) in shown {
        let (heading, digits) = column.shown();
        println!("{heading:>14} {value:.digits$}");
    }
    Ok(())
}

/// Plays one scene.
pub(crate) async fn play(
    load: Load,
    dialer: &Dialer,
    connections: Option<usize>,
    measure: Measure,
) -> anyhow::Result<Figures> {
    let or = |own: usize| connections.unwrap_or(own);
    match load {
        Load::Echo { tunnels, size, ahead } => echo::run(dialer, or(tunnels), size, ahead, measure).await,
        Load::Connect { clients } => connect::run(dialer, or(clients), measure).await,
        Load::Http { clients, keep, body } => http::run(dialer, or(clients), keep, body, measure).await,
        Load::Idle { tunnels } => idle::held(dialer, or(tunnels), measure).await,
        Load::Sessions { connections } => idle::sessions(dialer, or(connections), measure).await,
        Load::Quiet { tunnels } => idle::quiet(dialer, or(tunnels), measure).await,
    }
}
