//! The loss of the batches between two looks at the sums of a pass: the difference of the sums, so that no batch is
//! waited for that is not looked at anyway.

use super::events::LatestBatches;
use super::metrics::Weights;
use super::within::Totalled;

/// What was not looked at yet.
pub struct Latest {
    /// The sums at the last look.
    seen: Totalled,
    /// Batches since then, and their images.
    batches: usize,
    rows: usize,
}

impl Latest {
    /// Nothing yet, after `seen`.
    pub fn since(seen: Totalled) -> Self {
        Self { seen, batches: 0, rows: 0 }
    }

    /// A batch with labels, of so many images, was added to the sums.
    pub fn add(&mut self, rows: usize) {
        (self.batches, self.rows) = (self.batches + 1, self.rows + rows);
    }

    /// The loss of the batches since the last look, by the sums `now`; `None` if there is none.
    pub fn take(&mut self, now: &Totalled, weights: &Weights) -> Option<LatestBatches> {
        let Self { seen, batches, rows } = std::mem::replace(self, Self::since(now.clone()));
        if batches == 0 {
            return None;
        }
        let sums: Vec<f64> = now.loss.iter().zip(&seen.loss).map(|(now, seen)| now - seen).collect();
        let counts = now.counts.iter().zip(&seen.counts).map(|(now, seen)| now - seen);
        // Without rows this is 0 / 0, NaN.
        let task_loss = sums.iter().zip(counts).map(|(sum, count)| sum / count as f64).collect();
        let parts = sums.iter().zip(&weights.tasks).zip(&weights.labelled).filter(|(_, share)| **share > 0.0);
        let loss = parts.map(|((sum, weight), share)| weight * sum / (rows as f64 * share)).sum();
        Some(LatestBatches { batches, loss, task_loss })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(loss: [f64; 2], counts: [usize; 2]) -> Totalled {
        Totalled { loss: loss.to_vec(), correct: vec![0.0; 2], counts: counts.to_vec() }
    }

    #[test]
    fn only_what_came_since_the_last_look_counts() {
        let weights = Weights::without_classes(vec![1.0, 2.0]);
        let mut latest = Latest::since(sums([10.0, 4.0], [8, 8]));
        assert_eq!(latest.take(&sums([10.0, 4.0], [8, 8]), &weights), None, "no batch");
        latest.add(4);
        latest.add(2);
        let of_two = latest.take(&sums([16.0, 7.0], [14, 14]), &weights).unwrap();
        assert_eq!((of_two.batches, of_two.task_loss), (2, vec![1.0, 0.5]));
        assert_eq!(of_two.loss, 1.0 + 2.0 * 0.5);
        latest.add(4);
        let of_one = latest.take(&sums([18.0, 7.0], [18, 14]), &weights).unwrap();
        assert_eq!((of_one.batches, of_one.task_loss[0]), (1, 0.5));
        assert!(of_one.task_loss[1].is_nan(), "no image of the batch has a label for it");
    }

    #[test]
    fn a_task_that_few_images_have_neither_vanishes_from_the_loss_nor_fills_it() {
        let mut weights = Weights::without_classes(vec![1.0, 1.0]);
        weights.labelled[1] = 0.25;
        let mut latest = Latest::since(sums([0.0; 2], [0; 2]));
        let mut seen = sums([0.0; 2], [0; 2]);
        // One of the four batches of four has the four labels of the second task; each of them costs 3.
        let losses = [4, 0, 0, 0].map(|labels| {
            latest.add(4);
            seen = sums(
                [seen.loss[0] + 4.0, seen.loss[1] + 3.0 * labels as f64],
                [seen.counts[0] + 4, seen.counts[1] + labels],
            );
            latest.take(&seen, &weights).unwrap().loss
        });
        assert_eq!(losses, [1.0 + 12.0, 1.0, 1.0, 1.0]);
        assert_eq!(losses.iter().sum::<f64>() / 4.0, seen.metrics(&weights).loss, "the loss of the epoch");
    }
}
