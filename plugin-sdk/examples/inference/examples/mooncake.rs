//! Hit ratios of the plugin on a trace of requests: `zcat trace.jsonl.gz | cargo run --release --example mooncake`.
//!
//! A line is one request, as Mooncake publishes them: `timestamp` in milliseconds, `input_length` in tokens, `hash_ids` of
//! its blocks of 512 tokens. Eight endpoints work one request after the other, 10,240 tokens a second, and keep the 5,000
//! blocks that were used last; a block that is kept takes no time.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a tool"
)]

use std::collections::{HashMap, VecDeque};
use std::io::stdin;

use tidegate_example_inference::Inference;
use tidegate_plugin::fake::{self, Host};
use tidegate_plugin::{Candidates, Choice, Chooser as _};

const ENDPOINTS: usize = 8;
const KEPT: usize = 5000;
const TOKENS_A_BLOCK: f64 = 512.0;
const TOKENS_A_SECOND: f64 = 10_240.0;

struct Request {
    at: f64,
    blocks: Vec<u32>,
}

#[derive(Default)]
struct Server {
    /// Block to when it was used last.
    cache: HashMap<u32, u64>,
    order: VecDeque<(u32, u64)>,
    uses: u64,
    /// Ends and units of what it works on or has waiting.
    open: VecDeque<(f64, u32)>,
}

impl Server {
    /// Blocks that were there. All are there afterwards.
    fn serve(&mut self, blocks: &[u32]) -> usize {
        let hits = blocks.iter().take_while(|block| self.cache.contains_key(block)).count();
        for block in blocks {
            self.uses += 1;
            self.cache.insert(*block, self.uses);
            self.order.push_back((*block, self.uses));
        }
        while self.cache.len() > KEPT {
            let Some((block, used)) = self.order.pop_front() else { break };
            if self.cache.get(&block) == Some(&used) {
                self.cache.remove(&block);
            }
        }
        hits
    }
}

fn run(name: &str, trace: &[Request], mut choose: impl FnMut(&Request, &[u32]) -> (usize, u32)) {
    let mut servers: [Server; ENDPOINTS] = Default::default();
    let (mut hits, mut all, mut waits, mut got) = (0, 0, Vec::new(), [0_u32; ENDPOINTS]);
    for request in trace {
        let busy: Vec<u32> = servers
            .iter_mut()
            .map(|server| {
                server.open.retain(|(end, _)| *end > request.at);
                server.open.iter().map(|(_, units)| units).sum()
            })
            .collect();
        let (chosen, units) = choose(request, &busy);
        let server = &mut servers[chosen];
        let had = server.serve(&request.blocks);
        let work = (request.blocks.len() - had) as f64 * TOKENS_A_BLOCK / TOKENS_A_SECOND;
        let end = server.open.back().map_or(request.at, |(end, _)| end.max(request.at)) + work;
        server.open.push_back((end, units));
        waits.push(end - request.at);
        (hits, all, got[chosen]) = (hits + had, all + request.blocks.len(), got[chosen] + 1);
    }
    waits.sort_by(f64::total_cmp);
    let at = |share: usize| waits.get(waits.len() * share / 100).copied().unwrap_or_default();
    let most = got.iter().max().copied().map_or(0.0, f64::from) * ENDPOINTS as f64 / trace.len() as f64;
    let ratio = hits as f64 / all as f64;
    println!("| {name} | {ratio:.3} | {:.2} | {:.2} | {most:.2} |", at(50), at(90));
}

fn main() {
    let trace: Vec<Request> = stdin()
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line.expect("text")).expect("a JSON object a line");
            let blocks = line["hash_ids"].as_array().expect("`hash_ids`").iter();
            Request {
                at: line["timestamp"].as_f64().expect("`timestamp`") / 1000.0,
                blocks: blocks.map(|id| u32::try_from(id.as_u64().expect("a number")).expect("a small one")).collect(),
            }
        })
        .collect();
    println!("| policy | hit ratio | first token p50 s | p90 s | most / mean |\n|---|---|---|---|---|");
    let mut random = 1_u64;
    run("random", &trace, |_, _| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((random >> 33) as usize % ENDPOINTS, 1)
    });
    run("least busy", &trace, |_, busy| ((0..ENDPOINTS).min_by_key(|id| busy[*id]).unwrap_or(0), 1));
    run("hash of 2 blocks", &trace, |request, _| {
        let hash =
            request.blocks.iter().take(2).fold(0_u64, |hash, block| {
                (hash ^ u64::from(*block)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)
            });
        (hash as usize % ENDPOINTS, 1)
    });
    let host = Host::new();
    for slack in [16, 64, 256, 1024] {
        let endpoints = (0..ENDPOINTS).map(|id| fake::endpoint(&format!("http://{id}"))).collect();
        let mut plugin =
            Inference::configure(&format!("{{\"slack\": {slack}}}"), endpoints).expect("its configuration");
        let ids: Vec<u32> = (0..8).collect();
        run(&format!("inference, slack {slack}"), &trace, |request, busy| {
            host.body_blocks(request.blocks.clone());
            match plugin.choose(Candidates::new(&ids, busy), None) {
                Choice::Take(taken) => (taken.endpoint as usize, taken.units),
                Choice::Refuse(_) => (0, 1),
            }
        });
    }
}
