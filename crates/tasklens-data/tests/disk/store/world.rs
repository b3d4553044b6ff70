//! Two windows on one project, a person with a text editor, a disk that fails and programs that are killed, against
//! a model that is too simple to be wrong: per label what the journal acknowledged, and the CSV byte for byte.

use std::cell::Cell as Flag;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use tasklens_data::config::Config;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::edits::merge::{OnConflict, Save};
use tasklens_data::dataset::edits::{
    self, AnnotationChange, AnnotationSource, Entry, Field, Journal, OpenedAnnotations, Refusal, SmolStr,
    State, Step,
};
use tasklens_data::files::fault::{self, Call, DiskFault};

const CONFIG: &str = "paths: {model_dataframe: garments.csv}\nmodel: {paths: image, target_encoder: {print: [solid, floral, striped], sleeves: [short, long]}}\n";
const TASKS: [&str; 2] = ["print", "sleeves"];
const LABELS: [&[&str]; 2] = [&["", "solid", "floral", "striped"], &["", "short", "long"]];
const ERRORS: [i32; 3] = [5, 28, 22];

type Label = Option<String>;
/// Image and task.
type Cell = (String, usize);

/// What the journal has of a label that the CSV lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pending {
    base: Label,
    current: Label,
}

/// What was acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Model {
    pending: BTreeMap<Cell, Pending>,
    done: Vec<Vec<(Cell, Label, Label)>>,
    undone: Vec<Vec<(Cell, Label, Label)>>,
}

impl Model {
    fn put(&mut self, cell: &Cell, before: &Label, after: &Label) {
        let base = self.pending.get(cell).map_or(before, |pending| &pending.base).clone();
        self.set(cell, base, after.clone());
    }

    fn set(&mut self, cell: &Cell, base: Label, current: Label) {
        match base == current {
            true => drop(self.pending.remove(cell)),
            false => drop(self.pending.insert(cell.clone(), Pending { base, current })),
        }
    }

    fn step(&mut self, changes: Vec<(Cell, Label, Label)>) {
        changes.iter().for_each(|(cell, before, after)| self.put(cell, before, after));
        self.done.push(changes);
        self.undone.clear();
    }

    fn undo(&mut self) {
        let Some(changes) = self.done.pop() else { return };
        changes.iter().rev().for_each(|(cell, before, after)| self.put(cell, after, before));
        self.undone.push(changes);
    }

    fn redo(&mut self) {
        let Some(changes) = self.undone.pop() else { return };
        changes.iter().for_each(|(cell, before, after)| self.put(cell, before, after));
        self.done.push(changes);
    }

    /// Labels that are in the file are no longer pending.
    fn settle(&mut self, file: &Csv) {
        self.pending.retain(|cell, pending| file.label(cell).is_none_or(|label| label != pending.current));
    }
}

/// The CSV: its rows in order, a note of the user's between the labels.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Csv(Vec<(String, [String; 2], String)>);

impl Csv {
    fn text(&self) -> String {
        let rows = self
            .0
            .iter()
            .map(|(image, [print, sleeves], note)| format!("{image};{print};{note};{sleeves}\r\n"));
        "image;print;note;sleeves\r\n".to_owned() + &rows.collect::<String>()
    }

    fn label(&self, (image, task): &Cell) -> Option<Label> {
        let row = self.0.iter().find(|row| row.0 == *image)?;
        Some(Some(row.1[*task].clone()).filter(|label| !label.is_empty()))
    }

    fn set(&mut self, (image, task): &Cell, label: &Label) {
        let row = self.0.iter_mut().find(|row| row.0 == *image);
        row.expect("a row").1[*task] = label.clone().unwrap_or_default();
    }
}

/// A window, open or not.
struct Window {
    dataset: Dataset,
    state: State,
    journal: Journal,
    /// Refused by the disk, to be appended with the next.
    waiting: Vec<Entry>,
    last_written: Option<String>,
}

