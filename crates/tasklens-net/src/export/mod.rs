//! Models for other programs: an ONNX file that takes images as they are, and a card beside it that says what it
//! answers, how well, and how to call it.
//!
//! [`network`] puts the graph together from the [`sketch`](crate::model::sketch) of a backbone, with
//! [`preprocessing`] in front; [`about`] is what is said of it, in the file and in the [`card`].

pub mod about;
mod card;
pub mod difference;
mod graph;
mod network;
pub mod onnx;
mod preprocessing;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use prost::Message as _;
use tasklens_data::config::DeviceChoice;
use tasklens_data::files::{self, Output};
use tch::{Device, Kind};

use crate::inference::{checkpoint_of, precision_of};
use crate::model::checkpoint::{self, Description, Loaded};
use crate::model::network::Network;
use about::About;
pub use network::Input;
use network::Plan;
use onnx::{IR_VERSION, ModelProto, OPSET, OperatorSetIdProto};

/// How to export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Weights and computation of the backbone in half precision.
    pub half: bool,
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

/// Exports a checkpoint, or the best one of a run folder, to `file` and its card. Blocks (seconds); `go_on` is asked
/// in between.
///
/// # Errors
/// There is no model, `file` does not end in `.onnx` or is there already and is not to be replaced, the disk is full or
/// not writable, or it was cancelled: then no file has changed. Where only the card cannot be written, the message says
/// so.
pub fn export(
    model_or_run: &Path,
    file: &Path,
    options: Options,
    go_on: &dyn Fn() -> bool,
) -> anyhow::Result<Exported> {
    ensure!(
        file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("onnx")),
        "{} does not end in `.onnx`: choose a file name that does",
        file.display()
    );
    let card = card_of(file);
    let (file, card) = (target(file, options)?, target(&card, options)?);
    let checkpoint = checkpoint_of(model_or_run);
    ensure!(
        checkpoint.exists(),
        "{} is not a model: give a run folder, which contains {}, or a .safetensors file written by Tasklens",
        model_or_run.display(),
        checkpoint::BEST
    );
    let Loaded { mut network, description, .. } = checkpoint::load(&checkpoint, Device::Cpu)?;
    let mut about = About::new(&checkpoint, &description)?;
    about.notes = notes(&checkpoint, &mut network, &description, options, go_on)?;
    let kind = if options.half { Kind::Half } else { Kind::Float };
    if options.half {
        about.precision = "fp16";
    }
    let model = model(&network, &about, Input::AnySize, kind)?.encode_to_vec();
    ensure!(go_on(), "the export was cancelled");
    write(&file, &model)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    write(&card, card::card(&about, &name).as_bytes())
        .with_context(|| format!("{} is written, but not its card", file.display()))?;
    Ok(Exported { file, card, bytes: model.len(), notes: about.notes })
}

/// The ONNX model of a network whose backbone computes in `kind`: float32 or half precision.
///
/// # Errors
/// Memory is short.
pub fn model(network: &Network, about: &About, input: Input, kind: Kind) -> anyhow::Result<ModelProto> {
    let plan = Plan { size: about.size, input, kind, gives_features: false };
    Ok(ModelProto { metadata_props: about.properties(), ..wrap(network, plan)? })
}

/// The ONNX file of a network for an engine behind [`Predictor`](crate::inference::Predictor), for images of this height
/// and width. It takes bytes `[N, height, width, 3]`, 0 to 255, computes in float32, and gives per task, in their
/// order, the probabilities `[N, labels]`, and as its last output the pooled features `[N, C]`.
///
/// # Errors
/// Memory is short.
pub fn engine_model(network: &Network, size: (u32, u32)) -> anyhow::Result<Vec<u8>> {
    let plan = Plan { size, input: Input::NetworkSize, kind: Kind::Float, gives_features: true };
    Ok(wrap(network, plan)?.encode_to_vec())
}

fn wrap(network: &Network, plan: Plan) -> anyhow::Result<ModelProto> {
    let tasks: Vec<&str> = network.tasks().iter().map(|task| task.name.as_str()).collect();
    Ok(ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some("tasklens".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        doc_string: Some(format!("{}: {}", network.backbone().facts().title, tasks.join(", "))),
        graph: Some(network::graph_of(network, plan)?),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(OPSET) }],
        metadata_props: Vec::new(),
    })
}

/// A file that may be written.
fn target(file: &Path, options: Options) -> anyhow::Result<PathBuf> {
    let output = Output::of(file).with_context(|| format!("cannot write {}", file.display()))?;
    let Output::File(behind) = output else {
        anyhow::bail!("{} is no file: a model has a card beside it, name a file for it", file.display());
    };
    ensure!(
        options.replace || !file.exists(),
        "{} is there already: give --force to replace it, or another name with --out",
        file.display()
    );
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
    go_on: &dyn Fn() -> bool,
) -> anyhow::Result<Vec<String>> {
    let is_bf16 = precision_of(checkpoint, DeviceChoice::Auto).is_ok_and(|precision| precision == "bf16");
    let kinds = [(options.half, Kind::Half), (is_bf16, Kind::BFloat16)];
    if !kinds.iter().any(|(is_asked, _)| *is_asked) {
        return Ok(Vec::new());
    }
    let size = (description.height, description.width);
    let run = checkpoint.parent().unwrap_or(Path::new(""));
    let images = difference::images(run, size);
    let mut notes = Vec::new();
    for (_, kind) in kinds.into_iter().filter(|(is_asked, _)| *is_asked) {
        let told = match &images {
            Ok(images) => difference::measure(network, images, size, kind, go_on)?.told(),
            Err(error) => format!("by how much its answers differ is not known: {error:#}"),
        };
        notes.push(match kind {
            Kind::Half => format!("Half precision against float32: {told}"),
            _ => format!(
                "Tasklens itself computes this model in bf16 on this computer. Against float32: {told}"
            ),
        });
    }
    Ok(notes)
}
