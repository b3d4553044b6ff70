//! One label for many images at once: the parts of the two frames that a key takes, and undoing it.
//!
//! `cargo bench -p tasklens-data --bench edits [-- ROWS IMAGES]`. Medians of nine; each time the rows are shared with
//! jobs, as they are after every step.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench prints, and makes files of its own"
)]
#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use tasklens_data::config::Config;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::edits::{
    AnnotationChange, AnnotationSource, Entry, Field, Journal, State, Step, Writer,
};
use tasklens_data::dataset::table::Table;

const ROUNDS: usize = 9;

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse().ok());
    let rows = numbers.next().unwrap_or(1_000_000_usize);
    let images = numbers.next().unwrap_or(50_000).min(rows);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dataset = dataset(folder.path(), rows);
    dataset.index_images();
    for (name, known) in [("not edited before", false), ("edited before", true)] {
        let mut state = State::default();
        if known {
            let edited = (0..rows).map(|row| state.label_change(&dataset, row, 1, Some("long"))).collect();
            state.edit(Step::now(AnnotationSource::Hand, edited));
        }
        println!("{rows} rows, {images} images, {name}:");
        let mut times = [const { Vec::new() }; 5];
        for round in 0..ROUNDS {
            let journal =
                Journal::open(&folder.path().join(format!("{known}{round}.csv"))).expect("no journal");
            let writer = Writer::start(journal.journal, |_| {}).expect("a thread");
            for (times, time) in times.iter_mut().zip(round_of(&dataset, state.clone(), images, &writer)) {
                times.push(time);
            }
            assert_eq!(writer.finish(), 0);
        }
        for (what, times) in ["changes", "step", "rows", "sending", "undo"].into_iter().zip(&mut times) {
            times.sort_unstable();
            let median = times[ROUNDS / 2].as_secs_f64();
            println!("    {what}: {:.1} ms, {:.0} ns an image", 1e3 * median, 1e9 * median / images as f64);
        }
    }
}

fn dataset(folder: &Path, rows: usize) -> Dataset {
    let config = "{paths: {model_dataframe: x.csv}, model: {target_encoder: {print: [plain, dotted], \
                  sleeves: [short, long], neckline: [round, v]}}}";
    let config = Config::parse(config, &folder.join("config.yml")).expect("a config");
    let mut csv = String::from("path,print,sleeves,neckline\n");
    for row in 0..rows {
        writeln!(csv, "part{}/images/garment_{row:07}.jpg,,short,", row / 400).expect("text");
    }
    let table = Table::from_bytes(csv.into_bytes(), &folder.join("x.csv")).expect("a table");
    Dataset::from_table(table, &config).expect("rows")
}

fn round_of(dataset: &Dataset, mut state: State, images: usize, writer: &Writer) -> [Duration; 5] {
    // A copy has no room for more: not so what grew with each step.
    let first = vec![state.label_change(dataset, 0, 2, Some("v"))];
    state.edit(Step::now(AnnotationSource::Hand, first)).expect("a step");
    let mut rows = dataset.clone();
    let shared = rows.clone();
    let chosen = dataset.rows.len() - images..dataset.rows.len();
    let begin = Instant::now();
    let changes: Vec<AnnotationChange> =
        chosen.map(|row| state.label_change(dataset, row, 0, Some("plain"))).collect();
    let made = begin.elapsed();
    let begin = Instant::now();
    let entry = state.edit(Step::now(AnnotationSource::Hand, changes)).expect("a step");
    let edited = begin.elapsed();
    let begin = Instant::now();
    let Entry::Step { changes, .. } = &entry else { return [Duration::ZERO; 5] };
    let labels = changes.iter().filter_map(|change| match &change.field {
        Field::Label(task) => Some((change.image.as_str(), task.as_str(), change.after.as_deref())),
        Field::Kept(_) | Field::Flag => None,
    });
    assert_eq!(rows.set_labels(labels).len(), images);
    let labelled = begin.elapsed();
    let begin = Instant::now();
    writer.send(entry);
    let sent = begin.elapsed();
    let shared_too = rows.clone();
    let begin = Instant::now();
    let step = state.next_undo().expect("a step");
    let labels = step.changes().filter_map(|change| match change.field {
        Field::Label(task) => Some((change.image, task.as_str(), change.before)),
        Field::Kept(_) | Field::Flag => None,
    });
    assert_eq!(rows.set_labels(labels).len(), images);
    let entry = state.undo().expect("undone");
    let undone = begin.elapsed();
    writer.send(entry);
    drop((shared, shared_too));
    [made, edited, labelled, sent, undone]
}
