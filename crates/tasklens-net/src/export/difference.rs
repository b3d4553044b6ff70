//! How far the answers of a network in another precision are from those in float32, measured on images of its run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tasklens_data::config::{Config, Task};
use tasklens_data::dataset::images_named;
use tasklens_data::dataset::split::Part;
use tasklens_data::images::input;
use tasklens_data::text::{counted, plural};
use tasklens_data::work::KeepGoing;
use tch::{Kind, Tensor, no_grad};

use crate::inference::most_probable;
use crate::model::int8;
use crate::model::layers::ForwardPass;
use crate::model::network::{Network, probabilities};
use crate::training::predictions::{self, Recorded};
use crate::training::run_folder::{CONFIG, PREDICTIONS};
use crate::training::split_file;

/// So many images tell whether answers stay the same.
pub const SOME_IMAGES: usize = 64;
/// So many tell what accuracy is lost.
pub const MANY_IMAGES: usize = 256;
/// So many go through the network together.
const BATCH: usize = 8;

/// A precision below float32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lower {
    /// Half precision.
    Half,
    /// bf16.
    BFloat16,
    /// Weights of [8 bits](int8). It changes the weights: to be measured last.
    Int8,
}

/// Images with their labels.
#[derive(Clone, Debug, Default)]
pub struct Images {
    /// As the network gets them: bytes `[N, height, width, 3]`.
    pub bytes: Vec<u8>,
    /// Per image and task the class index of its label; missing where nothing is known of the labels.
    pub labels: Vec<Vec<Option<usize>>>,
}

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Images that were looked at.
    pub images: usize,
    /// The greatest difference of a probability.
    pub greatest: f32,
    /// Answers, one per image and task.
    pub answers: usize,
    /// Those that are others in float32.
    pub others: usize,
    /// Answers to images with a label.
    pub labelled: usize,
    /// Those of them that are right, here and in float32.
    pub right: [usize; 2],
}

impl Difference {
    /// `on 64 validation images, probabilities differ by at most 0.0021, and 192 of 192 answers are the same`.
    pub fn told(&self) -> String {
        let Self { images, greatest, answers, others, labelled, right: [right, in_full] } = *self;
        let accuracy = match labelled {
            0 => String::new(),
            _ => format!("; {right} of {labelled} with a label are right, and {in_full} in float32"),
        };
        format!(
            "on {}, probabilities differ by at most {greatest:.4}, and {} of {} the same{accuracy}",
            counted(images, "validation image"),
            answers - others,
            plural(answers, "1 answer is", &format!("{answers} answers are")),
        )
    }
}

/// Validation images of a run, at most `most`, evenly from all of them. Those that cannot be read are left out.
///
/// # Errors
/// The run does not say which they are, or none can be read.
pub fn images(
    run: &Path,
    tasks: &[Task],
    (height, width): (u32, u32),
    most: usize,
) -> anyhow::Result<Images> {
    let config = Config::open(&run.join(CONFIG))?;
    let names: Vec<String> = split_file::entries(run)?
        .into_iter()
        .filter_map(|(name, part)| (part == Part::Validation).then_some(name))
        .collect();
    let step = names.len().div_ceil(most).max(1);
    let names: Vec<String> = names.into_iter().step_by(step).collect();
    // Where the project was moved, what was predicted then cannot be found again.
    let recorded = predictions::read(&run.join(PREDICTIONS), tasks).unwrap_or_default();
    let known: HashMap<PathBuf, Recorded> = recorded.into_iter().map(|it| (it.image.clone(), it)).collect();
    let mut images = Images::default();
    for image in images_named(&config, &names) {
        match input::of_file(&image, (height, width)) {
            Ok(input) => {
                images.bytes.extend_from_slice(&input.pixels);
                images.labels.push(known.get(&image).map_or(Vec::new(), |it| classes(it, tasks)));
            }
            Err(error) => log::info!("not looked at: {error}"),
        }
    }
    ensure!(!images.bytes.is_empty(), "none of its validation images can be read");
    Ok(images)
}

fn classes(recorded: &Recorded, tasks: &[Task]) -> Vec<Option<usize>> {
    let class = |(task, (label, _)): (&Task, &(Option<String>, String))| {
        task.labels.iter().position(|known| Some(known) == label.as_ref())
    };
    tasks.iter().zip(&recorded.tasks).map(class).collect()
}

