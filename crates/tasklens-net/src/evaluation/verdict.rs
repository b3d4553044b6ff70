//! Assesses a finished run: whether it learnt anything, whether there are enough validation images to tell, and
//! whether more epochs would help. Accuracies are those of the validation images at the best epoch.

use super::intervals;
use crate::training::events::{EpochMetrics, LabelledImages, Started, StopReason, Stopped};

/// A wider confidence interval of the accuracy tells little.
const WIDEST: f64 = 0.2;
/// A run was still improving if this share of its epochs, the last ones, lowered the loss by this share.
const LATELY: f64 = 0.2;
const LOWERED: f64 = 0.03;
/// A network has memorised its training images if it is this much more accurate on them.
const BY_HEART: f64 = 0.15;

/// A finding about a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// A task is no better than its most common label for every image.
    NothingLearnt {
        task: String,
        /// Its accuracy, 0 to 1.
        accuracy: f64,
        /// The share of its most common label, 0 to 1.
        most_common: f64,
    },
    /// Too few validation images of a task to say how good it is.
    TooFewImages {
        task: String,
        /// Number of labelled validation images.
        images: usize,
        /// Lower end of the 95 % interval of the accuracy.
        low: f64,
        /// Upper end of the interval.
        high: f64,
    },
    /// The loss was still falling after the last epoch.
    StillImproving,
    /// Far better on the training images than on the validation images.
    ByHeart {
        /// The task with the largest difference.
        task: String,
        /// Its accuracy on training images.
        train: f64,
        /// Its accuracy on validation images.
        validation: f64,
    },
    /// Nothing to criticise, and the loss no longer falls.
    Good,
    /// Nothing to criticise; the loss was still falling when the run was stopped, or there was one epoch only.
    Unsettled,
}

/// Assesses a finished run by its epochs. Empty if no epoch has a finite loss.
pub fn judge(started: &Started, epochs: &[EpochMetrics], stopped: &Stopped) -> Vec<Finding> {
    let Some(best) = stopped.best.as_ref().filter(|best| best.validation.loss.is_finite()) else {
        return Vec::new();
    };
    let tasks = started.tasks.iter().zip(&started.validation_labels);
    let mut findings: Vec<Finding> = tasks
        .zip(&best.validation.task_accuracy)
        .filter_map(|((task, labelled), accuracy)| of_task(task, *labelled, *accuracy))
        .collect();
    let was_improving = was_improving(epochs, best);
    if stopped.why == StopReason::Finished && was_improving == Some(true) {
        findings.push(Finding::StillImproving);
    } else if let Some(by_heart) = by_heart(started, best) {
        findings.push(by_heart);
    }
    if findings.is_empty() {
        let is_settled = was_improving == Some(false) || stopped.why == StopReason::EarlyStopping;
        findings.push(if is_settled { Finding::Good } else { Finding::Unsettled });
    }
    findings
}

/// What is wrong with one task, if anything.
fn of_task(task: &str, labelled: LabelledImages, accuracy: f64) -> Option<Finding> {
    let LabelledImages { images, most_common } = labelled;
    let interval = interval(labelled, accuracy)?;
    let baseline = most_common as f64 / images as f64;
    // With one label there is nothing to learn.
    if accuracy <= baseline && most_common < images {
        return Some(Finding::NothingLearnt { task: task.to_owned(), accuracy, most_common: baseline });
    }
    let (low, high) = (interval.low, interval.high);
    (high - low > WIDEST).then(|| Finding::TooFewImages { task: task.to_owned(), images, low, high })
}

/// Whether the loss was still falling at the end; `None` if there are too few epochs to tell.
fn was_improving(epochs: &[EpochMetrics], best: &EpochMetrics) -> Option<bool> {
    let since = ((epochs.len() as f64 * LATELY).ceil() as usize).max(1);
    let before = epochs.len().checked_sub(since + 1).and_then(|at| epochs.get(..=at))?;
    let before = before.iter().map(|epoch| epoch.validation.loss).fold(f64::INFINITY, f64::min);
    let last = epochs.last().map_or(0, |epoch| epoch.epoch);
    Some(best.epoch + since > last && best.validation.loss < before * (1.0 - LOWERED))
}

