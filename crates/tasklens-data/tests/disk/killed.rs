//! The labels survive the end of the process at any moment: a labelling run is killed 50 times, each
//! time at a random moment, and goes on with what the run before left.
#![expect(clippy::expect_used, reason = "a test helper that fails is a failed test")]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use tasklens_data::config::Config;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::edits::merge::{self, OnConflict, Save};
use tasklens_data::dataset::edits::{
    self, AnnotationChange, AnnotationSource, OpenedAnnotations, State, Step, Writer,
};

const KILLS: u64 = 50;
const ROWS: usize = 30;
const TASKS: [(&str, [&str; 3]); 3] = [
    ("print", ["solid", "striped", "dotted"]),
    ("sleeves", ["long", "short", "none"]),
    ("neckline", ["round", "v", "collar"]),
];
/// A column of the user's between the labels, as its bytes are in the file (Windows-1252).
const NOTE: &[u8] = b"\"f\xfcr \"\"Anna\"\"; gro\xdf\"";
/// Where the run that is to be killed works; set only in its process.
const FOLDER: &str = "TASKLENS_TEST_LABELLING_FOLDER";

/// The label of each row and task, by row.
type Labels = Vec<[Option<String>; 3]>;

fn write_project(folder: &Path) {
    let mut csv = b"image_path;print;note;sleeves;neckline\r\n".to_vec();
    for row in 0..ROWS {
        csv.extend(format!("{row:02}.png;;").bytes());
        csv.extend(NOTE);
        csv.extend(b";;\r\n");
    }
    std::fs::write(folder.join("labels.csv"), csv).expect("a CSV");
    let tasks: Vec<String> =
        TASKS.iter().map(|(task, labels)| format!("    {task}: [{}]", labels.join(", "))).collect();
    let config = format!(
        "paths:\n  model_dataframe: labels.csv\nmodel:\n  paths: image_path\n  target_encoder:\n{}\n",
        tasks.join("\n")
    );
    std::fs::write(folder.join("config.yml"), config).expect("a config");
}

fn config(folder: &Path) -> Config {
    Config::open(&folder.join("config.yml")).expect("the config is right")
}

fn dataset(folder: &Path) -> Dataset {
    Dataset::open(&config(folder)).expect("the CSV is whole")
}

fn label(state: &State, dataset: &Dataset, row: usize, task: usize) -> Option<String> {
    state.label_text(dataset, row, task).map(|label| label.into_owned())
}

fn labels_on_disk(folder: &Path) -> Labels {
    let dataset = dataset(folder);
    let OpenedAnnotations { state, warnings, .. } =
        edits::open(&config(folder), &dataset).expect("the journal can be read");
    // A line that was being written is no loss; damage anywhere else would be one.
    assert!(warnings.len() <= 1, "{warnings:?}");
    (0..ROWS).map(|row| std::array::from_fn(|task| label(&state, &dataset, row, task))).collect()
}

/// Everything but the labels is as it was, and each label is a whole one.
fn check_csv(folder: &Path) {
    let csv = std::fs::read(folder.join("labels.csv")).expect("a CSV");
    let lines: Vec<&[u8]> = csv.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), ROWS + 1, "rows are missing");
    assert_eq!(lines[0], b"image_path;print;note;sleeves;neckline\r\n");
    for (row, line) in lines[1..].iter().enumerate() {
        let whole = String::from_utf8_lossy(line);
        let at = line.windows(NOTE.len()).position(|bytes| bytes == NOTE).expect("the note is as it was");
        let (left, right) = (&line[..at], &line[at + NOTE.len()..]);
        let left = std::str::from_utf8(left).expect("ASCII");
        let right = std::str::from_utf8(right).expect("ASCII");
        let print = left.strip_prefix(&format!("{row:02}.png;")).and_then(|rest| rest.strip_suffix(';'));
        let rest = right.strip_prefix(';').and_then(|rest| rest.strip_suffix("\r\n"));
        let (sleeves, neckline) = rest.and_then(|rest| rest.split_once(';')).expect("two cells");
        for ((task, labels), cell) in TASKS.iter().zip([print.expect("a cell"), sleeves, neckline]) {
            assert!(cell.is_empty() || labels.contains(&cell), "{task} in {whole}");
        }
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    written.expect("the test reads what is said");
}

/// A step as a user makes them: one label, several at once, undo, redo.
fn cells_of(step: Option<Step>) -> Vec<(String, edits::Field)> {
    step.map(|step| step.changes.into_iter().map(|change| (change.image.into(), change.field)).collect())
        .unwrap_or_default()
}

