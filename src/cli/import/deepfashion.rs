//! `tasklens import deepfashion`: the annotation and images as they are published become a project.

use tasklens_data::dataset::import::deepfashion::{self, DeepFashionLayout, Imported};
use tasklens_net::training;

use crate::cli::arguments::ImportDeepFashion;
use crate::cli::interrupt;
use crate::cli::progress::Bar;

/// How many problems of a kind are listed; the file of the report has all.
const MOST_OF_KIND: usize = 5;

pub fn run(arguments: &ImportDeepFashion) -> anyhow::Result<bool> {
    let ImportDeepFashion { data, config, out } = arguments;
    let layout = DeepFashionLayout::of(data.as_deref(), config.as_deref(), out.as_deref())?;
    let stop = interrupt::flag()?;
    let mut bar = Bar::new("reading the annotation");
    let propose = |images, aspect| training::propose(images, images, aspect);
    let imported = deepfashion::import(&layout, &propose, &mut |step, done, of| {
        bar.set_with(step.name(), done as u64, of as u64);
        !stop.is_set()
    });
    bar.finish();
    let imported = imported?;
    tell_problems(&imported);
    out!("{} in {}", imported.images(), imported.table.display());
    out!("{}", imported.origin());
    for (task, labels) in &imported.tasks {
        out!("{task}: {}", labels.join(", "));
    }
    out!("{}", imported.training_line());
    if let Some(lacks) = &imported.training.lacks {
        let command = crate::cli::set_up().map(|command| format!(" That is {command}."));
        say!("note: {lacks}{}", command.unwrap_or_default());
    }
    out!("Look at them: tasklens open {}", imported.config.display());
    out!("Then train: tasklens train {}", imported.config.display());
    Ok(imported.is_complete())
}

fn tell_problems(imported: &Imported) {
    for notice in &imported.notices {
        say!("note: {notice}");
    }
    for (kind, found) in imported.problems_by_kind(MOST_OF_KIND) {
        for place in &found.first {
            say!("warning: {}", imported.problems[*place]);
        }
        if found.count > found.first.len() {
            say!("warning: {kind}: {} more", found.count - found.first.len());
        }
    }
    if let Some(report) = &imported.report {
        say!("all {} problems are in {}", imported.problems.len(), report.display());
    }
}
