//! CPU instructions of an operation, counted by valgrind's callgrind: the same on a busy machine as on an idle one.
//!
//! The gateway runs twice, with so many operations and with twice as many. What the second run executed more is what
//! they cost; the start, which is the same in both, falls out. The kernel's part is not counted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::{Args, ValueEnum};

use crate::compare::spawn_load;
use crate::figures::float;
use crate::load::session::STREAMS;
use crate::peer::{Ports, listening, tidegate};
use crate::process::program;
use crate::scene::Scene;
use crate::stage::Stage;

/// How much slower than on its own a program may be under callgrind, in seconds for one scene.
const PATIENCE: f64 = 600.0;

/// How long the gateway may take to listen.
const START: Duration = Duration::from_secs(180);

/// Which, how many, and how much they may cost.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Which, instead of all
    #[arg(long, value_delimiter = ',')]
    scenes: Vec<Kind>,
    /// Tidegate's binary
    #[arg(long, default_value = "target/dist/tidegate")]
    gateway: PathBuf,
    /// Operations of the first run, ten times as many messages; the second does twice as many
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..))]
    operations: u64,
    /// Fails if an operation costs more: `http=60000,message=3000`
    #[arg(long, value_delimiter = ',', value_parser = limit)]
    limit: Vec<(Kind, f64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Kind {
    /// A request on a connection that stays open
    Http,
    /// A new tunnel, with one message and its end
    Connect,
    /// A message through a tunnel, there and back
    Message,
    /// A request on a stream of HTTP/2
    H2,
    /// A message through a tunnel on a stream of HTTP/2, there and back
    Wsh2,
}

impl Kind {
    fn scene(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Connect => "connect",
            Self::Message => "echo-64",
            Self::H2 => "h2",
            Self::Wsh2 => "wsh2-64",
        }
    }

    /// Connections: as many for each, with HTTP/2 full of streams.
    fn clients(self) -> usize {
        match self {
            Self::Http | Self::Connect | Self::Message => 4,
            Self::H2 | Self::Wsh2 => 4 * STREAMS,
        }
    }

    /// Operations for each that is asked for. Two starts differ by up to three million instructions: little beside
    /// thousands of requests, and as much as a thousand messages.
    fn times(self) -> u64 {
        match self {
            Self::Http | Self::Connect | Self::H2 => 1,
            Self::Message | Self::Wsh2 => 10,
        }
    }
}

fn limit(text: &str) -> Result<(Kind, f64), String> {
    let (kind, most) = text.split_once('=').ok_or("write it as `http=60000`")?;
    Ok((Kind::from_str(kind, false)?, most.parse().map_err(|error| format!("{error}"))?))
}

/// Counts, prints, and fails where a limit is passed.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let valgrind = program("VALGRIND", &["valgrind"]).context("valgrind is not installed")?;
    let gateway = &arguments.gateway;
    ensure!(gateway.is_file(), "{} is not there: --gateway names another", gateway.display());
    let limits: BTreeMap<_, _> = arguments.limit.iter().copied().collect();
    let scenes = if arguments.scenes.is_empty() { Kind::value_variants() } else { &arguments.scenes };
    let stage = Stage::set()?;
    // Once for nothing: plugins are compiled, for the processor that valgrind pretends to be.
    count(&stage, &valgrind, gateway, Kind::Http, 1).await?;
    let mut over = Vec::new();
    for kind in scenes {
        let operations = kind.times() * arguments.operations;
        let less = count(&stage, &valgrind, gateway, *kind, operations).await?;
        let more = count(&stage, &valgrind, gateway, *kind, 2 * operations).await?;
        let each = (more.instructions - less.instructions) / (more.operations - less.operations);
        let most = limits.get(kind).copied();
        let said = most.map_or(String::new(), |most| format!(", at most {most:.0}"));
        println!("{:8} {each:10.0} instructions each{said}", kind.scene());
        if most.is_some_and(|most| each > most) {
            over.push(kind.scene());
        }
    }
    if over.is_empty() { Ok(()) } else { bail!("more than allowed: {}", over.join(", ")) }
}

/// One run of the gateway.
struct Counted {
    instructions: f64,
    operations: f64,
}

async fn count(stage: &Stage, valgrind: &Path, gateway: &Path, kind: Kind, operations: u64) -> anyhow::Result<Counted> {
    let ports = Ports::free()?;
    let setup = tidegate::Setup { workers: 1, ..tidegate::Setup::default() };
    let log = stage.path("callgrind.log");
    let mut command = Command::new(valgrind);
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(gateway);
    tidegate::configure(&mut command, stage, ports, &setup)?;
    let group = listening(command, &log, ports.plain, START).await.context("under callgrind")?;
    let scene = kind.scene().parse::<Scene>().map_err(anyhow::Error::msg)?;
    let address = ports.address(&scene).to_string();
    let (clients, wanted) = (kind.clients().to_string(), operations.to_string());
    let more = ["--connections", clients.as_str(), "--operations", wanted.as_str()];
    let figures = spawn_load(scene.name, &address, None, PATIENCE, &more, stage).await?;
    let done = figures.get(crate::figures::Column::Operations).context("no operations")?;
    group.end().await?;
    let text = std::fs::read_to_string(&log)?;
    let collected =
        text.lines().find_map(|line| line.split_once("Collected : ")).context("callgrind reported nothing")?;
    let instructions: u64 = collected.1.trim().parse()?;
    ensure!(done >= float(operations), "only {done} of {operations} operations were done");
    Ok(Counted { instructions: float(instructions), operations: done })
}
