//! A network that was trained elsewhere becomes a run, which Predict, Inspect and the command line open as any other
//! and which training goes on from; or a checkpoint by itself.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tasklens_data::config::Config;
use tasklens_data::files;
use tasklens_data::text::counted;

use super::progress::RunProgress;
use super::run_folder::{self, BEST, CONFIG, LAST};
use super::{Request, Unsaved, outputs, setup};
use crate::inference::precision_name;
use crate::model::checkpoint::{self, Description};
use crate::model::keras;
use crate::model::network::Network;

/// Where an imported model goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A new folder named by the time, among the runs of the config.
    NewRun,
    /// A run folder of this name, which is new or empty.
    Run(PathBuf),
    /// A checkpoint alone.
    File(PathBuf),
}

/// Endings of the files that Keras saves models in, without the dot.
pub const KERAS_ENDINGS: [&str; 3] = ["h5", "hdf5", "keras"];

/// Whether a file's name ends as a model of Keras does.
pub fn is_named_as_keras(file: &Path) -> bool {
    let ending = file.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| KERAS_ENDINGS.contains(&ending.as_str()))
}

/// Of a file that can only be in the newer format of Keras: what it is, and how to save it as one that is read.
pub fn newer_format(file: &Path) -> Option<String> {
    let is_newer = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("keras"));
    is_newer.then(|| {
        let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
        let old = Path::new(&*name).with_extension("h5");
        format!(
            "{name} is in the newer format of Keras, which is not read here. Save it as HDF5 in Python: \
             `keras.models.load_model(\"{name}\").save(\"{}\")`, and import that file",
            old.display()
        )
    })
}

/// What is true of every model of Keras that was brought over.
pub const CAVEAT: &str = "Tasklens makes images smaller with a filter, and Keras' generators skip pixels unless told \
                          otherwise: answers can differ a little. Which images the model was trained on is not known: \
                          scores on them are too good";

/// A model of Keras that was brought over.
#[derive(Clone, Debug)]
pub struct ImportedModel {
    /// The run folder or the checkpoint.
    pub written: PathBuf,
    /// The network, the size of its images, its tasks and who wrote the file, in words.
    pub summary: String,
    /// What to tell of the file.
    pub notices: Vec<String>,
}

/// Reads a model that Keras saved and writes it where `target` says; `go_on` is asked between the two.
///
/// # Errors
/// The file is no model that fits the config, or nothing can be written: see [`keras::import`] and [`write`]; or a
/// cancel.
pub fn import_keras(
    model: &Path,
    config: &Config,
    target: &Target,
    go_on: impl FnOnce() -> bool,
) -> anyhow::Result<ImportedModel> {
    let imported = keras::import(model, config)?;
    anyhow::ensure!(go_on(), "cancelled");
    let origin = format!("{}, written by {}", model.display(), imported.written_by);
    let written = write(config, &imported.network, &origin, target)?;
    let model = &config.model;
    let tasks =
        model.tasks.iter().map(|task| format!("{} ({})", task.name, counted(task.labels.len(), "label")));
    let summary = format!(
        "{} of {} x {} pixels, {}, from {}",
        imported.network.backbone().facts().title,
        model.height,
        model.width,
        tasks.collect::<Vec<_>>().join(", "),
        imported.written_by
    );
    Ok(ImportedModel { written, summary, notices: imported.notices })
}

/// Writes a network with the tasks and the size of `config`; `origin` says in words where its weights come from. Gives
/// the run folder or the file.
///
/// # Errors
/// There is something else already, or the disk is full or not writable. Nothing stays of a run then.
pub fn write(config: &Config, network: &Network, origin: &str, target: &Target) -> anyhow::Result<PathBuf> {
    let run = match target {
        Target::NewRun => None,
        Target::Run(folder) => Some(folder.clone()),
        Target::File(file) => {
            outputs::check_model(file)?;
            checkpoint::write(file, network, &describe(config, network, best(origin)), &[])?;
            return Ok(file.clone());
        }
    };
    let request = Request {
        config: config.clone(),
        run,
        resume: false,
        allow_outside: true,
        edits: Unsaved::default(),
    };
    let (folder, is_new) = setup::open_folder(&request)?;
    if let Err(error) = write_run(&folder, config, network, origin) {
        discard(&folder, is_new);
        return Err(error);
    }
    Ok(folder)
}

/// The best checkpoint comes last: what is killed before is no run yet.
fn write_run(folder: &Path, config: &Config, network: &Network, origin: &str) -> anyhow::Result<()> {
    let file = folder.join(CONFIG);
    files::replace(&file, config.to_yaml_in(folder).as_bytes())
        .with_context(|| format!("cannot write {}", file.display()))?;
    // Training goes on from it as before the first epoch, with an optimizer that has seen nothing.
    let progress = serde_json::to_value(RunProgress::new(config, origin.to_owned()))?;
    checkpoint::write(&folder.join(LAST), network, &describe(config, network, progress), &[])?;
    checkpoint::write(&folder.join(BEST), network, &describe(config, network, best(origin)), &[])
}

/// What the best checkpoint says of its epoch: nothing here has measured it.
fn best(origin: &str) -> serde_json::Value {
    serde_json::json!({ "metrics": null, "imported_from": origin })
}

fn describe(config: &Config, network: &Network, extra: serde_json::Value) -> Description {
    let model = &config.model;
    Description {
        conventions: network.conventions(),
        config: config.to_yaml(),
        extra,
        ..Description::new(
            network.backbone(),
            model.tasks.clone(),
            (model.height, model.width),
            // As it was trained in.
            precision_name(tch::Kind::Float),
        )
    }
}

/// What cannot be removed keeps the folder.
fn discard(folder: &Path, is_new: bool) {
    for name in [BEST, LAST, CONFIG] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    if is_new {
        run_folder::remove_unbegun(folder);
    }
}
