//! Prints the figures of docs/balancing.md: `cargo run --release -p tidegate-consistent-hash --example figures`.

use std::time::Instant;

use tidegate_consistent_hash::figures::{imbalance, moved, names, table};

fn main() {
    println!(
        "| endpoints | table | most over mean | moved when one leaves | unavoidable | moved when 1 % leave | made in |"
    );
    println!("|---|---|---|---|---|---|---|");
    for size in [65_537, 655_373] {
        for endpoints in [3, 10, 100, 1000, 4096] {
            let (all, weights) = (names(endpoints), vec![100; endpoints]);
            let began = Instant::now();
            let whole = table(&all, &weights, size);
            let took = began.elapsed();
            let without = |some: usize| {
                // Spread over the list, as failures are.
                let step = endpoints / some;
                let left = all.iter().enumerate().filter(|(at, _)| at % step != step / 2 || at / step >= some);
                let left: Vec<_> = left.map(|(_, name)| name.clone()).collect();
                moved(&whole, &table(&left, &weights, size), &all, &left) * 100.0
            };
            let unavoidable = 100.0 / f64::from(u32::try_from(endpoints).unwrap_or(u32::MAX));
            println!(
                "| {endpoints} | {size} | {:.4} | {:.2} % | {unavoidable:.2} % | {:.2} % | {took:.1?} |",
                imbalance(&whole, endpoints),
                without(1),
                without((endpoints / 100).max(1)),
            );
        }
    }
}
