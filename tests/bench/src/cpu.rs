//! CPU time and memory of a process and all its descendants, from `/proc`.

use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use crate::figures::{Column, Figures, float};

/// What a process tree has used so far, and holds now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Seconds.
    pub(crate) user: f64,
    /// Seconds.
    pub(crate) system: f64,
    /// Proportional set size in bytes: pages that several processes share count once.
    pub(crate) memory: u64,
}

impl Usage {
    /// Of `root` and its descendants. Zero where there is no such process.
    pub(crate) fn of(root: u32) -> Self {
        let mut usage = Self::default();
        for process in tree(root) {
            if let Some((user, system)) = times(process) {
                usage.user += user;
                usage.system += system;
            }
            usage.memory += proportional(process).unwrap_or(0);
        }
        usage
    }

    /// Seconds of both kinds.
    pub(crate) fn total(self) -> f64 {
        self.user + self.system
    }

    /// What was spent on each of `operations` since `before`, and what is held now.
    pub(crate) fn since(self, before: Self, operations: u64, figures: Figures) -> Figures {
        let each = |seconds: f64| seconds * 1e6 / float(operations.max(1));
        figures
            .with(Column::Cpu, each(self.total() - before.total()))
            .with(Column::User, each(self.user - before.user))
            .with(Column::System, each(self.system - before.system))
            .with(Column::Memory, float(self.memory) / 1e6)
    }
}

fn tree(root: u32) -> Vec<u32> {
    let mut all = vec![root];
    let mut next = 0;
    while let Some(process) = all.get(next).copied() {
        next += 1;
        let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else { continue };
        for task in tasks.flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
                if !all.contains(&child) {
                    all.push(child);
                }
            }
        }
    }
    all
}

/// User and system seconds of one process, all its threads, and of those of its children that have ended.
fn times(process: u32) -> Option<(f64, f64)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name is in brackets and may hold anything; `utime`, `stime`, `cutime` and `cstime` are the 14th field and
    // those that follow (proc(5)).
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut seconds = || Some(fields.next()?.parse::<f64>().ok()? / ticks());
    let (user, system) = (seconds()?, seconds()?);
    Some((user + seconds()?, system + seconds()?))
}

fn proportional(process: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes * 1024)
}

/// Resident memory of one process in bytes.
pub(crate) fn resident(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Clock ticks a second; 100 everywhere that anybody has seen.
fn ticks() -> f64 {
    static TICKS: OnceLock<f64> = OnceLock::new();
    *TICKS.get_or_init(|| {
        let printed = Command::new("getconf").arg("CLK_TCK").output().ok();
        printed.and_then(|printed| String::from_utf8(printed.stdout).ok()?.trim().parse().ok()).unwrap_or(100.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_time_and_holds_memory() {
        let mut spin = 0_u64;
        while Usage::of(std::process::id()).total() == 0.0 {
            spin = std::hint::black_box(spin.wrapping_add(1));
        }

        let usage = Usage::of(std::process::id());

        assert!(usage.memory > 0 && resident(std::process::id()).unwrap() > 0, "{usage:?}");
        assert_eq!(Usage::of(u32::MAX).memory, 0, "a process that is not there");
    }
}
