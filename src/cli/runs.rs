//! `tasklens runs`: the runs of a project, newest first.

use tasklens_data::config::Config;
use tasklens_data::text::counted;
use tasklens_net::training::run_folder::{self, RunRecord};

use super::arguments::Runs;
use super::tell_notices;
use crate::app::services::runs::Run;

pub fn run(arguments: &Runs) -> anyhow::Result<bool> {
    let config = Config::open(&arguments.config)?;
    tell_notices(&config);
    let folders = run_folder::list_runs(&config.paths.runs);
    if folders.is_empty() && !arguments.json {
        out!("no run in {}", config.paths.runs.display());
    }
    let mut is_fine = true;
    for folder in folders {
        match RunRecord::open(&folder) {
            Ok(record) => tell(&Run::new(record), arguments.json),
            Err(error) => {
                say!("warning: {error:#}");
                is_fine = false;
            }
        }
    }
    Ok(is_fine)
}

fn tell(run: &Run, json: bool) {
    let record = &run.record;
    let folder = run_folder::name(&record.folder);
    if json {
        let accuracies: serde_json::Map<String, serde_json::Value> =
            run.accuracies().map(|(task, accuracy)| (task.to_owned(), accuracy.into())).collect();
        let object = serde_json::json!({
            "run": record.folder,
            "name": record.name,
            "note": record.note,
            "validation_accuracy": accuracies,
            "validation_images": run.validation_images(),
            "epochs": record.epochs.len(),
            "state": run.state(),
            "has_model": record.best.is_some(),
        });
        out!("{object}");
        return;
    }
    let called = if record.name == folder { folder } else { format!("{} ({folder})", record.name) };
    let accuracies = match run.accuracies_text() {
        text if text.is_empty() => "not measured".to_owned(),
        text => format!("{text} of {}", counted(run.validation_images(), "image")),
    };
    out!("{called}  {accuracies}  {}  {}", run.state(), run.age());
    for line in record.note.lines() {
        out!("    {line}");
    }
}
