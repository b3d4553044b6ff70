//! Evaluation of a network: scores, confusion, lists of items, likely label errors, comparison of runs, and a report
//! of them all. Arithmetic on the stored [`inference::outputs`](crate::inference::outputs); only the report reads
//! images.

pub mod agreement;
pub mod browse;
pub mod compare;
pub mod confusion;
pub mod duplicates;
pub mod inspection;
pub mod intervals;
pub mod label_issues;
pub mod neighbours;
pub mod page;
pub mod report;
pub mod scores;
pub mod suspects;
pub mod track_record;
pub mod verdict;
pub mod wrong_labels;

/// Synthetic labels of which one in ten is wrong, with probabilities of a reasonable model.
#[cfg(test)]
fn made_up(rows: usize, classes: usize) -> (Vec<Option<u32>>, Vec<f32>) {
    use rand::{RngExt as _, SeedableRng as _};

    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(1);
    let mut probabilities = Vec::with_capacity(rows * classes);
    let mut labels = Vec::with_capacity(rows);
    for _ in 0..rows {
        let truth = random.random_range(0..classes);
        let wrong = random.random_range(0..10) == 0;
        labels.push(Some(if wrong { random.random_range(0..classes) } else { truth } as u32));
        let mut row: Vec<f32> = (0..classes).map(|_| random.random_range(0.0..3.0f32).exp()).collect();
        row[truth] *= 20.0;
        let sum: f32 = row.iter().sum();
        probabilities.extend(row.iter().map(|p| p / sum));
    }
    (labels, probabilities)
}
