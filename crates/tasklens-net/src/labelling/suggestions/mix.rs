//! Heads that were fitted to all labels so far, together with the network whose features they read.

use std::sync::Arc;

use super::{Answers, Suggestions};

/// Shares of what was learnt anew that are tried beside the network's own word.
const SHARES: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// Labelled rows that a share is measured on. On fewer an accuracy is known to no better than 9 points (a standard
/// error), which is more than heads and network mostly differ by.
const MEASURED: usize = 30;

impl Suggestions {
    /// What these heads have learnt together with what the network says by itself (`labels[task][row]`); both are of
    /// the same outputs. Per task the two are mixed in the proportion that predicts best the labelled rows that the
    /// network did not train on: of the others it knows the label by heart, and the heads, which are out-of-sample,
    /// would be nothing beside it. Where these rows are too few, the heads stand alone, as they have learnt from the
    /// network's training rows, too. Where none of the labelled rows has trained, all count, however few: heads that learnt from
    /// twenty labels do not push aside a network that learnt from thousands of others.
    ///
    /// A label that the network trained on is spoken of by the heads alone.
    pub fn mixed_with(&self, network: &Self, labels: &[Vec<Option<u32>>]) -> Self {
        let mix = |(index, learnt): (usize, &Answers)| {
            let known = network.tasks.get(index).filter(|known| {
                known.task == learnt.task && known.probabilities.len() == learnt.probabilities.len()
            });
            let (Some(known), Some(labels)) = (known, labels.get(index)) else { return learnt.clone() };
            if learnt.is_network {
                return learnt.clone();
            }
            let labels: Vec<Option<u32>> =
                self.rows.iter().map(|row| labels.get(*row).copied().flatten()).collect();
            let mix = Mix { labels: &labels, trained: &network.trained, known, learnt };
            let share = mix.share();
            log::debug!("{}: {share} of what is said was learnt", learnt.task.name);
            Answers { probabilities: Arc::new(mix.probabilities(share)), ..learnt.clone() }
        };
        Self { tasks: self.tasks.iter().enumerate().map(mix).collect(), ..self.clone() }
    }
}

/// One task of both.
struct Mix<'a> {
    /// Per item.
    labels: &'a [Option<u32>],
    /// Per item whether the network trained on it; empty where it has on none.
    trained: &'a [bool],
    known: &'a Answers,
    learnt: &'a Answers,
}

impl Mix<'_> {
    fn is_by_heart(&self, item: usize) -> bool {
        self.labels[item].is_some() && self.trained.get(item) == Some(&true)
    }

    /// How much of what was learnt predicts best, by log loss. Of equals the least: it changes least.
    fn share(&self) -> f32 {
        let labelled: Vec<usize> =
            (0..self.labels.len()).filter(|item| self.labels[*item].is_some()).collect();
        let measured: Vec<usize> = labelled.iter().copied().filter(|item| !self.is_by_heart(*item)).collect();
        if measured.len() < MEASURED.min(labelled.len()) {
            return 1.0;
        }
        let losses = SHARES.map(|share| self.loss(share, &measured));
        let best = (0..SHARES.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b]));
        best.map_or(0.0, |best| SHARES[best])
    }

    fn loss(&self, share: f32, items: &[usize]) -> f64 {
        let classes = self.learnt.task.labels.len();
        let of = |item: &usize| {
            let place = item * classes + self.labels[*item]? as usize;
            Some(-f64::from(self.probability(share, place)?).max(1e-6).ln())
        };
        items.iter().filter_map(of).sum()
    }

    fn probability(&self, share: f32, place: usize) -> Option<f32> {
        let (known, learnt) = (self.known.probabilities.get(place)?, self.learnt.probabilities.get(place)?);
        Some(share * learnt + (1.0 - share) * known)
    }

    /// `[items, labels]`.
    fn probabilities(&self, share: f32) -> Vec<f32> {
        let classes = self.learnt.task.labels.len();
        let of_item = |item: usize| {
            let share = if self.is_by_heart(item) { 1.0 } else { share };
            (item * classes..(item + 1) * classes)
                .map(move |place| self.probability(share, place).unwrap_or(0.0))
        };
        (0..self.labels.len()).flat_map(of_item).collect()
    }
}

#[cfg(test)]
mod tests;