/// The task whose training images are certainly memorised, if any.
fn by_heart(started: &Started, best: &EpochMetrics) -> Option<Finding> {
    let accuracies = best.train.task_accuracy.iter().zip(&best.validation.task_accuracy);
    let tasks = started.tasks.iter().zip(&started.validation_labels).zip(accuracies);
    let far = tasks.filter_map(|((task, labelled), (train, validation))| {
        let interval = interval(*labelled, *validation)?;
        let is_certain = *train > interval.high && interval.high - interval.low <= WIDEST;
        (is_certain && train - validation > BY_HEART).then_some((task, *train, *validation))
    });
    let (task, train, validation) = far.max_by(|a, b| (a.1 - a.2).total_cmp(&(b.1 - b.2)))?;
    Some(Finding::ByHeart { task: task.clone(), train, validation })
}

/// The interval of the accuracy; `None` without images.
fn interval(labelled: LabelledImages, accuracy: f64) -> Option<intervals::Estimate> {
    let images = labelled.images;
    accuracy
        .is_finite()
        .then(|| intervals::proportion((accuracy * images as f64).round() as usize, images))?
}

impl Finding {
    /// Whether it is good news.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Good | Self::Unsettled)
    }

    /// A sentence about it, with advice where something can be done.
    pub fn sentence(&self) -> String {
        let percent = |share: &f64| format!("{:.1} %", 100.0 * share);
        match self {
            Self::NothingLearnt { task, accuracy, most_common } => format!(
                "Nothing was learnt of {task}: it is right about {} of the images, and its most common label alone would \
                 be about {}. Label more images, try another learning rate or, if it began from scratch, a pretrained \
                 network.",
                percent(accuracy),
                percent(most_common)
            ),
            Self::TooFewImages { task, images, low, high } => format!(
                "Too few images validate {task} to say how good it is: {images} of them allow anything from {} to {}. \
                 Label more images.",
                percent(low),
                percent(high)
            ),
            Self::StillImproving => {
                "It was still improving when the epochs were over: more of them would make it better."
                    .to_owned()
            }
            Self::ByHeart { task, train, validation } => format!(
                "It knows its training images better than new ones ({task}: {} and {}): more labels or augmentation \
                 would help, and a pretrained network if it began from scratch.",
                percent(train),
                percent(validation)
            ),
            Self::Good => "It learnt what it was shown, and more epochs would change little.".to_owned(),
            Self::Unsettled => {
                "It learnt what it was shown. It is too early to tell whether more epochs would help."
                    .to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::events::SplitMetrics;

    /// Epochs with these validation losses; the accuracies of the one task are the same in all.
    fn epochs(losses: &[f64], train: f64, validation: f64) -> Vec<EpochMetrics> {
        let split =
            |loss, accuracy| SplitMetrics { loss, task_loss: vec![loss], task_accuracy: vec![accuracy] };
        let epoch = |(number, loss): (usize, &f64)| EpochMetrics {
            epoch: number + 1,
            learning_rate: 0.001,
            secs: 1.0,
            images_per_sec: 10.0,
            train: split(*loss, train),
            validation: split(*loss, validation),
            best: true,
            gradient_shares: Vec::new(),
        };
        losses.iter().enumerate().map(epoch).collect()
    }

    fn judged(images: usize, most_common: usize, epochs: &[EpochMetrics], why: StopReason) -> Vec<Finding> {
        let started = Started {
            run: "run".into(),
            device: "CPU".into(),
            precision: "fp32".into(),
            parameters: 1,
            n_train: 100,
            n_validation: images,
            tasks: vec!["item".into()],
            validation_labels: vec![LabelledImages { images, most_common }],
            epochs: epochs.len(),
            epochs_done: 0,
            weights: String::new(),
            found_batch_size: None,
        };
        let best = epochs.iter().min_by(|a, b| a.validation.loss.total_cmp(&b.validation.loss)).cloned();
        let best_epoch = best.as_ref().map(|best| best.epoch);
        judge(&started, epochs, &Stopped { why, best_epoch, best, model: None, secs: 1.0 })
    }

    const FLAT: [f64; 5] = [1.0, 0.5, 0.4, 0.4, 0.4];

    #[test]
    fn a_run_that_learnt_is_good() {
        let found = judged(400, 100, &epochs(&FLAT, 0.95, 0.9), StopReason::Finished);
        assert_eq!(found, [Finding::Good]);
    }

    /// The run: 40 labels, a validation loss of 205 on nine images, and a green tick.
    #[test]
    fn no_better_than_the_most_common_label_is_nothing_learnt() {
        let found = judged(9, 4, &epochs(&[205.0, 900.0], 0.5, 4.0 / 9.0), StopReason::Finished);
        let nothing =
            Finding::NothingLearnt { task: "item".into(), accuracy: 4.0 / 9.0, most_common: 4.0 / 9.0 };
        assert_eq!(found, [nothing]);
        let only_label = judged(400, 400, &epochs(&FLAT, 1.0, 1.0), StopReason::Finished);
        assert_eq!(only_label, [Finding::Good], "one label is all right");
    }

    #[test]
    fn few_images_cannot_tell() {
        let found = judged(10, 4, &epochs(&FLAT, 0.9, 0.9), StopReason::EarlyStopping);
        let [Finding::TooFewImages { images: 10, low, high, .. }] = found[..] else { panic!("{found:?}") };
        assert!((0.5..0.65).contains(&low) && high > 0.95, "{low} {high}");
        assert_eq!(judged(0, 0, &epochs(&FLAT, 0.9, f64::NAN), StopReason::Finished), [Finding::Good]);
    }

    #[test]
    fn a_loss_that_falls_to_the_end_asks_for_more_epochs_unless_it_was_stopped() {
        let falling = epochs(&[1.0, 0.9, 0.8, 0.7, 0.6], 0.8, 0.8);
        assert_eq!(judged(400, 100, &falling, StopReason::Finished), [Finding::StillImproving]);
        assert_eq!(judged(400, 100, &falling, StopReason::Asked), [Finding::Unsettled]);
        assert_eq!(judged(400, 100, &falling, StopReason::EarlyStopping), [Finding::Good]);
        let barely = epochs(&[1.0, 0.5, 0.4, 0.4, 0.395], 0.8, 0.8);
        assert_eq!(judged(400, 100, &barely, StopReason::Finished), [Finding::Good]);
        assert_eq!(judged(400, 100, &epochs(&[0.5], 0.8, 0.8), StopReason::Finished), [Finding::Unsettled]);
    }

    #[test]
    fn a_network_that_knows_its_images_by_heart_is_told() {
        let found = judged(400, 100, &epochs(&FLAT, 0.99, 0.7), StopReason::EarlyStopping);
        assert_eq!(found, [Finding::ByHeart { task: "item".into(), train: 0.99, validation: 0.7 }]);
        let few = judged(8, 3, &epochs(&FLAT, 1.0, 0.75), StopReason::EarlyStopping);
        assert!(matches!(few[..], [Finding::TooFewImages { .. }]), "8 images are not certain of it: {few:?}");
    }

    #[test]
    fn without_a_loss_nothing_is_said() {
        assert_eq!(judged(400, 100, &[], StopReason::Asked), []);
        assert_eq!(judged(400, 100, &epochs(&[f64::NAN], 0.5, 0.5), StopReason::Finished), []);
    }
}
