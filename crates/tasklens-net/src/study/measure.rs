//! What is measured of the trained networks: how long predictions take, and what their features are good for.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_pcg::Pcg64Mcg;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::Part;
use tasklens_data::images::input;
use tasklens_data::work::cores;

use super::listener::Listener;
use super::report::{NeighbourRow, Times};
use super::{PlannedRun, StudyPlan};
use crate::evaluation::inspection::Inspection;
use crate::inference::Predictor;
use crate::inference::engine::Demand;
use crate::inference::loader::Batching;
use crate::inference::neighbours::nearest;
use crate::inference::outputs::OutputStore;
use crate::training::split_file;

/// Images that are timed, in one batch.
const BATCH: usize = 16;
/// Each network is timed so often, in turn with the others.
const ROUNDS: usize = 7;
/// So many images that validate look for their nearest neighbour, among so many that train.
const MOST_ASKED: usize = 2_000;
const MOST_SEARCHED: usize = 20_000;

/// Seconds per image of the network for all tasks and of those for one each, in batches and one by one, decoding
/// left out. `None` where it was stopped.
pub fn times(
    plan: &StudyPlan,
    runs: &[PlannedRun],
    dataset: &Dataset,
    listener: &Listener,
) -> anyhow::Result<Option<Times>> {
    let device = plan.config.model.device;
    let open = |run: &PlannedRun| Predictor::open(&run.folder, device);
    let networks: Vec<Predictor> = plan.of_first_seed(runs).map(open).collect::<anyhow::Result<_>>()?;
    let (height, width) = (plan.config.model.height, plan.config.model.width);
    let readable = dataset.split.validation.iter().chain(&dataset.split.train);
    let images: Vec<Vec<u8>> = readable
        .filter_map(|row| input::of_file(&dataset.rows[*row].image, (height, width)).ok())
        .map(|input| input.pixels.into_raw())
        .take(BATCH)
        .collect();
    ensure!(!images.is_empty(), "none of the images could be read");
    let batch = images.concat();
    for network in &networks {
        // As whoever uses it gets it.
        network.speed_up(Demand::Batches);
        network.speed_up(Demand::SingleImages);
    }
    // Per network the seconds of each round: of a batch, and of its images one by one.
    let mut seconds = vec![(Vec::new(), Vec::new()); networks.len()];
    for round in 0..=ROUNDS {
        let what = "how long predictions take";
        if !listener.measuring(what, round, ROUNDS + 1) {
            return Ok(None);
        }
        for (network, (of_batch, of_each)) in networks.iter().zip(&mut seconds) {
            let began = Instant::now();
            network.predict_pixels(&batch, images.len())?;
            let batch_seconds = began.elapsed().as_secs_f64();
            let began = Instant::now();
            for image in &images {
                network.predict_pixels(image, 1)?;
            }
            // The first round warms up.
            if round > 0 {
                of_batch.push(batch_seconds / images.len() as f64);
                of_each.push(began.elapsed().as_secs_f64() / images.len() as f64);
            }
        }
    }
    let medians: Vec<(f64, f64)> =
        seconds.into_iter().map(|(of_batch, of_each)| (median(of_batch), median(of_each))).collect();
    let (all, single) = medians.split_first().context("a study without networks")?;
    Ok(Some(Times {
        batch: images.len(),
        all: all.0,
        single: single.iter().map(|(of_batch, _)| of_batch).sum(),
        all_one_by_one: all.1,
        single_one_by_one: single.iter().map(|(_, of_each)| of_each).sum(),
    }))
}

/// The middle one; of an even number the lower of two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// Of each network of the first seed: how often the training image that its features find nearest has the label of
/// the validation image, for each task. `None` where it was stopped.
pub fn neighbours(
    plan: &StudyPlan,
    runs: &[PlannedRun],
    dataset: &Dataset,
    listener: &Listener,
) -> anyhow::Result<Option<Vec<NeighbourRow>>> {
    let parts = split_file::parts(&runs[0].folder, dataset)?;
    let mut rows = Vec::new();
    for run in plan.of_first_seed(runs) {
        let Some(inspection) = inspect(plan, run, dataset, &parts, listener)? else { return Ok(None) };
        let mut accuracies = Vec::new();
        for task in 0..plan.config.model.tasks.len() {
            let label = |item: usize| dataset.rows[inspection.rows[item]].labels[task].class();
            let Some(found) = nearest_label_accuracy(&inspection, &label, listener) else {
                return Ok(None);
            };
            accuracies.push(found);
        }
        rows.push(NeighbourRow { network: plan.title(run.scope), accuracies });
    }
    Ok(Some(rows))
}

