//! `tasklens label-stats`: how far the labelling is.

use tasklens_data::dataset::edits;
use tasklens_data::dataset::label_stats::{Count, LabelStats};
use tasklens_data::text::{counted, is};

use super::arguments::LabelStats as Arguments;
use super::open_config;

/// How many texts that the config does not list are named.
const MOST_UNKNOWN: usize = 5;
/// How edits come into the CSV.
const SAVE: &str = "`Save labels` in the window writes them";

pub fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let config = open_config(&arguments.config, &arguments.changes, false)?;
    let (dataset, state) = edits::look(&config)?;
    let stats = LabelStats::of(&dataset, &state);
    if arguments.json {
        out!("{}", serde_json::to_string(&stats)?);
        return Ok(true);
    }
    out!("{}", dataset.table.path.display());
    let width = stats.tasks.iter().flat_map(|task| &task.labels).map(|count| count.label.chars().count());
    let width = width.max().unwrap_or_default();
    for task in &stats.tasks {
        let other = match task.not_applicable {
            0 => String::new(),
            images => format!(", to {images} it does not apply"),
        };
        out!("{}: {} labelled, {} not{other}", task.task, task.labelled, task.unlabelled);
        for Count { label, images } in &task.labels {
            out!("  {label:width$} {images:>9}  {:>5.1} %", percent(*images, task.labelled));
        }
        if !task.unknown.is_empty() {
            let named = task.unknown.iter().take(MOST_UNKNOWN);
            let mut named: Vec<String> =
                named.map(|count| format!("{} ({})", count.label, count.images)).collect();
            if task.unknown.len() > MOST_UNKNOWN {
                named.push(format!("{} more", task.unknown.len() - MOST_UNKNOWN));
            }
            out!("  not in the config: {}", named.join(", "));
        }
    }
    out!(
        "{} images: {} complete ({:.1} %), {} flagged",
        stats.images,
        stats.complete,
        percent(stats.complete, stats.images),
        stats.flagged
    );
    match stats.pending_edits {
        0 => {}
        edits => {
            let (of, is) = (counted(edits, "label edit"), is(edits));
            out!("{of} {is} not in the CSV yet, but counted here: {SAVE}");
        }
    }
    Ok(true)
}

/// `part` of `whole`; 0 of nothing.
fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}
