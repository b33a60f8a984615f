//! What a plugin may use: time, memory, tables, instances, capabilities.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use wasmtime::ResourceLimiter;

use crate::config::Allow;

/// Limits of one plugin, as the operator set them.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct PluginLimits {
    /// Longest time for one call, rounded up to ticks of 4 ms. Wall clock, but a tick in which the call did not get to
    /// run at all is not charged; never early. Default 20 ms.
    pub deadline: Duration,
    /// What one instance may hold, in bytes: all its memories, globals, functions and tables together. Default 64 MiB.
    pub memory: usize,
    /// Capabilities that are granted. Default all.
    pub allow: Allow,
}

impl Default for PluginLimits {
    fn default() -> Self {
        Self { deadline: Duration::from_millis(20), memory: 64 << 20, allow: Allow::All }
    }
}

impl From<&crate::config::PluginConfig> for PluginLimits {
    fn from(plugin: &crate::config::PluginConfig) -> Self {
        Self { deadline: plugin.deadline, memory: plugin.memory, allow: plugin.allow.clone() }
    }
}

impl PluginLimits {
    /// Longest time to set an instance up: interpreters read their configuration slower than they decide.
    pub(super) fn setup_deadline(&self) -> Duration {
        self.deadline.saturating_mul(10).max(Duration::from_millis(500))
    }
}

/// Bytes that one call may hand from the plugin to the gateway.
pub(super) const ANSWER_BYTES: usize = 4 << 20;

/// Elements of all tables of one instance. A Python plugin needs some 20,000.
const TABLE_ELEMENTS: usize = 1 << 18;

/// Core instances, tables and memories in one plugin. A Python plugin is linked from about 40 modules.
pub(super) const PARTS: usize = 256;

/// Bytes of an element of a table.
const ELEMENT_BYTES: usize = 8;

/// Counts what one instance holds. Growth past a limit is denied, which the plugin sees as −1; whether it was denied is
/// remembered, so that the trap that mostly follows is counted as a fault of memory.
#[derive(Debug)]
pub(super) struct MemoryMeter {
    limit: usize,
    memory: usize,
    elements: usize,
    denied: Option<GrowthLimit>,
    use_of_all: Arc<MemoryUse>,
}

/// What several instances have held, and been denied.
#[derive(Debug, Default)]
pub(super) struct MemoryUse {
    /// The most bytes that one of them has held.
    pub(super) peak: AtomicUsize,
    /// How often one of them was denied more.
    pub(super) denials: AtomicU64,
}

impl MemoryMeter {
    /// `held` bytes of `limit` are taken by what each instance has from its start.
    pub(super) fn new(limit: usize, held: u64) -> Self {
        Self {
            limit,
            memory: usize::try_from(held).unwrap_or(usize::MAX),
            elements: 0,
            denied: None,
            use_of_all: Arc::default(),
        }
    }

    /// Counts into `all`, which other instances share.
    pub(super) fn counting_into(self, all: &Arc<MemoryUse>) -> Self {
        all.peak.fetch_max(self.memory, Relaxed);
        Self { use_of_all: Arc::clone(all), ..self }
    }

    /// Forgets an earlier denial; a call begins.
    pub(super) fn begin(&mut self) {
        self.denied = None;
    }

    /// Bytes that are held now; no memory ends beyond them.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.memory as u64
    }

    /// The sentence about a denied growth, if there was one since [`Self::begin`].
    pub(super) fn denial(&self) -> Option<String> {
        Some(match self.denied? {
            GrowthLimit::Memory => format!(
                "expected at most {} bytes of memory, found {} bytes in use when it asked for more; raise `memory` in its \
                 [plugin] section if that is rightful",
                self.limit, self.memory
            ),
            GrowthLimit::Elements => format!(
                "expected at most {TABLE_ELEMENTS} table elements, found {} in use when it asked for more; no setting \
                 raises that: make its tables smaller",
                self.elements
            ),
        })
    }

    /// Whether the element count or the bytes may grow so far; then they have.
    fn grow(held: &mut usize, limit: usize, current: usize, desired: usize) -> bool {
        let next = held.saturating_add(desired.saturating_sub(current));
        let fits = next <= limit;
        if fits {
            *held = next;
        }
        fits
    }

    fn grow_memory(&mut self, current: usize, desired: usize) -> bool {
        let fits = Self::grow(&mut self.memory, self.limit, current, desired);
        if !fits {
            self.deny(GrowthLimit::Memory);
        }
        self.use_of_all.peak.fetch_max(self.memory, Relaxed);
        fits
    }

    fn deny(&mut self, limit: GrowthLimit) {
        self.denied = Some(limit);
        self.use_of_all.denials.fetch_add(1, Relaxed);
    }
}

/// What growth was denied for.
#[derive(Clone, Copy, Debug)]
enum GrowthLimit {
    Memory,
    Elements,
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(&mut self, current: usize, desired: usize, _max: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow_memory(current, desired))
    }

    fn table_growing(&mut self, current: usize, desired: usize, _max: Option<usize>) -> wasmtime::Result<bool> {
        if !Self::grow(&mut self.elements, TABLE_ELEMENTS, current, desired) {
            self.deny(GrowthLimit::Elements);
            return Ok(false);
        }
        let [current, desired] = [current, desired].map(|elements| elements.saturating_mul(ELEMENT_BYTES));
        Ok(self.grow_memory(current, desired))
    }

    fn instances(&self) -> usize {
        PARTS
    }

    fn tables(&self) -> usize {
        PARTS
    }

    fn memories(&self) -> usize {
        PARTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memories_count_together_and_a_denial_is_remembered_until_the_next_call() {
        let mut meter = MemoryMeter::new(100, 0);
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(meter.memory_growing(0, 40, None).unwrap(), "a second memory up to the limit");

        assert!(!meter.memory_growing(40, 41, None).unwrap());

        assert!(meter.denial().unwrap().contains("found 100 bytes"));
        meter.begin();
        assert_eq!(meter.denial(), None);
    }

    #[test]
    fn what_no_setting_raises_is_not_said_to_be_raised() {
        let mut meter = MemoryMeter::new(64 << 20, 0);

        assert!(!meter.table_growing(0, TABLE_ELEMENTS + 1, None).unwrap());

        assert!(meter.denial().unwrap().contains("no setting raises that"));
    }
}
