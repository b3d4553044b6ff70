//! `tasklens import keras`: a model that the Python project saved becomes a run.

use std::path::Path;

use tasklens_data::config::OutputPath;
use tasklens_net::training::imported_run::{self, ImportedModel, Target};

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
    let imported = imported_run::import_keras(&arguments.model, &config, &target, || true)?;
    let ImportedModel { written, summary, notices } = imported;
    for notice in &notices {
        say!("note: {notice}");
    }
    out!("{summary}: {}", written.display());
    say!("note: {}", imported_run::CAVEAT);
    out!("Predict with it: tasklens predict {} photo.jpg", written.display());
    if !matches!(target, Target::File(_)) {
        out!("Train it on: tasklens train --resume {}", written.display());
    }
    Ok(true)
}

fn is_checkpoint(out: &Path) -> bool {
    out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"))
}
