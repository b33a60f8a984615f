//! Prints the figures of docs/balancing.md: `cargo run --release -p tidegate-consistent-hash --example figures`.

use std::time::Instant;

use tidegate_consistent_hash::figures::{Crowd, Keys, Moved, crowd, imbalance, mean_moved, names, table};

/// Sizes and repetitions of the paper's §5.3.
const SIZES: [usize; 2] = [65_537, 655_373];
const TIMES: u32 = 200;

fn main() {
    println!("How even, and what moves when one endpoint leaves, by chance; mean of 20 times\n");
    println!("| endpoints | table | most over mean | moved when one leaves | its own share | made in |");
    println!("|---|---|---|---|---|---|");
    for size in SIZES {
        for endpoints in [3, 10, 100, 1000, 4096] {
            let began = Instant::now();
            let whole = table(&names(endpoints), &vec![100; endpoints], size);
            let took = began.elapsed();
            let Moved { all, others } = mean_moved(endpoints, 1, size, 20);
            println!(
                "| {endpoints} | {size} | {:.4} | {:.2} % | {:.2} % | {took:.1?} |",
                imbalance(&whole, endpoints),
                all * 100.0,
                (all - others) * 100.0,
            );
        }
    }
    println!("\nThe paper's experiment: of 1,000 endpoints some leave at once, by chance; mean of {TIMES} times\n");
    println!("| leave at once | table | moved | of endpoints that stay |");
    println!("|---|---|---|---|");
    for size in SIZES {
        for leave in [1, 5, 10, 20, 30] {
            let Moved { all, others } = mean_moved(1000, leave, size, TIMES);
            println!("| {leave} | {size} | {:.2} % | {:.2} % |", all * 100.0, others * 100.0);
        }
    }
    println!("\nA bound: 100 endpoints, 10,000 keys, 10,000 connections held\n");
    println!("| bound | keys | most over mean | away from home |");
    println!("|---|---|---|---|");
    for keys in [Keys::Alike, Keys::Skewed] {
        for bound in [None, Some(2.0), Some(1.5), Some(1.25), Some(1.1), Some(1.0)] {
            let Crowd { most, away } = crowd(keys, 100, bound);
            let bound = bound.map_or("none".to_owned(), |bound| bound.to_string());
            println!("| {bound} | {keys:?} | {most:.2} | {:.1} % |", away * 100.0);
        }
    }
}
