//! Whether a network knows its training images by heart.

use serde::Serialize;

use super::inspection::TaskItems;
use super::intervals;

/// A network counts as having memorised its training rows if it is this much more accurate on them, and wrong less
/// than half as often.
const BY_HEART: f64 = 0.03;

/// The network is far better on its training rows than on others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Memorised {
    /// Its accuracy on training rows, 0 to 1.
    pub train: f64,
    /// Its accuracy on other rows, 0 to 1.
    pub held_out: f64,
    /// Whether its training rows were judged by a network that did not see their labels.
    pub judged_by_other: bool,
}

impl Memorised {
    /// Checks whether the network has memorised the task's training rows; `trained` and `held_out` are items.
    pub fn of(task: &TaskItems, trained: &[usize], held_out: &[usize]) -> Option<Self> {
        let accuracy = |items: &[usize]| {
            let answers: Vec<bool> = items.iter().filter_map(|item| task.is_right(*item)).collect();
            intervals::proportion(answers.iter().filter(|right| **right).count(), answers.len())
        };
        let (train, held_out) = (accuracy(trained)?, accuracy(held_out)?);
        let (is_far, is_certain) = (train.value - held_out.value > BY_HEART, train.low > held_out.high);
        let is_far = is_far && is_certain && 1.0 - train.value < 0.5 * (1.0 - held_out.value);
        is_far.then_some(Memorised { train: train.value, held_out: held_out.value, judged_by_other: false })
    }

    /// A warning, without a full stop.
    pub fn warning(&self) -> String {
        let knows = format!(
            "The network knows its training images by heart ({:.1} % right, {:.1} % of the others)",
            100.0 * self.train,
            100.0 * self.held_out
        );
        match self.judged_by_other {
            true => {
                format!("{knows}: their labels were judged with a pretrained network that never saw them")
            }
            false => format!(
                "{knows}: many of their wrong labels look right to it. A run of fewer epochs finds more"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use tasklens_data::config::Task;

    use super::*;

    #[test]
    fn a_network_far_better_on_what_it_trained_with_knows_it_by_heart() {
        let task = |train_right: usize, held_out_right: usize| {
            let predicted = (0..200).map(|item| {
                let right = if item < 100 { item < train_right } else { item - 100 < held_out_right };
                u32::from(!right)
            });
            TaskItems {
                task: Task { name: "print".into(), labels: vec!["plain".into(), "dotted".into()] },
                in_dataset: Some(0),
                labels: vec![Some(0); 200],
                probabilities: Vec::new(),
                predicted: predicted.collect(),
                unknown_labels: 0,
            }
        };
        let (train, held_out): (Vec<usize>, Vec<usize>) = ((0..100).collect(), (100..200).collect());
        let of = |train_right, held_out_right| {
            Memorised::of(&task(train_right, held_out_right), &train, &held_out)
        };
        assert_eq!(of(100, 80), Some(Memorised { train: 1.0, held_out: 0.8, judged_by_other: false }));
        assert_eq!(of(100, 98), None, "not far");
        assert_eq!(of(96, 91), None, "far, but perhaps by chance");
        assert_eq!(of(75, 50), None, "far, but it errs on both");
        assert_eq!(Memorised::of(&task(100, 0), &train, &[]), None, "nothing to compare with");
    }
}
