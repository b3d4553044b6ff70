//! `tasklens new`: a folder of images becomes a CSV and a config to label them with.

use std::sync::Arc;

use anyhow::bail;
use tasklens_data::dataset::create::{self, DraftTask, ProjectDraft};
use tasklens_data::text::counted;
use tasklens_net::training;

use super::arguments::New;
use super::interrupt;
use super::progress::Bar;

pub fn run(arguments: &New) -> anyhow::Result<bool> {
    let stop = interrupt::flag()?;
    let mut bar = Bar::new("looking for images");
    let found = create::find_images(&arguments.folder, &mut |images| {
        bar.set(images as u64, 0);
        !stop.is_set()
    });
    bar.finish();
    let found = found?;
    for notice in &found.notices {
        say!("note: {notice}");
    }
    let mut tasks: Vec<DraftTask> = Vec::new();
    for (name, labels) in &arguments.tasks {
        let mut task = DraftTask { name: name.clone(), ..DraftTask::default() };
        task.add_labels(labels);
        tasks.push(task);
    }
    if let Some(name) = &arguments.folders_as {
        if found.sub_folders.is_empty() {
            let below = if found.split.is_some() { ", below those of the split," } else { "" };
            bail!(
                "{}: --folders-as needs at least two sub-folders with images{below}, whose names become the labels",
                arguments.folder.display()
            );
        }
        tasks.push(DraftTask::of_folders(name, &found));
    }
    let draft = ProjectDraft { found: Arc::new(found), tasks };
    let images = draft.found.images.len();
    let training = training::propose(images, draft.labelled(), draft.found.aspect());
    let created = draft.write(&training)?;
    out!("{} in {}", counted(images, "image"), created.table.display());
    for task in &draft.tasks {
        let filled = if task.is_of_folders { ", filled in from the sub-folders" } else { "" };
        out!("{}: {}{filled}", task.name.trim(), task.labels.join(", "));
    }
    if let Some(split) = draft.split() {
        out!("{}", split.notice());
    }
    let network = training.keys.backbone.facts().title;
    out!("Training preset: {} ({network}). {}", training.recipe.title(), training.recipe.about());
    if let Some(lacks) = &training.lacks {
        let command = super::set_up().map(|command| format!(" That is {command}."));
        say!("note: {lacks}{}", command.unwrap_or_default());
    }
    // As the user called the folder.
    let config = arguments.folder.join(created.config.file_name().unwrap_or_default());
    out!("Label them: tasklens open {}", config.display());
    out!("Then train: tasklens train {}", config.display());
    Ok(true)
}
