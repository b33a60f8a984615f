//! Prompts go to an endpoint that has their model, and among those to one that has had their beginning, unless that is
//! busier than others by too much.
//!
//! ```text
//! model ──▶ endpoints that have it ──▶ not full, not too busy ──▶ has had the longest beginning, beyond what is common
//!                                                           ╰─▶ none: least busy
//! ```

mod common;
mod memory;
mod settings;

use std::cmp::Reverse;
use std::collections::HashSet;

use tidegate_plugin::{
    About, Candidates, Choice, Chooser, Config, ConfigError, Describe, Endpoint, Handover, Preview, Sight, body,
    columns, config, export_chooser, metrics,
};

use common::CommonBlocks;
use memory::BlockMemory;
use settings::Settings;

/// Most bytes of state that a gateway takes.
const MOST_STATE: usize = 1 << 20;

/// The plugin.
#[derive(Debug)]
pub struct Inference {
    settings: Settings,
    endpoints: Vec<Known>,
    common: CommonBlocks,
    /// Which of several that are alike is asked first: each in turn.
    turn: usize,
}

/// An endpoint, and what it has had.
#[derive(Debug)]
struct Known {
    name: String,
    /// None: every model.
    models: Option<HashSet<String>>,
    memory: BlockMemory,
}

impl Known {
    fn has(&self, model: Option<&str>) -> bool {
        match (&self.models, model) {
            (Some(models), Some(model)) => models.contains(model),
            _ => true,
        }
    }
}

impl From<Endpoint> for Known {
    fn from(endpoint: Endpoint) -> Self {
        let label = endpoint.labels.into_iter().find(|(key, _)| key == "models");
        let models = label.map(|(_, models)| models.split(',').map(|model| model.trim().to_owned()).collect());
        Self { name: endpoint.name, models, memory: BlockMemory::default() }
    }
}

/// A candidate that has the model.
#[derive(Clone, Copy)]
struct Able {
    id: u32,
    busy: u32,
    is_full: bool,
    /// Blocks that it has had.
    matched: usize,
}

impl Chooser for Inference {
    fn configure(config: &str, endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        let settings = Settings::read(config)?;
        if settings.block > settings.bytes {
            let message = format!("expected at most `bytes`, {}, found {}", settings.bytes, settings.block);
            return Err(vec![config::fault("/block", message)]);
        }
        Ok(Self {
            settings,
            endpoints: endpoints.into_iter().map(Known::from).collect(),
            common: CommonBlocks::default(),
            turn: 0,
        })
    }

    fn choose(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Choice {
        let (model, blocks) = (body::field("model"), body::blocks());
        let able = self.able(candidates, model.as_deref(), &blocks);
        if self.settings.refuse && !able.is_empty() && able.iter().all(|one| one.is_full) {
            metrics::count("choices", "full", 1.0);
            return Choice::refuse(429, Some(1));
        }
        let Some((chosen, reason)) = self.best(&able, self.common.common(&blocks, able.len())) else {
            metrics::count("choices", "no-model", 1.0);
            return Choice::refuse(503, None);
        };
        metrics::count("choices", reason, 1.0);
        let new = u32::try_from(blocks.len() - chosen.matched).unwrap_or(u32::MAX);
        metrics::count("blocks", "had", u32::try_from(chosen.matched).unwrap_or(u32::MAX).into());
        metrics::count("blocks", "new", new.into());
        self.turn = self.turn.wrapping_add(1);
        let most = self.remembered();
        self.common.add(&blocks, most);
        if let Some(known) = self.known(chosen.id) {
            known.memory.add(&blocks, most);
        }
        Choice::take(chosen.id, new.clamp(1, 1000))
    }
}

impl Inference {
    /// The candidates that have the model.
    fn able(&self, candidates: Candidates<'_>, model: Option<&str>, blocks: &[u32]) -> Vec<Able> {
        let [waiting, cache] = ["waiting", "cache"].map(columns::signal);
        let over = |column: &[f64], at: usize, limit: f64| column.get(at).is_some_and(|value| *value >= limit);
        let limits = (f64::from(self.settings.waiting), f64::from(self.settings.cache) / 100.0);
        let able = candidates.iter().enumerate().filter_map(|(at, candidate)| {
            let known = usize::try_from(candidate.id).ok().and_then(|id| self.endpoints.get(id))?;
            known.has(model).then(|| Able {
                id: candidate.id,
                busy: candidate.busy,
                // What is not known is NaN, and over nothing.
                is_full: over(&waiting, at, limits.0) || over(&cache, at, limits.1),
                matched: known.memory.matched(blocks),
            })
        });
        able.collect()
    }

