//! 100,000 random steps of two windows, another program, faults of the disk and kills on one project after the other,
//! against a model: nothing acknowledged may be lost, and no byte changed that is not ours.
//!
//! `cargo bench -p tasklens-data --bench store [-- STEPS [FIRST_SEED]]`

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench prints, and makes files of its own"
)]
#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

#[path = "../tests/disk/store/world.rs"]
mod world;

use std::collections::BTreeMap;

use world::World;

/// Steps on one project.
const STEPS: usize = 500;

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<usize>().ok());
    let (steps, seed) = (numbers.next().unwrap_or(100_000), numbers.next().unwrap_or(1000) as u64);
    let mut total = BTreeMap::<&str, u64>::new();
    for (seed, project) in (seed..).zip(0..steps.div_ceil(STEPS)) {
        let mut world = World::new(seed);
        world.run(seed, STEPS.min(steps - project * STEPS));
        for (what, count) in &world.counts {
            *total.entry(what).or_default() += count;
        }
    }
    println!("{steps} steps; nothing lost, no other byte changed");
    for (what, count) in total {
        println!("{count:>9} {what}");
    }
}
