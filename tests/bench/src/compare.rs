//! Side by side, in rounds: each proxy plays every scene, then the next, and all of them again.
//!
//! Rounds are interleaved so that a machine that grows slower or busier meanwhile does so for every proxy.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::{Args, ValueEnum as _};

use crate::figures::Figures;
use crate::peer::{Peer, Running};
use crate::process::Group;
use crate::scene::{self, Scene};
use crate::stage::Stage;
use crate::table;

/// Beyond the time that a scene is to take: connecting thousands, and a busy machine.
const SPARE: Duration = Duration::from_secs(120);

/// Medians by scene and proxy.
pub(crate) type Results = BTreeMap<&'static str, BTreeMap<Peer, Figures>>;

/// Who, in what, how long.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Proxies, instead of all that are installed; Tidegate is always among them
    #[arg(long, value_delimiter = ',')]
    only: Vec<Peer>,
    /// Scenes, instead of the usual ones; besides there are post-16k, post-16k-tls, stream-1, stream-64 and idle-9000
    #[arg(long, value_delimiter = ',')]
    scenes: Vec<Scene>,
    /// Rounds, of which the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long a scene lasts
    #[arg(long, default_value_t = 2.0, value_parser = scene::seconds)]
    seconds: f64,
    /// Tidegate's binary
    #[arg(long, default_value = "target/dist/tidegate")]
    gateway: PathBuf,
    /// Writes the medians as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Writes the tables as docs/performance.md has them
    #[arg(long)]
    markdown: Option<PathBuf>,
}

/// Measures, and prints a table for each scene.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let peers = installed(arguments)?;
    let usual = || scene::ALL.iter().filter(|scene| scene.usual).copied().collect();
    let scenes: Vec<Scene> = if arguments.scenes.is_empty() { usual() } else { arguments.scenes.clone() };
    let stage = Stage::set()?;
    let mut runs: BTreeMap<(&'static str, Peer), Vec<Figures>> = BTreeMap::new();
    for round in 1..=arguments.rounds {
        for (peer, program) in &peers {
            eprintln!("[{round}/{}] {}", arguments.rounds, peer.name());
            for (scene, figures) in play(*peer, program, &stage, &scenes, arguments.seconds).await {
                match figures {
                    Ok(figures) => runs.entry((scene, *peer)).or_default().push(figures),
                    Err(error) => eprintln!("{} {scene}: {error:#}", peer.name()),
                }
            }
        }
    }
    let mut results = Results::new();
    for ((scene, peer), runs) in runs {
        results.entry(scene).or_default().insert(peer, Figures::median(&runs));
    }
    let peers: Vec<Peer> = peers.into_iter().map(|(peer, _)| peer).collect();
    let tables = table::Tables { scenes: &scenes, peers: &peers, results: &results };
    print!("{}", tables.text());
    if let Some(file) = &arguments.json {
        fs::write(file, tables.json()?).with_context(|| file.display().to_string())?;
    }
    if let Some(file) = &arguments.markdown {
        let text = tables.markdown(arguments.rounds, arguments.seconds);
        fs::write(file, text).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// Those that were asked for and are there, with their programs.
fn installed(arguments: &Arguments) -> anyhow::Result<Vec<(Peer, PathBuf)>> {
    let mut peers = Vec::new();
    for peer in Peer::value_variants() {
        if !arguments.only.is_empty() && !arguments.only.contains(peer) && *peer != Peer::Tidegate {
            continue;
        }
        match peer.program(&arguments.gateway) {
            Some(program) => peers.push((*peer, program)),
            None if *peer == Peer::Tidegate => bail!(
                "{} is not there: `cargo build --profile dist` makes it, --gateway names another",
                arguments.gateway.display()
            ),
            None => eprintln!("{} is not installed, left out", peer.name()),
        }
    }
    Ok(peers)
}

type Played = Vec<(&'static str, anyhow::Result<Figures>)>;

/// Every scene with one proxy.
async fn play(peer: Peer, program: &Path, stage: &Stage, scenes: &[Scene], seconds: f64) -> Played {
    let mut played = Vec::new();
    let mut running: Option<Running> = None;
    for scene in scenes {
        if peer.cannot(scene).is_some() {
            continue;
        }
        if scene.load.wants_fresh() {
            running = None;
        }
        let ready = match running.take() {
            Some(running) => Ok(running),
            None => peer.start(program, stage).await,
        };
        let figures = match ready {
            Ok(ready) => load(scene, running.insert(ready), stage, seconds).await,
            Err(error) => Err(error),
        };
        played.push((scene.name, figures));
    }
    played
}

/// One scene, by a load tool in a process of its own.
async fn load(scene: &Scene, peer: &Running, stage: &Stage, seconds: f64) -> anyhow::Result<Figures> {
    let watched = peer.process();
    spawn_load(scene.name, &peer.address(scene).to_string(), watched, seconds, &[], stage).await
}

/// Runs `tidegate-bench load` beside, and reads its figures.
pub(crate) async fn spawn_load(
    scene: &str,
    address: &str,
    process: Option<u32>,
    seconds: f64,
    more: &[&str],
    stage: &Stage,
) -> anyhow::Result<Figures> {
    let output = stage.path("load.json");
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["load", scene, "--json", "--address", address, "--seconds", &seconds.to_string()]).args(more);
    if let Some(process) = process {
        command.args(["--process", &process.to_string()]);
    }
    command.stdout(fs::File::create(&output)?).stderr(Stdio::inherit());
    let mut group = Group::spawn(command)?;
    let limit = Duration::try_from_secs_f64(seconds)? + SPARE;
    let status = group.wait(limit).await?.with_context(|| format!("not done within {limit:?}"))?;
    ensure!(status.success(), "the load tool ended with {status}");
    Ok(serde_json::from_str(&fs::read_to_string(&output)?)?)
}
