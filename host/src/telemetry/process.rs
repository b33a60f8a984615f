//! What the process takes, as the system reports it.

use std::time::{SystemTime, UNIX_EPOCH};

use super::names::{PROCESS_FDS, PROCESS_MEMORY, PROCESS_START};
use super::{Metrics, Samples};

/// Adds start time, memory and descriptors to `metrics`. What the system does not report is left out.
pub fn report(metrics: &Metrics) {
    let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Whole milliseconds: more digits would pretend to know.
    let start = (start.as_secs_f64() * 1e3).round() / 1e3;
    metrics.add_source(move |samples: &mut Samples| {
        samples.add(&PROCESS_START, vec![], start);
        if let Some(bytes) = resident() {
            samples.add(&PROCESS_MEMORY, vec![], bytes);
        }
        if let Some(count) = descriptors() {
            samples.add(&PROCESS_FDS, vec![], count);
        }
    });
}

/// `VmRSS` in bytes. The same number as in `statm`, but in a unit that does not depend on the page size.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u32 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(f64::from(kib) * 1024.0)
}

/// Open now, without the one that the look itself takes.
fn descriptors() -> Option<f64> {
    let open = std::fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    u32::try_from(open).ok().map(f64::from)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_and_descriptors_are_told() {
        let metrics = Metrics::new(NonZeroUsize::MIN);
        report(&metrics);

        let text = metrics.expose().unwrap();

        for family in [&PROCESS_START, &PROCESS_MEMORY, &PROCESS_FDS] {
            assert!(text.contains(&format!("\n{} ", family.name)), "{} in {text}", family.name);
        }
        assert!(resident().unwrap() > 1e6);
        assert!(descriptors().unwrap() >= 3.0);
    }
}
