//! What swaps leave behind in the memory of a process.

use tidegate_tests::guests::FEEDBACK;
use tidegate_tests::{Gateway, Origin};

use super::MINE;
use crate::running::{Running, guest, replace};

/// Swaps after which everything that is set up once has been set up.
const WARM: usize = 20;

/// Swaps of which the least memory counts: it goes up and down by some megabytes, as code is compiled and dropped.
const WINDOW: usize = 40;

/// Swaps in all.
const SWAPS: usize = 200;

/// KiB that a process may grow by between the first window and the last. Measured: none in 1,000 swaps; 34 MiB if each
/// generation stays behind.
const GROWTH: u64 = 16 * 1024;

#[tokio::test]
async fn two_hundred_swaps_leave_the_memory_of_the_gateway_flat() {
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let setup = Gateway::configure(MINE).origin(&a).origin(&b).file("mine.wat", guest("first"));
    let running = Running::start(setup).await;
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(running.websocket("/").await);
    }
    let file = running.folder().join("mine.wat");
    let mut sizes = Vec::new();

    for number in 1..=SWAPS {
        let content = match number % 4 {
            0 => FEEDBACK.to_vec(),
            // The comment makes it another file: compiled, not remembered.
            one => format!("{}\n;; {number}\n", guest(["last", "first", "rotate"][one - 1])).into_bytes(),
        };
        running
            .swapped_by(|| {
                replace(&file, &content);
                running.process.signal("HUP");
            })
            .await;
        held[number % 20].echo(format!("after swap {number}")).await;
        sizes.push(resident(running.process.id()));
    }

    let least = |sizes: &[u64]| *sizes.iter().min().unwrap();
    let (before, after) = (least(&sizes[WARM..WARM + WINDOW]), least(&sizes[SWAPS - WINDOW..]));
    assert!(after < before + GROWTH, "from {before} KiB to {after} KiB in {SWAPS} swaps: {sizes:?}");
    for (number, tunnel) in held.iter_mut().enumerate() {
        tunnel.echo(format!("tunnel {number}")).await;
    }
}

/// Resident memory of a process in KiB.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
