//! How far the answers of a network in another precision are from those in float32, measured on images of its run.

use std::path::Path;

use anyhow::{Context as _, ensure};
use tasklens_data::config::Config;
use tasklens_data::dataset::images_named;
use tasklens_data::dataset::split::Part;
use tasklens_data::images::{decode, resize};
use tasklens_data::text::{counted, plural};
use tasklens_data::work::KeepGoing;
use tch::{Kind, Tensor, no_grad};

use crate::inference::most_probable;
use crate::model::layers::ForwardPass;
use crate::model::network::{Network, probabilities};
use crate::training::run_folder::CONFIG;
use crate::training::split_file;

/// So many images are looked at.
const IMAGES: usize = 64;
/// So many go through the network together.
const BATCH: usize = 8;

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
}

impl Difference {
    /// `on 64 validation images, probabilities differ by at most 0.0021, and 192 of 192 answers are the same`.
    pub fn told(&self) -> String {
        let Self { images, greatest, answers, others } = *self;
        format!(
            "on {}, probabilities differ by at most {greatest:.4}, and {} of {} the same",
            counted(images, "validation image"),
            answers - others,
            plural(answers, "1 answer is", &format!("{answers} answers are")),
        )
    }
}

/// Validation images of a run as its network gets them: bytes `[N, height, width, 3]`, at most [`IMAGES`], evenly from
/// all of them. Those that cannot be read are left out.
///
/// # Errors
/// The run does not say which they are, or none can be read.
pub fn images(run: &Path, (height, width): (u32, u32)) -> anyhow::Result<Vec<u8>> {
    let config = Config::open(&run.join(CONFIG))?;
    let names: Vec<String> = split_file::entries(run)?
        .into_iter()
        .filter_map(|(name, part)| (part == Part::Validation).then_some(name))
        .collect();
    let step = names.len().div_ceil(IMAGES).max(1);
    let names: Vec<String> = names.into_iter().step_by(step).collect();
    let mut bytes = Vec::new();
    for image in images_named(&config, &names) {
        match decode::decode_file(&image) {
            Ok(image) => bytes.extend_from_slice(&resize::resize(&image.into_rgb(), width, height)),
            Err(error) => log::info!("not looked at: {error}"),
        }
    }
    ensure!(!bytes.is_empty(), "none of its validation images can be read");
    Ok(bytes)
}

/// Compares a network in each of `kinds` with itself in float32 on bytes `[N, height, width, 3]`; `keep_going` counts
/// images. Leaves it folded in the last one.
///
/// # Errors
/// Memory is short, the network's numbers are too large for one of `kinds`, or it was cancelled.
pub fn measure(
    network: &mut Network,
    bytes: &[u8],
    size: (u32, u32),
    kinds: &[Kind],
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Vec<Difference>> {
    let images = bytes.len() / bytes_of(size);
    let labels: Vec<usize> = network.tasks().iter().map(|task| task.labels.len()).collect();
    let mut done = 0;
    let mut answers_in = |kind: Kind| {
        let answers = answers(network, bytes, size, kind, &mut |more| {
            done += more;
            keep_going(done, images * (kinds.len() + 1))
        })?;
        ensure!(
            answers.iter().flatten().all(|p| p.is_finite()),
            "the network's numbers are too large for half precision: export it in float32"
        );
        Ok(answers)
    };
    let full = answers_in(Kind::Float)?;
    let compare = |kind: &Kind| Ok(compare(&answers_in(*kind)?, &full, &labels, images));
    kinds.iter().map(compare).collect()
}

/// Per task the probabilities in low and in full precision, `[N, labels]` each.
fn compare(low: &[Vec<f32>], full: &[Vec<f32>], labels: &[usize], images: usize) -> Difference {
    let mut found = Difference { images, greatest: 0.0, answers: 0, others: 0 };
    for ((low, full), labels) in low.iter().zip(full).zip(labels) {
        for (low, full) in low.chunks(*labels).zip(full.chunks(*labels)) {
            let greatest = low.iter().zip(full).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            found.greatest = found.greatest.max(greatest);
            found.answers += 1;
            found.others += usize::from(most_probable(low) != most_probable(full));
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
        let found = compare(&low, &full, &[2, 3], 2);
        assert_eq!((found.answers, found.others), (4, 1));
        assert_eq!(
            found.told(),
            "on 2 validation images, probabilities differ by at most 0.0300, and 3 of 4 answers are the same"
        );
    }

    fn network() -> Network {
        let labels = vec!["a".to_owned(), "b".to_owned()];
        let tasks = [Task { name: "print".to_owned(), labels }];
        Network::new(Backbone::XceptionSmall, &tasks, 1, Device::Cpu).unwrap()
    }

    #[test]
    fn it_can_be_cancelled_between_batches_and_counts_the_images_of_each_precision() {
        let bytes = vec![100; 10 * 32 * 32 * 3];
        let mut told = Vec::new();
        let mut network = network();
        let found = measure(&mut network, &bytes, (32, 32), &[Kind::BFloat16], &mut |done, of| {
            told.push((done, of));
            true
        });
        assert_eq!(found.unwrap()[0].answers, 10);
        assert_eq!(told, [(8, 20), (10, 20), (18, 20), (20, 20)]);
        let stopped = measure(&mut network, &bytes, (32, 32), &[Kind::BFloat16], &mut |done, _| done < 10);
        assert_eq!(stopped.unwrap_err().to_string(), "the export was cancelled");
    }

    #[test]
    fn numbers_that_half_precision_cannot_hold_are_refused() {
        let mut network = network();
        let weight = network.parameters().get("bn4.weight").unwrap().shallow_clone();
        let _ = no_grad(|| weight.shallow_clone().fill_(1e9));
        let bytes: Vec<u8> = (0..32 * 32 * 3).map(|i: usize| (i * 7919 % 251) as u8).collect();
        let refused = measure(&mut network, &bytes, (32, 32), &[Kind::Half], &mut |_, _| true);
        assert!(refused.unwrap_err().to_string().contains("too large for half precision"));
    }
}
