//! What choosing by the beginning of a body costs: long prompts, as many a second as come, through the inference
//! balancer and through `bybusyness`, in turns.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::cpu::Usage;
use crate::figures::{float, median};
use crate::load::dialer::{Dialer, Version};
use crate::load::turns::{Durations, durations, record};
use crate::peer::tidegate::{self, Setup};
use crate::peer::{Ports, START, listening};
use crate::process::Group;
use crate::stage::Stage;

/// Bytes of a prompt, as those of published figures.
const BYTES: usize = 220_000;

/// Requests a second: where the external picker of those figures is at its limit.
const RATE: u32 = 130;

/// Rounds of each; medians count.
const ROUNDS: usize = 5;

/// Milliseconds that it may add to the median and to the 99th percentile, and take of a processor.
const MOST: f64 = 1.0;

/// Prompts that differ; the first half of each is the same.
const PROMPTS: usize = 64;

/// Plays both, one round after the other.
pub(super) async fn run(stage: &Stage, program: &Path, plugin: &Path, seconds: f64) -> anyhow::Result<()> {
    let plugin = plugin.canonicalize().with_context(|| format!("{}: build it, see its page", plugin.display()))?;
    println!("\n## prompts: {BYTES} bytes, {RATE} a second, open loop; at most {MOST} ms more than bybusyness");
    let table = format!("[plugin.inference]\nfile = {plugin:?}\n");
    let picked = Balanced::start(stage, program, "balancer = \"inference\"\n", &table).await?;
    // Each has its configuration in a folder of its own, and endpoints.
    let beside = Stage::set()?;
    let usual = Balanced::start(&beside, program, "balancer = \"bybusyness\"\n", "").await?;
    let bodies: Arc<[Vec<u8>]> = (0..PROMPTS).map(body).collect();
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (one, other) = (picked.round(&bodies, seconds).await?, usual.round(&bodies, seconds).await?);
        // The first makes connections, and compiles.
        if round > 0 {
            with.push(one);
            without.push(other);
        }
    }
    println!("| ms | inference | bybusyness | difference |\n|---|---|---|---|");
    for (name, figure) in
        [("p50", Round::p50 as fn(&Round) -> f64), ("p99", Round::p99), ("CPU of a request", Round::cpu)]
    {
        let [one, other] = [&with, &without].map(|rounds| median(rounds.iter().map(figure).collect()));
        let verdict = if one - other <= MOST { "met" } else { "missed" };
        println!("| {name} | {one:.2} | {other:.2} | {:.2}: {verdict} |", one - other);
    }
    Ok(())
}

/// A gateway with one balancer.
struct Balanced {
    group: Group,
    dialer: Dialer,
}

/// What came of a round.
struct Round {
    took: Durations,
    /// Seconds of a processor, of the gateway's process.
    used: f64,
}

impl Round {
    fn p50(&self) -> f64 {
        float(self.took.value_at_quantile(0.5)) / 1e3
    }

    fn p99(&self) -> f64 {
        float(self.took.value_at_quantile(0.99)) / 1e3
    }

    fn cpu(&self) -> f64 {
        self.used * 1e3 / float(self.took.len().max(1))
    }
}

impl Balanced {
    async fn start(stage: &Stage, program: &Path, cluster: &str, tables: &str) -> anyhow::Result<Self> {
        let ports = Ports::free()?;
        let mut command = Command::new(program);
        tidegate::configure(&mut command, stage, ports, &Setup { cluster, tables, ..Setup::default() })?;
        let group = listening(command, &stage.path("prompts.log"), ports.plain, START).await?;
        let dialer = Dialer::new(&ports.plain().to_string(), "/", "localhost", Version::Http1, false)?;
        Ok(Self { group, dialer })
    }

    /// A request is late from when it should have been sent.
    async fn round(&self, bodies: &Arc<[Vec<u8>]>, seconds: f64) -> anyhow::Result<Round> {
        let (pool, mut tasks) = (Arc::new(Mutex::new(Vec::new())), Vec::new());
        let (start, before) = (Instant::now(), Usage::of(self.group.id()).total());
        let time = Duration::try_from_secs_f64(seconds)?;
        for number in 0_u32.. {
            let due = Duration::from_secs(1) * number / RATE;
            if due >= time {
                break;
            }
            tokio::time::sleep_until((start + due).into()).await;
            let (pool, dialer, bodies) = (pool.clone(), self.dialer.clone(), bodies.clone());
            tasks.push(tokio::spawn(async move {
                let waiting = pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut connection = match waiting {
                    Some(connection) => connection,
                    None => dialer.connect().await?,
                };
                let body = bodies.iter().cycle().nth(number as usize % PROMPTS).map_or(&[][..], Vec::as_slice);
                dialer.post(&mut connection, body).await?;
                let took = start.elapsed().saturating_sub(due);
                pool.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
                anyhow::Ok(took)
            }));
        }
        let mut took = durations()?;
        for task in tasks {
            record(&mut took, task.await??);
        }
        Ok(Round { took, used: Usage::of(self.group.id()).total() - before })
    }
}

fn body(number: usize) -> Vec<u8> {
    let text = "The quick brown fox jumps over the lazy dog. ";
    let shared = text.repeat(BYTES / 2 / text.len());
    let own = format!("{number:08} {text}").repeat(BYTES / 2 / (text.len() + 9));
    format!("{{\"model\":\"llama-3-8b\",\"stream\":false,\"prompt\":\"{shared}{own}\"}}").into_bytes()
}
