//! Nothing acknowledged is lost and no byte is changed that is not ours, whatever comes between.
//! `cargo bench --bench store` goes on for 100,000 steps.

#![expect(clippy::expect_used, reason = "a test helper that fails is a failed test")]

mod world;

use world::World;

const WORLDS: u64 = 40;
const STEPS: usize = 150;

#[test]
fn two_windows_another_program_faults_and_kills_lose_nothing() {
    let mut total = std::collections::BTreeMap::<&str, u64>::new();
    for seed in 0..WORLDS {
        let mut world = World::new(seed);
        world.run(seed, STEPS);
        for (what, count) in &world.counts {
            *total.entry(what).or_default() += count;
        }
    }
    println!("{total:?}");
    assert_eq!(total.len(), 13, "each kind of event came");
    assert!(total.values().all(|count| *count > 10), "{total:?}");
}