/// The process that is killed: edits, undoes and saves until it is.
#[test]
#[ignore = "the process that the other test kills"]
fn labelling_run() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let dataset = dataset(&folder);
    let OpenedAnnotations { mut state, journal, .. } = edits::open(&config(&folder), &dataset).unwrap();
    assert!(journal.denied().is_none(), "the killed process still holds the lock: {:?}", journal.denied());
    let writer = Writer::start(journal, |report| {
        assert_eq!(report.refused, None);
        say(&format!("@kept {}", report.kept));
    })
    .unwrap();
    let mut random = Pcg64Mcg::seed_from_u64(u64::from(std::process::id()));
    let rows: HashMap<String, usize> =
        (0..ROWS).map(|row| (dataset.image_key(row).into_owned(), row)).collect();
    let mut saving: Option<std::thread::JoinHandle<merge::MergeOutcome>> = None;
    let shared = std::sync::Arc::new(dataset);
    loop {
        let (cells, entry) = match random.random_range(0..10) {
            0 | 1 => (cells_of(state.next_undo().map(|step| step.to_step())), state.undo()),
            2 => (cells_of(state.next_redo().map(|step| step.to_step())), state.redo()),
            kind => {
                let task = random.random_range(0..3);
                let choice = TASKS[task].1.get(random.random_range(0..4)).copied();
                let count = if kind == 3 { 8 } else { 1 };
                let changes: Vec<AnnotationChange> = (0..count)
                    .map(|_| state.label_change(&shared, random.random_range(0..ROWS), task, choice))
                    .collect();
                let step = Step::now(AnnotationSource::Hand, changes);
                (cells_of(Some(step.clone())), state.edit(step))
            }
        };
        if let Some(entry) = entry {
            let mut line = "@edit".to_owned();
            for (image, field) in cells {
                let edits::Field::Label(name) = field else { continue };
                let task = TASKS.iter().position(|(task, _)| *task == name).unwrap();
                let value = label(&state, &shared, rows[&image], task).unwrap_or_default();
                line += &format!(" {}/{task}/{value}", rows[&image]);
            }
            say(&line);
            writer.send(entry);
        }
        match saving.take() {
            Some(save) if save.is_finished() => {
                for entry in state.note_saved(&mut save.join().unwrap()) {
                    say("@edit");
                    writer.send(entry);
                }
            }
            None if random.random_range(0..5) == 0 => {
                let (base, pending) = (std::sync::Arc::clone(&shared), state.pending());
                let keeper = writer.keeper().unwrap();
                saving = Some(std::thread::spawn(move || {
                    let on_conflict = OnConflict::Ask;
                    let save = Save { dataset: &base, edits: &pending, on_conflict, last_written: None };
                    save.run(&mut |entry| keeper.keep(entry)).unwrap()
                }));
            }
            running => saving = running,
        }
        std::thread::sleep(Duration::from_micros(random.random_range(0..3000)));
    }
}

/// What a killed run said: the cells of each edit, and how many edits it reported as saved.
#[derive(Default)]
struct Said {
    edits: Vec<Vec<(usize, usize, Option<String>)>>,
    kept: usize,
}

fn run_and_kill(folder: &Path, delay: Duration) -> Said {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["killed::labelling_run", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("a process");
    let output = child.stdout.take().expect("a pipe");
    let (first, began) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut said = Said::default();
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(kept) = line.strip_prefix("@kept ") {
                said.kept = kept.parse().expect("a number");
            } else if let Some(cells) = line.strip_prefix("@edit") {
                let cell = |text: &str| {
                    let mut parts = text.split('/');
                    let mut next = || parts.next().expect("row, task and label");
                    let (row, task, value) = (next(), next(), next());
                    let value = (!value.is_empty()).then(|| value.to_owned());
                    (row.parse().expect("a row"), task.parse().expect("a task"), value)
                };
                said.edits.push(cells.split_whitespace().map(cell).collect());
                let _ = first.send(()); // The test waits for the first only.
            }
        }
        said
    });
    began.recv_timeout(Duration::from_secs(60)).expect("the run begins");
    std::thread::sleep(delay);
    child.kill().expect("it runs until it is killed");
    child.wait().expect("its end");
    reader.join().expect("what it said")
}

#[test]
fn what_was_reported_as_saved_survives_fifty_kills() {
    let folder = tempfile::tempdir().unwrap();
    write_project(folder.path());
    let mut random = Pcg64Mcg::seed_from_u64(4);
    let mut before = labels_on_disk(folder.path());
    let (mut kept, mut edits) = (0, 0);
    for kill in 0..KILLS {
        let said = run_and_kill(folder.path(), Duration::from_micros(random.random_range(0..80_000)));
        check_csv(folder.path());
        let found = labels_on_disk(folder.path());
        assert!(said.kept <= said.edits.len());
        for row in 0..ROWS {
            for task in 0..3 {
                // The last value that was reported as saved, or one that was on its way to the disk.
                let of_cell = |edits: &[Vec<(usize, usize, Option<String>)>]| -> Vec<Option<String>> {
                    let cells = edits.iter().flatten().filter(|cell| (cell.0, cell.1) == (row, task));
                    cells.map(|cell| cell.2.clone()).collect()
                };
                let saved = of_cell(&said.edits[..said.kept]).pop().unwrap_or(before[row][task].clone());
                let on_its_way = of_cell(&said.edits[said.kept..]);
                let value = &found[row][task];
                assert!(
                    *value == saved || on_its_way.contains(value),
                    "kill {kill}, row {row}, task {task}: {value:?} instead of {saved:?} or {on_its_way:?}"
                );
            }
        }
        before = found;
        kept += said.kept;
        edits += said.edits.len();
    }
    let backups = std::fs::read_dir(folder.path().join("labels.csv.edits/backups")).unwrap().count();
    println!("{kept} of {edits} edits were saved when the process was killed; {backups} older CSVs are kept");
    assert!(kept > KILLS as usize, "hardly anything was saved before the kills: {kept}");
    assert!(backups > 1, "no run got as far as to save the CSV");
}
