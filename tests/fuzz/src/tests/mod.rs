//! Every seed through its target; and both comparisons with hyper with what a generator makes of parts.

mod requests;
mod responses;

use std::fs;
use std::path::Path;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let seeds = fs::read_dir(&folder).expect("a folder of seeds");
    let mut seeds: Vec<_> = seeds.map(|seed| seed.expect("a seed").path()).collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} has no seeds", folder.display());
    for seed in seeds {
        // Shown if it fails.
        println!("{}", seed.display());
        run(&fs::read(&seed).expect("a readable seed"));
    }
}

macro_rules! replayed {
    ($($target:ident),+) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target), crate::$target::run);
        })+

        #[test]
        fn every_target_is_replayed() {
            let targets = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("targets")).expect("a folder");
            let mut targets: Vec<_> = targets.map(|target| target.expect("a target").file_name()).collect();
            targets.sort();
            assert_eq!(targets, [$(concat!(stringify!($target), ".rs")),+]);
        }
    };
}

replayed!(answers, configuration, differ, forwarded, frames, framing, import, load, reports, responses);
