//! Models for other programs: an ONNX file that takes images as they are, and a card beside it that says what it
//! answers, how well, and how to call it.
//!
//! The graph is that of [`crate::onnx`]; [`about`] is what is said of it, in the file and in the [`card`].

pub mod about;
mod card;
pub mod difference;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use prost::Message as _;
use tasklens_data::config::DeviceChoice;
use tasklens_data::files::{self, Output};
use tasklens_data::work::KeepGoing;
use tch::{Device, Kind};

use crate::inference::{checkpoint_of, precision_of};
use crate::model::checkpoint::{self, Description, Loaded};
use crate::model::network::Network;
use crate::onnx::protobuf::ModelProto;
use crate::onnx::{self, Input, Plan};
use about::About;
use difference::{Difference, Lower, MANY_IMAGES, SOME_IMAGES};

/// How exact an exported model is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// float32 throughout.
    #[default]
    Single,
    /// Weights and computation of the backbone in half precision.
    Half,
    /// The weights of the backbone's dense convolutions in [8 bits](int8); it computes in float32.
    Int8,
}

/// How to export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How exact the model is.
    pub precision: Precision,
    /// Replace files that are there.
    pub replace: bool,
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The model.
    pub file: PathBuf,
    /// Its card.
    pub card: PathBuf,
    /// Size of the model in bytes.
    pub bytes: usize,
    /// What is to be known, in sentences.
    pub notes: Vec<String>,
}

/// Where the model of a run goes if nobody says: beside its weights.
pub fn default_file(model_or_run: &Path) -> PathBuf {
    checkpoint_of(model_or_run).with_extension("onnx")
}

/// The card of a model.
pub fn card_of(file: &Path) -> PathBuf {
    file.with_extension("md")
}

/// A file that is not replaced without being asked to.
#[derive(Debug, thiserror::Error)]
#[error("{} is there already", .0.display())]
pub struct AlreadyThere(pub PathBuf);

/// Exports a checkpoint, or the best one of a run folder, to `file` and its card. Blocks (seconds); `keep_going` counts
/// images on which precisions are compared.
///
/// # Errors
/// There is no model, `file` does not end in `.onnx` or is there already and is not to be replaced ([`AlreadyThere`]),
/// the disk is full or not writable, or it was cancelled: then no file has changed. Where only the card cannot be
/// written, the message says so.
pub fn export(
    model_or_run: &Path,
    file: &Path,
    options: Options,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Exported> {
    ensure!(
        file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("onnx")),
        "{} does not end in `.onnx`: choose a file name that does",
        file.display()
    );
    let card = card_of(file);
    let (file, card) = (target(file, options)?, target(&card, options)?);
    ensure!(
        !card.exists() || card::is_card(&card),
        "the card of the model would replace {}, which is another file: choose another name",
        card.display()
    );
    let checkpoint = checkpoint_of(model_or_run);
    ensure!(
        checkpoint.exists(),
        "{} is not a model: give a run folder, which contains {}, or a .safetensors file written by Tasklens",
        model_or_run.display(),
        checkpoint::BEST
    );
    let Loaded { mut network, description, .. } = checkpoint::load(&checkpoint, Device::Cpu)?;
    let mut about = About::new(&checkpoint, &description)?;
    about.notes = notes(&checkpoint, &mut network, &description, options, keep_going)?;
    about.precision = match options.precision {
        Precision::Single => about.precision,
        Precision::Half => "fp16",
        Precision::Int8 => "int8",
    };
    let model = model(&network, &about, Input::AnySize, options.precision)?.encode_to_vec();
    write(&file, &model)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    write(&card, card::card(&about, &name).as_bytes())
        .with_context(|| format!("{} is written, but not its card", file.display()))?;
    Ok(Exported { file, card, bytes: model.len(), notes: about.notes })
}

/// The ONNX model of a network, as exact as `precision`.
///
/// # Errors
/// Memory is short.
pub fn model(
    network: &Network,
    about: &About,
    input: Input,
    precision: Precision,
) -> anyhow::Result<ModelProto> {
    let kind = if precision == Precision::Half { Kind::Half } else { Kind::Float };
    let is_int8 = precision == Precision::Int8;
    let plan = Plan { size: about.size, input, kind, is_int8, gives_features: false };
    Ok(ModelProto { metadata_props: about.properties(), ..onnx::model(network, plan)? })
}

/// A file that may be written.
fn target(file: &Path, options: Options) -> anyhow::Result<PathBuf> {
    let output = Output::of(file).with_context(|| format!("cannot write {}", file.display()))?;
    let Output::File(behind) = output else {
        anyhow::bail!("{} is no file: a model has a card beside it, name a file for it", file.display());
    };
    ensure!(options.replace || !file.exists(), AlreadyThere(file.to_path_buf()));
    Ok(behind)
}

fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    files::replace(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}

/// How the file's answers differ from those of Tasklens here, as far as they are known to.
fn notes(
    checkpoint: &Path,
    network: &mut Network,
    description: &Description,
    options: Options,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Vec<String>> {
    let is_bf16 = precision_of(checkpoint, DeviceChoice::Auto).is_ok_and(|precision| precision == "bf16");
    let lower: Vec<Lower> = [
        (options.precision == Precision::Half, Lower::Half),
        (is_bf16, Lower::BFloat16),
        (options.precision == Precision::Int8, Lower::Int8),
    ]
    .into_iter()
    .filter(|it| it.0)
    .map(|it| it.1)
    .collect();
    if lower.is_empty() {
        return Ok(Vec::new());
    }
    let size = (description.height, description.width);
    let run = checkpoint.parent().unwrap_or(Path::new(""));
    let most = if options.precision == Precision::Int8 { MANY_IMAGES } else { SOME_IMAGES };
    let told: Vec<String> = match difference::images(run, network.tasks(), size, most) {
        Ok(images) => difference::measure(network, &images, size, &lower, keep_going)?
            .iter()
            .map(Difference::told)
            .collect(),
        Err(error) => vec![format!("by how much its answers differ is not known: {error:#}"); lower.len()],
    };
    let note = |(lower, told): (&Lower, String)| match lower {
        Lower::Half => format!("Half precision against float32: {told}."),
        Lower::Int8 => format!("Weights of 8 bits against float32: {told}."),
        Lower::BFloat16 => {
            format!("Tasklens itself computes this model in bf16 on this computer. Against float32: {told}.")
        }
    };
    Ok(lower.iter().zip(told).map(note).collect())
}
