//! What a compiling process may use. It takes the limits upon itself before it reads a byte; its parent watches as
//! well.

use std::io;
use std::time::Duration;

use rlimit::Resource;

use super::FILE_BYTES;
use crate::config::MOST_PLUGIN_MEMORY;

/// Beside the memory that compiling takes: the binary itself, its libraries and stacks.
const OVERHEAD: u64 = 128 << 20;

/// Longest file. The runtime keeps what a memory begins with in one that is in memory alone (memfd), for the trial.
const IMAGE: u64 = 2 * FILE_BYTES as u64;

/// Seconds between the end of the allowance, which ends the process by a signal of its own, and a kill.
const GRACE: u64 = 5;

/// Limits of a process that compiles one plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes. Python takes some 500 MiB.
    pub memory: u64,
    /// Processor time of all its threads, in whole seconds.
    pub processor: Duration,
}

impl Default for Bounds {
    /// 1 GiB and 60 s; ten times as long where the compiler itself was compiled without optimisation.
    fn default() -> Self {
        let seconds = if cfg!(debug_assertions) { 600 } else { 60 };
        Self { memory: 1 << 30, processor: Duration::from_secs(seconds) }
    }
}

impl Bounds {
    /// How long the parent waits for the process: other processes want the processors too.
    pub(super) fn wall_clock(&self) -> Duration {
        self.processor.saturating_mul(5).saturating_add(Duration::from_secs(60))
    }

    /// Resident bytes at which its parent ends it, if the plugin may have `memory` bytes itself.
    pub(super) fn resident(&self, memory: usize) -> u64 {
        self.memory.saturating_add(memory as u64).saturating_add(OVERHEAD)
    }

    /// Limits this process, for good: memory by what is added to what it holds already, no core dump, and no
    /// longer file than the engine makes, in memory alone: [`IMAGE`].
    ///
    /// `RLIMIT_AS` would count what is reserved and never used: gigabytes for each linear memory.
    pub(super) fn impose(&self) -> io::Result<()> {
        let data = held().saturating_add(self.memory);
        limit(Resource::DATA, data, data.saturating_add(MOST_PLUGIN_MEMORY))?;
        let seconds = self.processor.as_secs();
        limit(Resource::CPU, seconds, seconds.saturating_add(GRACE))?;
        limit(Resource::FSIZE, IMAGE, IMAGE)?;
        limit(Resource::CORE, 0, 0)
    }
}

/// Where memory runs out in spite of all limits, the system shall end this process and not the one with the tunnels.
pub(super) fn offer_to_be_killed_first() {
    // Best effort: not every system has it.
    let _not_there = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// Gives this process the memory that a plugin's instance may have, beyond what compiling may take.
pub(super) fn make_room(memory: usize) -> io::Result<()> {
    let (soft, hard) = rlimit::getrlimit(Resource::DATA)?;
    rlimit::setrlimit(Resource::DATA, soft.saturating_add(memory as u64).min(hard), hard)
}

/// Lowers a limit; one that is lower already stays.
fn limit(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let (lower, lowest) = rlimit::getrlimit(resource)?;
    rlimit::setrlimit(resource, soft.min(lower).min(lowest), hard.min(lowest))
}

/// Bytes of data that this process has mapped: allocators reserve much of it. 0 where the system has no such number.
fn held() -> u64 {
    field("/proc/self/status", "VmData:").unwrap_or(0)
}

/// Resident bytes of a process; none if it has ended, or where the system has no such number.
pub(super) fn resident(process: u32) -> Option<u64> {
    field(&format!("/proc/{process}/status"), "VmRSS:")
}

/// The most bytes of this process that have been resident at once; none where the system has no such number.
pub(super) fn peak() -> Option<u64> {
    field("/proc/self/status", "VmHWM:")
}

/// A field of a `status` file in bytes.
fn field(path: &str, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(path).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}