/// Compares a network in each of `lower` with itself in float32 on `images`; `keep_going` counts them. Leaves it folded in
/// the last one.
///
/// # Errors
/// Memory is short, the network's numbers are too large for one of `lower`, or it was cancelled.
pub fn measure(
    network: &mut Network,
    images: &Images,
    size: (u32, u32),
    lower: &[Lower],
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Vec<Difference>> {
    let count = images.bytes.len() / bytes_of(size);
    let tasks: Vec<usize> = network.tasks().iter().map(|task| task.labels.len()).collect();
    let mut done = 0;
    let mut answers_in = |kind: Kind, is_int8: bool| {
        if is_int8 {
            int8::round_weights(network)?;
        }
        let answers = answers(network, &images.bytes, size, kind, &mut |more| {
            done += more;
            keep_going(done, count * (lower.len() + 1))
        })?;
        ensure!(
            answers.iter().flatten().all(|p| p.is_finite()),
            "the network's numbers are too large for half precision: export it in float32"
        );
        Ok(answers)
    };
    let full = answers_in(Kind::Float, false)?;
    let compare = |lower: &Lower| {
        let low = match lower {
            Lower::Half => answers_in(Kind::Half, false),
            Lower::BFloat16 => answers_in(Kind::BFloat16, false),
            Lower::Int8 => answers_in(Kind::Float, true),
        }?;
        Ok(compare(&low, &full, &tasks, &images.labels, count))
    };
    lower.iter().map(compare).collect()
}

/// Per task the probabilities in low and in full precision, `[N, labels]` each, and per image the labels that it has.
fn compare(
    low: &[Vec<f32>],
    full: &[Vec<f32>],
    tasks: &[usize],
    labels: &[Vec<Option<usize>>],
    images: usize,
) -> Difference {
    let mut found = Difference { images, greatest: 0.0, answers: 0, others: 0, labelled: 0, right: [0; 2] };
    for (task, count) in tasks.iter().enumerate() {
        for (image, (low, full)) in low[task].chunks(*count).zip(full[task].chunks(*count)).enumerate() {
            let greatest = low.iter().zip(full).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            found.greatest = found.greatest.max(greatest);
            let answers = [low, full].map(most_probable);
            found.answers += 1;
            found.others += usize::from(answers[0] != answers[1]);
            let label = labels.get(image).and_then(|labels| labels.get(task).copied().flatten());
            if let Some(label) = label {
                found.labelled += 1;
                for (right, answer) in found.right.iter_mut().zip(answers) {
                    *right += usize::from(answer == label);
                }
            }
        }
    }
    found
}

fn bytes_of((height, width): (u32, u32)) -> usize {
    height as usize * width as usize * 3
}

/// Probabilities per task, `[N, labels]` each; `keep_going` is told of each batch's images.
fn answers(
    network: &mut Network,
    bytes: &[u8],
    size: (u32, u32),
    kind: Kind,
    keep_going: &mut dyn FnMut(usize) -> bool,
) -> anyhow::Result<Vec<Vec<f32>>> {
    let (height, width) = size;
    network.fold(kind)?;
    let mut all = vec![Vec::new(); network.tasks().len()];
    for batch in bytes.chunks(BATCH * bytes_of(size)) {
        let images = batch.len() / bytes_of(size);
        let shape = [images as i64, height.into(), width.into(), 3];
        let logits = no_grad(|| {
            let bytes = Tensor::f_from_data_size(batch, &shape, Kind::Uint8)?;
            network.forward(&network.normalise(&bytes, kind)?, ForwardPass::evaluate(kind))
        })
        .context("the network failed in another precision")?;
        for (all, logits) in all.iter_mut().zip(&logits) {
            all.extend(probabilities(logits)?);
        }
        ensure!(keep_going(images), "the export was cancelled");
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use tasklens_data::config::{Backbone, Task};
    use tch::Device;

    use super::*;

    #[test]
    fn another_answer_and_the_greatest_difference_are_found() {
        // Two tasks, of two and three labels; the second image's second answer changes.
        let full = [vec![0.5, 0.5, 0.9, 0.1], vec![0.2, 0.3, 0.5, 0.4, 0.35, 0.25]];
        let low = [vec![0.5, 0.5, 0.89, 0.11], vec![0.2, 0.3, 0.5, 0.37, 0.38, 0.25]];
        let found = compare(&low, &full, &[2, 3], &[], 2);
        assert_eq!((found.answers, found.others), (4, 1));
        assert_eq!(
            found.told(),
            "on 2 validation images, probabilities differ by at most 0.0300, and 3 of 4 answers are the same"
        );
        let found = compare(&low, &full, &[2, 3], &[vec![Some(1), Some(2)], vec![None, Some(0)]], 2);
        assert_eq!((found.labelled, found.right), (3, [1, 2]));
        assert!(found.told().ends_with("the same; 1 of 3 with a label are right, and 2 in float32"));
    }

    fn network() -> Network {
        let labels = vec!["a".to_owned(), "b".to_owned()];
        let tasks = [Task { name: "print".to_owned(), labels }];
        Network::new(Backbone::XceptionSmall, &tasks, 1, Device::Cpu).unwrap()
    }

    #[test]
    fn it_can_be_cancelled_between_batches_and_counts_the_images_of_each_precision() {
        let images = Images { bytes: vec![100; 10 * 32 * 32 * 3], labels: Vec::new() };
        let mut told = Vec::new();
        let mut network = network();
        let found = measure(&mut network, &images, (32, 32), &[Lower::BFloat16], &mut |done, of| {
            told.push((done, of));
            true
        });
        assert_eq!(found.unwrap()[0].answers, 10);
        assert_eq!(told, [(8, 20), (10, 20), (18, 20), (20, 20)]);
        let stopped = measure(&mut network, &images, (32, 32), &[Lower::BFloat16], &mut |done, _| done < 10);
        assert_eq!(stopped.unwrap_err().to_string(), "the export was cancelled");
    }

    #[test]
    fn numbers_that_half_precision_cannot_hold_are_refused() {
        let mut network = network();
        let weight = network.parameters().get("bn4.weight").unwrap().shallow_clone();
        let _ = no_grad(|| weight.shallow_clone().fill_(1e9));
        let bytes: Vec<u8> = (0..32 * 32 * 3).map(|i: usize| (i * 7919 % 251) as u8).collect();
        let images = Images { bytes, labels: Vec::new() };
        let refused = measure(&mut network, &images, (32, 32), &[Lower::Half], &mut |_, _| true);
        assert!(refused.unwrap_err().to_string().contains("too large for half precision"));
    }
}