pub struct World {
    folder: tempfile::TempDir,
    random: Pcg64Mcg,
    windows: [Option<Window>; 2],
    /// The window that writes.
    holder: Option<usize>,
    model: Model,
    csv: Csv,
    /// A save was cut short, what it was to write, and the CSV as it left it.
    cut_short: Option<(BTreeMap<Cell, Pending>, Csv)>,
    next_row: usize,
    /// The program is about to be killed: what is refused then may be on the disk, or not.
    is_dying: bool,
    unsure: Option<Model>,
    /// What came, in order and how often.
    pub log: Vec<&'static str>,
    pub counts: BTreeMap<&'static str, u64>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        fault::skip_syncs();
        let folder = tempfile::tempdir().expect("a folder");
        let row = |n: usize| {
            let label = |task: usize| LABELS[task][n % LABELS[task].len()].to_owned();
            (format!("{n}.jpg"), [label(0), label(1)], format!("\"n; {n}\""))
        };
        let csv = Csv((0..5).map(row).collect());
        std::fs::write(folder.path().join("config.yml"), CONFIG).expect("written");
        std::fs::write(folder.path().join("garments.csv"), csv.text()).expect("written");
        Self {
            folder,
            random: Pcg64Mcg::seed_from_u64(seed),
            windows: [None, None],
            holder: None,
            model: Model::default(),
            csv,
            cut_short: None,
            next_row: 5,
            is_dying: false,
            unsure: None,
            log: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("garments.csv")
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
        self.log.push(what);
    }

