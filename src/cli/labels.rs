//! `tasklens labels`: list the tasks and labels of a project, and change them.

use tasklens_data::config::{Config, OutputPath};
use tasklens_data::dataset::edits;
use tasklens_data::dataset::label_stats::LabelStats;
use tasklens_data::dataset::vocabulary::{self, Applied, Preview, VocabularyChange};
use tasklens_data::text::{counted, plural};

use super::arguments::{LabelChange, Labels as Arguments};
use super::{open_config, refuse_outside, tell_notices};

/// How many images of a preview are listed.
const MOST: usize = 20;

pub fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let Some(change) = &arguments.change else { return list(arguments) };
    let change = change_of(change);
    let config = Config::open(&arguments.config)?;
    tell_notices(&config);
    if arguments.dry_run {
        print_preview(&change, &vocabulary::dry_run(&arguments.config, &change)?);
    } else {
        if !arguments.allow_outside {
            refuse_outside(&config, &config.outside(&[OutputPath::Table]))?;
        }
        print_applied(&change, &vocabulary::apply(&arguments.config, &change)?);
    }
    Ok(true)
}

fn change_of(change: &LabelChange) -> VocabularyChange {
    match change.clone() {
        LabelChange::Add { task, label } => VocabularyChange::AddLabel { task, label },
        LabelChange::Rename { task, old, new } => VocabularyChange::RenameLabel { task, from: old, to: new },
        LabelChange::Merge { task, from, into } => VocabularyChange::MergeLabels { task, from, into },
        LabelChange::Remove { task, label } => VocabularyChange::RemoveLabel { task, label },
        LabelChange::AddTask { task, labels } => VocabularyChange::AddTask { name: task, labels },
        LabelChange::RenameTask { old, new } => VocabularyChange::RenameTask { task: old, to: new },
        LabelChange::RemoveTask { task } => VocabularyChange::RemoveTask { task },
    }
}

fn list(arguments: &Arguments) -> anyhow::Result<bool> {
    let config = open_config(&arguments.config, &[], false)?;
    let (dataset, state) = edits::look(&config)?;
    let stats = LabelStats::of(&dataset, &state);
    let labels = || stats.tasks.iter().flat_map(|task| task.labels.iter().chain(&task.unknown));
    let width = labels().map(|count| count.label.chars().count()).max().unwrap_or_default();
    for task in &stats.tasks {
        out!("{}", task.task);
        for count in &task.labels {
            out!("  {:width$} {:>9}", count.label, count.images);
        }
        for count in &task.unknown {
            out!("  {:width$} {:>9}  not in the config", count.label, count.images);
        }
    }
    Ok(true)
}

fn print_preview(change: &VocabularyChange, preview: &Preview) {
    out!("This would {change}.");
    preview.notes.iter().for_each(|note| out!("{note}"));
    out!("{} {}", counted(preview.images, "image"), plural(preview.images, "changes", "change"));
    for row in preview.rows.iter().take(MOST) {
        out!("  {}: {} -> {}", row.image, row.before, row.after.as_deref().unwrap_or("no label"));
    }
    if preview.images > MOST {
        out!("  and {} more", preview.images - MOST);
    }
    out!("Nothing was written. To make the change, leave out --dry-run.");
}

fn print_applied(change: &VocabularyChange, applied: &Applied) {
    applied.warnings.iter().for_each(|warning| say!("warning: {warning}"));
    out!("Done: {change}.");
    if applied.rows_changed > 0 {
        out!("{} of the CSV changed.", counted(applied.rows_changed, "row"));
    }
    for backup in applied.csv_backup.iter().chain(&applied.config_backup) {
        out!("Backup: {}", backup.display());
    }
}