    /// Who gets a prompt, and why. `common` of its blocks say nothing.
    fn best(&self, able: &[Able], common: usize) -> Option<(Able, &'static str)> {
        let open = |one: &&Able| !one.is_full || able.iter().all(|one| one.is_full);
        // Those that are alike have it in turn: an endpoint that is always the first would have all of a quiet hour.
        let turned = |one: &Able| (usize::try_from(one.id).unwrap_or_default() + self.turn) % able.len();
        let least = able.iter().filter(open).min_by_key(|one| (one.busy, turned(one)))?;
        let limit = least.busy.saturating_add(self.settings.slack);
        let near = able.iter().filter(open).filter(|one| one.busy <= limit);
        let longest = near.max_by_key(|one| (one.matched, Reverse((one.busy, turned(one)))))?;
        Some(if longest.matched > common { (*longest, "prefix") } else { (*least, "least-busy") })
    }

    fn known(&mut self, id: u32) -> Option<&mut Known> {
        usize::try_from(id).ok().and_then(|id| self.endpoints.get_mut(id))
    }

    fn remembered(&self) -> usize {
        usize::try_from(self.settings.remembered).unwrap_or(usize::MAX)
    }
}

impl Preview for Inference {
    fn wants(&self) -> Sight {
        Sight { bytes: self.settings.bytes, block: self.settings.block }
    }
}

/// What each endpoint has had, by its name: a line of that and the length of what follows, and the blocks of four bytes.
impl Handover for Inference {
    fn save(&self) -> Vec<u8> {
        let each = MOST_STATE / 4 / self.endpoints.len().max(1);
        let mut state = Vec::new();
        for known in &self.endpoints {
            let mut blocks: Vec<u32> = known.memory.iter().collect();
            // The latest, as far as there is room beside the name.
            let room = each.saturating_sub(known.name.len() / 4 + 8);
            blocks.drain(..blocks.len().saturating_sub(room));
            state.extend_from_slice(format!("{} {}\n", known.name, blocks.len()).as_bytes());
            state.extend(blocks.iter().flat_map(|block| block.to_le_bytes()));
        }
        state
    }

    fn restore(&mut self, mut state: &[u8]) -> Result<(), String> {
        let most = self.remembered();
        while !state.is_empty() {
            let (name, blocks, rest) = saved(state).ok_or("expected a name, a number and as many blocks")?;
            state = rest;
            if let Some(known) = self.endpoints.iter_mut().find(|known| known.name == name) {
                known.memory.add(&blocks, most);
            }
        }
        Ok(())
    }
}

/// One endpoint of a state, and what is behind it.
fn saved(state: &[u8]) -> Option<(&str, Vec<u32>, &[u8])> {
    let end = state.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = (state.get(..end)?, state.get(end + 1..)?);
    let (name, count) = std::str::from_utf8(line).ok()?.rsplit_once(' ')?;
    let (blocks, rest) = rest.split_at_checked(count.parse::<usize>().ok()?.checked_mul(4)?)?;
    Some((name, blocks.as_chunks().0.iter().copied().map(u32::from_le_bytes).collect(), rest))
}

impl Describe for Inference {
    fn description() -> About {
        About {
            name: "inference".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Prompts go where their model is and their beginning has been, unless that is too busy."
                .to_owned(),
            schema: Some(Settings::schema()),
        }
    }
}

export_chooser!(Inference + Handover + Preview + Describe);

#[cfg(test)]
mod tests;
