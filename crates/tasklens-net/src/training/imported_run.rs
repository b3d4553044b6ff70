//! A network that was trained elsewhere becomes a run, which Predict, Inspect and the command line open as any other
//! and which training goes on from; or a checkpoint by itself.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tasklens_data::config::Config;
use tasklens_data::files;

use super::progress::RunProgress;
use super::run_folder::{self, BEST, CONFIG, LAST};
use super::{Request, Unsaved, outputs, setup};
use crate::inference::precision_name;
use crate::model::checkpoint::{self, Description};
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
    let (model, facts) = (&config.model, network.backbone().facts());
    Description {
        backbone: facts.name.to_owned(),
        conventions: network.conventions(),
        tasks: model.tasks.clone(),
        height: model.height,
        width: model.width,
        mean: facts.mean,
        std: facts.std,
        // As it was trained in.
        precision: precision_name(tch::Kind::Float).to_owned(),
        epoch: 0,
        config: config.to_yaml(),
        extra,
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
