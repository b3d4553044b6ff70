//! Mixes heads that were fitted to all labels so far with the network whose features they use.

use std::sync::Arc;

use super::{Answers, Suggestions};

/// Candidate weights of the refitted heads in the mix.
const SHARES: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// Minimum number of labelled rows for choosing the weight. With fewer, the standard error of an accuracy exceeds 9
/// points, which is more than the usual difference of heads and network.
const MEASURED: usize = 30;

impl Suggestions {
    /// Mixes these heads with the network itself (`labels[task][row]`); both must be from the same outputs. Per task
    /// they are mixed in the proportion that best predicts the labelled rows that the network was not trained on: it
    /// has memorised the other labels, and the out-of-sample heads would count for nothing. If these rows are too
    /// few, the heads are used alone, as they have learnt from the network's training rows, too. If none of the
    /// labelled rows was used for training, all count, however few: heads fitted to twenty labels should not displace
    /// a network trained on thousands of others.
    ///
    /// For labels that the network was trained on, only the heads count.
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

/// One task of heads and network.
struct Mix<'a> {
    /// Label per item.
    labels: &'a [Option<u32>],
    /// Per item whether the network was trained on it; empty if on none.
    trained: &'a [bool],
    known: &'a Answers,
    learnt: &'a Answers,
}

impl Mix<'_> {
    fn is_by_heart(&self, item: usize) -> bool {
        self.labels[item].is_some() && self.trained.get(item) == Some(&true)
    }

    /// The best weight of the heads by log loss, the smallest on ties, which changes least.
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

    /// Mixed probabilities `[items, labels]`.
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