/// The features of the images that train and validate, those that are missing computed now.
fn inspect(
    plan: &StudyPlan,
    run: &PlannedRun,
    dataset: &Dataset,
    parts: &[Option<Part>],
    listener: &Listener,
) -> anyhow::Result<Option<Inspection>> {
    let used = |part: &Option<Part>| matches!(part, Some(Part::Train | Part::Validation));
    let which: Vec<usize> = (0..parts.len()).filter(|row| used(&parts[*row])).collect();
    let store = OutputStore::of(&run.folder)?;
    let device = plan.config.model.device;
    let batching = Batching { size: plan.config.model.batch_size, workers: cores() };
    let mut is_stopped = false;
    store.compute(
        || Predictor::open(&run.folder, device),
        &dataset.rows,
        &which,
        batching,
        &mut |done, of| {
            is_stopped = !listener.measuring("the features of all images", done, of);
            !is_stopped
        },
    )?;
    if is_stopped {
        return Ok(None);
    }
    Ok(Some(Inspection::new(dataset, parts, &store.load()?)))
}

/// Right and asked; `None` where it was stopped.
fn nearest_label_accuracy(
    inspection: &Inspection,
    label: &dyn Fn(usize) -> Option<u32>,
    listener: &Listener,
) -> Option<(usize, usize)> {
    let of_part = |part: Part, most: usize| {
        let mut items = inspection.items_of(Some(part));
        items.retain(|item| label(*item).is_some());
        // The same images for each network.
        items.shuffle(&mut Pcg64Mcg::seed_from_u64(1));
        items.truncate(most);
        items.sort_unstable();
        items
    };
    let (asked, searched) = (of_part(Part::Validation, MOST_ASKED), of_part(Part::Train, MOST_SEARCHED));
    let features = inspection.features.pick(&searched);
    let mut right = 0;
    for (done, item) in asked.iter().enumerate() {
        let what = "the nearest neighbours of the images that validate";
        if !listener.measuring(what, done, asked.len()) {
            return None;
        }
        let found = nearest(&features, &inspection.features.gather(&[*item]), 1, &mut |_, _| true)?;
        right += usize::from(found.first().is_some_and(|near| label(searched[near.item]) == label(*item)));
    }
    Some((right, asked.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::features::Features;

    #[test]
    fn the_nearest_training_image_with_a_label_says_whether_the_features_know_the_task() {
        // Items 0 to 5 train at the angles 0, 10, .., 50; 6 to 8 validate at 1, 29 and 52 degrees.
        let degrees = [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 1.0, 29.0, 52.0_f32];
        let features = Features::drawn(9, 2, |item, axis| {
            let angle = degrees[item].to_radians();
            if axis == 0 { angle.cos() } else { angle.sin() }
        });
        let part = |item| if item < 6 { Part::Train } else { Part::Validation };
        let inspection = Inspection {
            rows: (0..9).collect(),
            parts: (0..9).map(part).collect(),
            tasks: Vec::new(),
            features,
        };
        // The nearest of the last has no label: the one at 40 degrees is asked, and is wrong.
        let labels = [Some(0), Some(0), Some(0), Some(1), Some(0), None, Some(0), Some(1), Some(1)];
        let (listener, study) = Listener::new(Box::new(|| {}));
        assert_eq!(nearest_label_accuracy(&inspection, &|item| labels[item], &listener), Some((2, 3)));
        study.stopper.stop();
        assert_eq!(nearest_label_accuracy(&inspection, &|item| labels[item], &listener), None);
    }

    #[test]
    fn the_median_is_no_mean() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 100.0]), 2.0);
        assert!(median(Vec::new()).is_nan());
    }
}
