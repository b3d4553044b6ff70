//! How far the answers of a network in another precision are from those in float32, measured on images of its run.

use std::path::Path;

use anyhow::{Context as _, ensure};
use tasklens_data::config::Config;
use tasklens_data::dataset::images_named;
use tasklens_data::dataset::split::Part;
use tasklens_data::images::{decode, resize};
use tasklens_data::text::counted;
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
            counted(answers, "answer is").replace("answer iss", "answers are"),
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

/// Compares a network in `kind` with itself in float32 on bytes `[N, height, width, 3]`; `go_on` is asked between
/// batches. Leaves it folded in float32.
///
/// # Errors
/// Memory is short, the network's numbers are too large for `kind`, or it was cancelled.
pub fn measure(
    network: &mut Network,
    bytes: &[u8],
    (height, width): (u32, u32),
    kind: Kind,
    go_on: &dyn Fn() -> bool,
) -> anyhow::Result<Difference> {
    let size = height as usize * width as usize * 3;
    let labels: Vec<usize> = network.tasks().iter().map(|task| task.labels.len()).collect();
    network.fold(kind)?;
    let low = answers(network, bytes, size, (height, width), kind, go_on)?;
    ensure!(
        low.iter().flatten().all(|p| p.is_finite()),
        "its numbers are too large for half precision; export it without --fp16"
    );
    network.fold(Kind::Float)?;
    let full = answers(network, bytes, size, (height, width), Kind::Float, go_on)?;
    let mut found = Difference { images: bytes.len() / size, greatest: 0.0, answers: 0, others: 0 };
    for ((low, full), labels) in low.iter().zip(&full).zip(labels) {
        for (low, full) in low.chunks(labels).zip(full.chunks(labels)) {
            let greatest = low.iter().zip(full).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            found.greatest = found.greatest.max(greatest);
            found.answers += 1;
            found.others += usize::from(most_probable(low) != most_probable(full));
        }
    }
    Ok(found)
}

/// Probabilities per task, `[N, labels]` each.
fn answers(
    network: &Network,
    bytes: &[u8],
    size: usize,
    (height, width): (u32, u32),
    kind: Kind,
    go_on: &dyn Fn() -> bool,
) -> anyhow::Result<Vec<Vec<f32>>> {
    let mut all = vec![Vec::new(); network.tasks().len()];
    for batch in bytes.chunks(BATCH * size) {
        ensure!(go_on(), "the export was cancelled");
        let shape = [(batch.len() / size) as i64, height.into(), width.into(), 3];
        let logits = no_grad(|| {
            let bytes = Tensor::f_from_data_size(batch, &shape, Kind::Uint8)?;
            network.forward(&network.normalise(&bytes, kind)?, ForwardPass::evaluate(kind))
        })
        .context("the network failed in another precision")?;
        for (all, logits) in all.iter_mut().zip(&logits) {
            all.extend(probabilities(logits)?);
        }
    }
    Ok(all)
}
