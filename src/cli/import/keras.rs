//! `tasklens import keras`: a model that the Python project saved becomes a run.

use std::path::Path;

use tasklens_data::config::OutputPath;
use tasklens_data::text::counted;
use tasklens_net::model::keras;
use tasklens_net::training::imported_run::{self, Target};

use crate::cli::arguments::ImportKeras;
use crate::cli::{open_config, refuse_outside};

pub fn run(arguments: &ImportKeras) -> anyhow::Result<bool> {
    let config = open_config(&arguments.config, &arguments.changes, false)?;
    let target = match &arguments.out {
        None => Target::NewRun,
        Some(out) if is_checkpoint(out) => Target::File(out.clone()),
        Some(out) => Target::Run(out.clone()),
    };
    if target == Target::NewRun && !arguments.allow_outside {
        refuse_outside(&config, &config.outside(&[OutputPath::Runs]))?;
    }
    let imported = keras::import(&arguments.model, &config)?;
    for notice in &imported.notices {
        say!("note: {notice}");
    }
    let origin = format!("{}, written by {}", arguments.model.display(), imported.written_by);
    let written = imported_run::write(&config, &imported.network, &origin, &target)?;
    let model = &config.model;
    let tasks =
        model.tasks.iter().map(|task| format!("{} ({})", task.name, counted(task.labels.len(), "label")));
    out!(
        "{} of {} x {} pixels, {}, from {}: {}",
        imported.network.backbone().facts().title,
        model.height,
        model.width,
        tasks.collect::<Vec<_>>().join(", "),
        imported.written_by,
        written.display()
    );
    say!(
        "note: Tasklens makes images smaller with a filter, and Keras' generators skip pixels unless told otherwise: \
         answers can differ a little. Which images the model was trained on is not known: scores on them are too good"
    );
    out!("Predict with it: tasklens predict {} photo.jpg", written.display());
    if !matches!(target, Target::File(_)) {
        out!("Train it on: tasklens train --resume {}", written.display());
    }
    Ok(true)
}

fn is_checkpoint(out: &Path) -> bool {
    out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"))
}