    /// Does so many things at random, and checks everything after each.
    pub fn run(&mut self, seed: u64, steps: usize) {
        for step in 0..steps {
            let stepped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.step()));
            assert!(stepped.is_ok(), "seed {seed}, step {step}, after {:?}", self.log);
        }
    }

    fn step(&mut self) {
        let which = self.random.random_range(0..2);
        match self.random.random_range(0..100) {
            _ if self.windows[which].is_none() => self.open(which),
            0..40 => self.edit(which),
            40..52 => self.save(which),
            52..64 => self.outside(),
            64..70 => self.close(which),
            70..76 => self.restore_journal(),
            76..88 => self.fail(which),
            _ => self.kill(which),
        }
        self.check();
    }

    fn open(&mut self, which: usize) {
        self.count("opened");
        let config = Config::open(&self.folder.path().join("config.yml")).expect("a config");
        let mut dataset = Dataset::open(&config).expect("a CSV");
        if self.random.random_range(0..4) == 0 {
            // Rows are read, and then somebody writes.
            self.outside();
        }
        let OpenedAnnotations { state, journal, warnings, reread } =
            edits::open(&config, &dataset).expect("the journal is fine");
        if let Some(reread) = reread {
            self.count("opened with rows read anew");
            dataset = reread.1;
        }
        let is_doubt = |warning: &String| warning.contains("it was being saved when Tasklens ended");
        assert!(warnings.iter().all(is_doubt), "{warnings:?}");
        if self.holder.is_none() {
            assert_eq!(journal.denied(), None);
            self.find_cut_short();
            self.model.settle(&self.csv);
            self.holder = self.folder.path().join("garments.csv.edits").exists().then_some(which);
        } else {
            assert!(journal.denied().is_some_and(|why| why.contains("another window")));
        }
        let window = Window { dataset, state, journal, waiting: Vec::new(), last_written: None };
        if self.holder.is_none_or(|holder| holder == which) {
            // What is shown is what was acknowledged, over what the file has.
            for (row, (image, labels, _)) in self.csv.0.iter().enumerate() {
                for task in 0..2 {
                    let pending = self.model.pending.get(&(image.clone(), task));
                    let label =
                        pending.map_or(labels[task].clone(), |p| p.current.clone().unwrap_or_default());
                    let shown = window.state.label_text(&window.dataset, row, task).unwrap_or_default();
                    assert_eq!(shown, label, "{image}, {}", TASKS[task]);
                }
            }
        }
        self.windows[which] = Some(window);
    }

    /// What the next opening makes of a save that was cut short after the CSV had been replaced.
    fn find_cut_short(&mut self) {
        let Some((written, left)) = self.cut_short.take() else { return };
        // Who wrote the same bytes has changed nothing.
        let is_uncertain = self.csv != left;
        for (cell, took) in written {
            if is_uncertain || self.csv.label(&cell).as_ref() != Some(&took.current) {
                continue;
            }
            let current = self.model.pending.get(&cell).map_or(took.base, |pending| pending.current.clone());
            self.model.set(&cell, took.current, current);
        }
    }

    fn close(&mut self, which: usize) {
        self.count("closed");
        self.append(which, Vec::new());
        self.gone(which);
    }

    fn gone(&mut self, which: usize) {
        self.windows[which] = None;
        if self.holder == Some(which) {
            self.holder = None;
        }
    }

    /// A label or several, an undo or a redo, kept on the disk.
    fn edit(&mut self, which: usize) {
        let (model, entry) = self.change(which);
        let Some(entry) = entry else {
            assert!(self.holder != Some(which) || model == self.model, "something was to be done or undone");
            return;
        };
        if self.append(which, vec![entry]) {
            self.count("edited");
            self.model = model;
        } else if self.is_dying {
            self.unsure = self.unsure.take().or(Some(model));
        }
    }

    /// Changes the window's state, and what the model is once that is acknowledged.
    fn change(&mut self, which: usize) -> (Model, Option<Entry>) {
        let mut model = self.model.clone();
        let kind = self.random.random_range(0..10);
        let picks: Vec<(usize, usize, usize)> = (0..if kind == 9 { 3 } else { 1 })
            .map(|_| {
                let task = self.random.random_range(0..2);
                (self.random.random_range(0..64), task, self.random.random_range(0..LABELS[task].len()))
            })
            .collect();
        let Some(window) = self.windows[which].as_mut() else { return (model, None) };
        let entry = match kind {
            0 | 1 => {
                model.undo();
                window.state.undo()
            }
            2 => {
                model.redo();
                window.state.redo()
            }
            _ => {
                let rows = window.dataset.rows.len();
                let changes: Vec<AnnotationChange> = picks
                    .iter()
                    .map(|(row, task, label)| {
                        let label = Some(LABELS[*task][*label]).filter(|label| !label.is_empty());
                        window.state.label_change(&window.dataset, row % rows, *task, label)
                    })
                    .collect();
                let entry = window.state.edit(Step::now(AnnotationSource::Hand, changes));
                if let Some(Entry::Step { changes, .. }) = &entry {
                    let change = |change: &AnnotationChange| {
                        let Field::Label(name) = &change.field else { unreachable!("only labels are given") };
                        let task = usize::from(name == TASKS[1]);
                        let text = |text: &Option<SmolStr>| text.as_deref().map(str::to_owned);
                        ((change.image.to_string(), task), text(&change.before), text(&change.after))
                    };
                    model.step(changes.iter().map(change).collect());
                }
                entry
            }
        };
        (model, entry)
    }

    /// Keeps entries; whether they count. A window that may not write is closed, as its user is told to.
    fn append(&mut self, which: usize, entries: Vec<Entry>) -> bool {
        let Some(window) = self.windows[which].as_mut() else { return false };
        window.waiting.extend(entries);
        let is_new = self.holder.is_none();
        match window.journal.append(&window.waiting) {
            Ok(()) => {
                if !window.waiting.is_empty() {
                    window.waiting.clear();
                    if is_new {
                        self.holder = Some(which);
                    }
                    assert_eq!(self.holder, Some(which), "only the window with the lock writes");
                }
                true
            }
            Err(_) if self.is_dying => false,
            Err(refusal) => {
                let is_other = matches!(refusal, Refusal::ForGood(_)) || self.holder != Some(which);
                assert!(is_other, "{refusal}");
                self.count("refused");
                self.gone(which);
                false
            }
        }
    }

    fn save(&mut self, which: usize) {
        let Some(window) = &self.windows[which] else { return };
        if self.holder != Some(which) || window.state.pending_count() == 0 {
            return;
        }
        self.count("saved");
        let is_editing = self.random.random_range(0..3) == 0;
        let is_outside = self.random.random_range(0..4) == 0;
        let taken = self.model.pending.clone();
        let theirs = is_outside.then(|| self.outside_text());
        let (path, text) = (self.path(), theirs.as_ref().map(Csv::text));
        let has_written = Rc::new(Flag::new(false));
        let act = {
            let has_written = Rc::clone(&has_written);
            move || {
                if let Some(text) = text {
                    std::fs::write(path, text).expect("written");
                    has_written.set(true);
                }
            }
        };
        // During the first sync, that of the journal, another program writes the CSV.
        let mut outcome =
            fault::meanwhile(Call::Sync, act, || self.write(which, is_editing)).expect("it can be saved");
        if let Some(theirs) = theirs.filter(|_| has_written.get()) {
            self.count("saved while another program wrote");
            self.csv = theirs;
        }
        let mut conflicts = 0;
        for (cell, pending) in &taken {
            match self.csv.label(cell) {
                Some(label) if label == pending.base || label == pending.current => {
                    self.csv.set(cell, &pending.current);
                }
                Some(_) => {
                    conflicts += 1;
                    continue;
                }
                None => continue,
            }
            let current =
                self.model.pending.get(cell).map_or(pending.base.clone(), |now| now.current.clone());
            self.model.set(cell, pending.current.clone(), current);
        }
        assert_eq!(outcome.conflicts.len(), conflicts);
        let Some(window) = self.windows[which].as_mut() else { return };
        let entries = window.state.note_saved(&mut outcome);
        if outcome.written_digest.is_some() {
            window.last_written.clone_from(&outcome.written_digest);
        }
        self.append(which, entries);
    }

    /// Writes what is pending into the CSV; where `is_editing`, the user goes on meanwhile.
    fn write(&mut self, which: usize, is_editing: bool) -> anyhow::Result<edits::merge::MergeOutcome> {
        let edits = self.windows[which].as_ref().map(|window| window.state.pending()).unwrap_or_default();
        let dataset = self.windows[which].as_ref().map(|window| window.dataset.clone()).expect("it is open");
        let last_written = self.windows[which].as_ref().and_then(|window| window.last_written.clone());
        let save = Save {
            dataset: &dataset,
            edits: &edits,
            on_conflict: OnConflict::Ask,
            last_written: last_written.as_deref(),
        };
        save.run(&mut |entry| {
            if let Some(window) = self.windows[which].as_mut() {
                window.journal.append(&[entry])?;
            }
            if is_editing {
                self.edit(which);
            }
            Ok(())
        })
    }

    /// The CSV as a person with a text editor leaves it.
    fn outside_text(&mut self) -> Csv {
        let mut csv = self.csv.clone();
        let row = self.random.random_range(0..csv.0.len());
        match self.random.random_range(0..6) {
            0..3 => {
                let task = self.random.random_range(0..2);
                csv.0[row].1[task] = LABELS[task][self.random.random_range(0..LABELS[task].len())].to_owned();
            }
            3 => csv.0[row].2 += "!",
            4 if csv.0.len() < 9 => {
                csv.0.insert(
                    row,
                    (format!("{}.jpg", self.next_row), [String::new(), String::new()], String::new()),
                );
                self.next_row += 1;
            }
            _ => csv.0.reverse(),
        }
        csv
    }

    fn outside(&mut self) {
        self.count("written by another program");
        let csv = self.outside_text();
        if self.random.random_range(0..2) == 0 {
            std::fs::write(self.path(), csv.text()).expect("written");
        } else {
            let new = self.folder.path().join("other program");
            std::fs::write(&new, csv.text()).expect("written");
            std::fs::rename(new, self.path()).expect("renamed");
        }
        self.csv = csv;
    }

    /// A backup program puts the folder back as it is: other files of the same bytes.
    fn restore_journal(&mut self) {
        let folder = self.folder.path().join("garments.csv.edits");
        let Ok(bytes) = std::fs::read(folder.join("journal.jsonl")) else { return };
        self.count("restored");
        std::fs::write(folder.join("restored"), bytes).expect("written");
        std::fs::rename(folder.join("restored"), folder.join("journal.jsonl")).expect("renamed");
    }

    /// The disk refuses one call of an edit; the entry waits and comes with the next.
    fn fail(&mut self, which: usize) {
        if self.holder != Some(which) {
            return;
        }
        let (model, entry) = self.change(which);
        let (at, code) = (self.random.random_range(0..4), ERRORS[self.random.random_range(0..3)]);
        let kind =
            if self.random.random_range(0..2) == 0 { DiskFault::Once(code) } else { DiskFault::Short(code) };
        let Some(window) = self.windows[which].as_mut() else { return };
        window.waiting.extend(entry);
        let (kept, _) = fault::inject(at, kind, || window.journal.append(&window.waiting));
        if kept.is_err() {
            assert!(window.journal.append(&window.waiting).is_ok(), "the fault has passed");
            self.count("refused once");
        }
        self.windows[which].as_mut().expect("it is open").waiting.clear();
        self.model = model;
    }

    /// The program ends at some call of an edit or a save.
    fn kill(&mut self, which: usize) {
        if self.holder != Some(which) {
            self.gone(which);
            return;
        }
        let kind =
            if self.random.random_range(0..2) == 0 { DiskFault::Killed } else { DiskFault::KilledHalfway };
        if self.random.random_range(0..2) == 0 {
            self.count("killed in an edit");
            let at = self.random.random_range(0..4);
            let (model, entry) = self.change(which);
            let Some(window) = self.windows[which].as_mut() else { return };
            let (kept, _) =
                fault::inject(at, kind, || window.journal.append(&entry.into_iter().collect::<Vec<_>>()));
            self.gone(which);
            // What was not said to be kept may be there all the same.
            if kept.is_ok() || (model != self.model && self.is_on_disk(&model)) {
                self.model = model;
            }
        } else {
            self.count("killed in a save");
            let at = self.random.random_range(0..24);
            let taken = self.model.pending.clone();
            let is_editing = self.random.random_range(0..2) == 0;
            self.is_dying = true;
            let (_, _) = fault::inject(at, kind, || self.write(which, is_editing));
            self.is_dying = false;
            self.gone(which);
            self.model =
                self.unsure.take().filter(|unsure| self.is_on_disk(unsure)).unwrap_or(self.model.clone());
            self.cut_short = None;
            let mut saved = self.csv.clone();
            let mut written = BTreeMap::new();
            for (cell, pending) in taken {
                if self
                    .csv
                    .label(&cell)
                    .is_some_and(|label| label == pending.base || label == pending.current)
                {
                    saved.set(&cell, &pending.current);
                    written.insert(cell, pending);
                }
            }
            if saved != self.csv && self.text() == saved.text() {
                self.count("killed after the CSV was replaced");
                self.csv = saved.clone();
                self.cut_short = Some((written, saved));
            }
        }
    }

    fn is_on_disk(&self, model: &Model) -> bool {
        let state = Journal::look(&self.path()).expect("it can be read");
        pending_of(&state) == model.pending
            && state.next_undo().map(|step| step.changes().count()) == model.done.last().map(Vec::len)
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).expect("a CSV")
    }

    fn check(&self) {
        assert_eq!(self.text(), self.csv.text());
        if let Some(window) = self.holder.and_then(|holder| self.windows[holder].as_ref()) {
            assert_eq!(pending_of(&window.state), self.model.pending);
        }
        if self.holder.is_some() && self.cut_short.is_none() {
            let state = Journal::look(&self.path()).expect("it can be read");
            assert_eq!(pending_of(&state), self.model.pending, "as a program that only looks finds it");
        }
        let names =
            std::fs::read_dir(self.folder.path()).expect("a folder").flatten().map(|entry| entry.file_name());
        let strange = names.filter(|name| !is_known(&name.to_string_lossy())).count();
        assert_eq!(strange, 0);
    }
}

/// What a killed program leaves half-written is known, and goes when it is old.
fn is_known(name: &str) -> bool {
    ["config.yml", "garments.csv", "garments.csv.edits"].contains(&name)
        || (name.starts_with(".tasklens-") && Path::new(name).extension().is_some_and(|end| end == "new"))
}

fn pending_of(state: &State) -> BTreeMap<Cell, Pending> {
    let pending = state.pending().into_iter();
    pending
        .map(|edit| {
            (
                (edit.image, usize::from(edit.task == TASKS[1])),
                Pending { base: edit.before, current: edit.after },
            )
        })
        .collect()
}
