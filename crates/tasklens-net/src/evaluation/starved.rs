//! Tasks that may be starved: others take nearly all of the gradient on the shared features, and they do not get better.
//!
//! A small share alone is no fault: a task that is nearly solved has little left to learn. Three things have to come
//! together, over the last epochs.

use crate::training::events::EpochMetrics;

/// Below this part of an equal share, a share is small.
const SMALL: f64 = 1.0 / 3.0;
/// The last epochs are this share of those with gradient shares, and so many at least.
const LATELY: f64 = 0.2;
const FEWEST: usize = 3;
/// A task that is this often right on the images that train has little left to learn.
const LEARNT: f64 = 0.95;

/// A task that may be starved.
#[derive(Clone, Debug, PartialEq)]
pub struct Starved {
    /// The name of the task.
    pub task: String,
    /// Its mean share of the gradient in the last epochs, 0 to 1.
    pub share: f64,
    /// The share that each task would have if all had the same.
    pub equal: f64,
    /// How many epochs that are.
    pub epochs: usize,
    /// Its mean accuracy on the images that train in these epochs, 0 to 1.
    pub train_accuracy: f64,
}

/// Tasks that, in the last fifth of the epochs (three at least), had less than a third of an equal share, were right
/// on less than 95 % of the images that train, and were never more accurate on the validation images than before.
/// Empty with one task, without shares, and while there are no epochs before these.
pub fn starved(tasks: &[String], epochs: &[EpochMetrics]) -> Vec<Starved> {
    let is_measured = |epoch: &&EpochMetrics| epoch.gradient_shares.len() == tasks.len();
    let epochs: Vec<&EpochMetrics> = epochs.iter().filter(is_measured).collect();
    let count = FEWEST.max((epochs.len() as f64 * LATELY).ceil() as usize);
    if tasks.len() < 2 || epochs.len() <= count {
        return Vec::new();
    }
    let (before, last) = epochs.split_at(epochs.len() - count);
    let equal = 1.0 / tasks.len() as f64;
    let found = tasks.iter().enumerate().filter_map(|(index, task)| {
        let share = mean(last.iter().map(|epoch| epoch.gradient_shares.get(index)))?;
        let train_accuracy = mean(last.iter().map(|epoch| epoch.train.task_accuracy.get(index)))?;
        let best = |epochs: &[&EpochMetrics]| {
            let values = epochs.iter().filter_map(|epoch| epoch.validation.task_accuracy.get(index).copied());
            values.filter(|value| value.is_finite()).reduce(f64::max)
        };
        let improved = best(last)? > best(before)?;
        let is_starved = share < SMALL * equal && train_accuracy < LEARNT && !improved;
        is_starved.then(|| Starved { task: task.clone(), share, equal, epochs: count, train_accuracy })
    });
    found.collect()
}

/// `None` of nothing, or where a value is missing or no number.
fn mean<'a>(values: impl Iterator<Item = Option<&'a f64>>) -> Option<f64> {
    let values: Vec<f64> = values.map(|value| value.copied()).collect::<Option<_>>()?;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    mean.is_finite().then_some(mean)
}

impl Starved {
    /// A sentence about it.
    pub fn sentence(&self) -> String {
        format!(
            "{} may be starved: in the last {} epochs it had {:.0} % of the gradient (an equal share is {:.0} %) and did \
             not become more accurate, although it is right on only {:.0} % of the images that train.",
            self.task,
            self.epochs,
            100.0 * self.share,
            100.0 * self.equal,
            100.0 * self.train_accuracy
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::events::SplitMetrics;

    /// An epoch in which the second of two tasks has this share and these accuracies.
    fn epoch(number: usize, share: f64, train: f64, validation: f64) -> EpochMetrics {
        let split = |accuracy: f64| SplitMetrics {
            loss: 1.0,
            task_loss: vec![0.5, 0.5],
            task_accuracy: vec![0.5, accuracy],
        };
        EpochMetrics {
            epoch: number,
            train: split(train),
            validation: split(validation),
            gradient_shares: vec![1.0 - share, share],
            ..EpochMetrics::without_values(2)
        }
    }

    fn found(epochs: &[EpochMetrics]) -> Vec<Starved> {
        starved(&["print".to_owned(), "neck".to_owned()], epochs)
    }

    #[test]
    fn a_task_is_starved_that_has_a_small_share_and_much_to_learn_and_does_not_get_better() {
        let epochs: Vec<_> = (1..=6).map(|number| epoch(number, 0.1, 0.6, 0.5)).collect();
        let [starved] = &found(&epochs)[..] else { panic!("one task") };
        assert_eq!((starved.task.as_str(), starved.epochs), ("neck", 3));
        let sentence = starved.sentence();
        for text in ["neck may be starved", "last 3 epochs", "10 % of", "50 %)", "only 60 %"] {
            assert!(sentence.contains(text), "{text}: {sentence}");
        }
        // Of twenty epochs, the last four count.
        let epochs: Vec<_> =
            (1..=20).map(|number| epoch(number, if number > 16 { 0.1 } else { 0.5 }, 0.6, 0.5)).collect();
        assert_eq!(found(&epochs).iter().map(|starved| starved.epochs).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn a_small_share_alone_is_no_fault() {
        let of = |share: f64, train: f64, validation: fn(usize) -> f64| {
            let epochs: Vec<_> =
                (1..=6).map(|number| epoch(number, share, train, validation(number))).collect();
            found(&epochs).len()
        };
        assert_eq!(of(0.1, 0.6, |_| 0.5), 1);
        assert_eq!(of(0.2, 0.6, |_| 0.5), 0, "a share of 20 % of two tasks is no small one");
        assert_eq!(of(0.1, 0.97, |_| 0.5), 0, "it has learnt its images");
        assert_eq!(of(0.1, 0.6, |number| 0.5 + 0.01 * number as f64), 0, "it gets better");
        assert_eq!(of(0.1, 0.6, |_| f64::NAN), 0, "nothing says how good it is");
    }

    #[test]
    fn nothing_is_claimed_of_few_epochs_of_one_task_or_of_none_measured() {
        let epochs: Vec<_> = (1..=3).map(|number| epoch(number, 0.1, 0.6, 0.5)).collect();
        assert!(found(&epochs).is_empty());
        let unmeasured: Vec<_> =
            (1..=9).map(|_| EpochMetrics { gradient_shares: Vec::new(), ..epochs[0].clone() }).collect();
        assert!(found(&unmeasured).is_empty());
        assert!(starved(&["print".to_owned()], &epochs).is_empty());
    }
}
