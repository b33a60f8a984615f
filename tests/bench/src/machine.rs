//! The shape of the machine, for those who read the figures elsewhere.

use std::fs;

/// One line: processor, cores, kernel.
pub(crate) fn shape() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field =
        |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.split_once(':').map(|(_, v)| v.trim()));
    let model = field("model name").unwrap_or("unknown processor").to_owned();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores of {model}, {} {}", std::env::consts::OS, kernel.trim())
}
