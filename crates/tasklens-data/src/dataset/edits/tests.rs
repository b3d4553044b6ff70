//! Edits as a user lives them: key presses, undo, closing and opening, saving.

mod faults;
mod journal;
mod merging;
mod outside;
mod overlay;
mod random;
mod snapshot;
mod vocabulary;

use std::path::PathBuf;

use super::merge::{MergeOutcome, OnConflict, Save};
use super::*;
use crate::config::Config;

const CONFIG: &str = "{paths: {model_dataframe: garments.csv}, model: {paths: image, target_encoder: {print: [solid, floral, striped], sleeves: [short, long]}}}";
const CSV: &str = "image,print,sleeves\na.jpg,solid,short\nb.jpg,floral,long\nc.jpg,,\n";
const PRINT: usize = 0;
const SLEEVES: usize = 1;

/// A folder with a CSV of the columns image, print and sleeves.
struct Shop {
    dir: tempfile::TempDir,
}

impl Shop {
    fn new(csv: impl AsRef<[u8]>) -> Self {
        let shop = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::write(shop.csv(), csv).unwrap();
        shop
    }

    fn csv(&self) -> PathBuf {
        self.dir.path().join("garments.csv")
    }

    fn read(&self) -> Vec<u8> {
        std::fs::read(self.csv()).unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8(self.read()).unwrap()
    }

    fn journal(&self) -> PathBuf {
        folder_of(&self.csv()).join("journal.jsonl")
    }

    fn backups(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(folder_of(&self.csv()).join("backups")) else {
            return Vec::new();
        };
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }

    fn config(&self) -> Config {
        Config::parse(CONFIG, &self.dir.path().join("config.yml")).unwrap()
    }

    fn dataset(&self) -> Dataset {
        Dataset::open(&self.config()).unwrap()
    }

    /// A window on the project.
    fn open(&self) -> Window {
        self.open_rows(self.dataset())
    }

    /// The same, of rows that were read earlier.
    fn open_rows(&self, dataset: Dataset) -> Window {
        let OpenedAnnotations { state, journal, warnings, reread } = open(&self.config(), &dataset).unwrap();
        let dataset = reread.map_or(dataset, |reread| reread.1);
        Window { dataset, state, journal, warnings }
    }
}

struct Window {
    dataset: Dataset,
    state: State,
    journal: Journal,
    warnings: Vec<String>,
}

impl Window {
    fn edit(&mut self, changes: Vec<AnnotationChange>) {
        let step = Step::now(AnnotationSource::Hand, changes);
        if let Some(entry) = self.state.edit(step) {
            self.journal.append(&[entry]).unwrap();
        }
    }

    /// Gives a row a label; empty text takes it away.
    fn label(&mut self, row: usize, task: usize, label: &str) {
        let label = Some(label).filter(|label| !label.is_empty());
        self.edit(vec![self.state.label_change(&self.dataset, row, task, label)]);
    }

    fn undo(&mut self) -> bool {
        let entry = self.state.undo();
        entry.is_some_and(|entry| self.journal.append(&[entry]).is_ok())
    }

    fn redo(&mut self) -> bool {
        let entry = self.state.redo();
        entry.is_some_and(|entry| self.journal.append(&[entry]).is_ok())
    }

    fn save(&mut self, on_conflict: OnConflict) -> MergeOutcome {
        let outcome = self.write(&self.state.pending(), on_conflict).unwrap();
        self.journal.append(&self.state.note_saved(&mut outcome.clone())).unwrap();
        outcome
    }

    /// Writes edits into the CSV as a save does, and leaves it to be noted.
    fn write(&mut self, edits: &[Edit], on_conflict: OnConflict) -> anyhow::Result<MergeOutcome> {
        let save = Save { dataset: &self.dataset, edits, on_conflict, last_written: None };
        save.run(&mut |entry| Ok(self.journal.append(&[entry])?))
    }

    /// The label that holds for a row; "" for none.
    fn text(&self, row: usize, task: usize) -> String {
        self.state.label_text(&self.dataset, row, task).unwrap_or_default().into_owned()
    }

    fn prints(&self) -> Vec<String> {
        (0..self.dataset.rows.len()).map(|row| self.text(row, PRINT)).collect()
    }
}

#[test]
fn edits_survive_closing_and_leave_the_csv_until_they_are_saved() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "striped");
    window.label(2, SLEEVES, " long ");
    window.label(1, PRINT, "");
    assert_eq!(window.prints(), ["striped", "", ""]);
    assert_eq!(window.state.class(&window.dataset, 0, PRINT), Some(2));
    assert_eq!(window.state.class(&window.dataset, 1, PRINT), None);
    assert_eq!(window.state.class(&window.dataset, 0, SLEEVES), Some(0));
    assert_eq!(window.state.pending_count(), 3);
    drop(window);

    let window = shop.open();
    assert_eq!(window.prints(), ["striped", "", ""]);
    assert_eq!(window.text(2, SLEEVES), "long");
    assert_eq!(window.state.pending_count(), 3);
    assert_eq!(shop.text(), CSV);
    assert_eq!(window.warnings, Vec::<String>::new());
}

#[test]
fn undo_and_redo_go_on_after_closing() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    for label in ["floral", "striped", "solid", "floral"] {
        window.label(0, PRINT, label);
    }
    assert!(window.undo() && window.undo());
    let mut window = {
        drop(window);
        shop.open()
    };
    assert_eq!(window.text(0, PRINT), "striped");
    assert!(window.redo());
    assert_eq!(window.text(0, PRINT), "solid");
    assert!(window.undo() && window.undo() && window.undo() && !window.undo());
    assert_eq!(window.prints(), ["solid", "floral", ""]);
    assert_eq!(window.state.pending_count(), 0);
    assert!(window.state.is_empty());
    drop(window);

    let mut window = shop.open();
    assert_eq!(window.state.next_redo().unwrap().changes().next().unwrap().after, Some("floral"));
    assert!(window.redo());
    // A new step ends what could be redone.
    window.label(1, PRINT, "striped");
    assert!(!window.redo());
    assert_eq!(window.prints(), ["floral", "striped", ""]);
}

#[test]
fn a_batch_is_one_step_and_one_line() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(1, PRINT, "solid");
    let lines = |shop: &Shop| std::fs::read_to_string(shop.journal()).unwrap().lines().count();
    let before = lines(&shop);
    let changes =
        (0..3).map(|row| window.state.label_change(&window.dataset, row, PRINT, Some("striped"))).collect();
    window.edit(changes);
    assert_eq!(lines(&shop), before + 1);
    assert_eq!(window.prints(), ["striped", "striped", "striped"]);
    assert!(window.undo());
    assert_eq!(window.prints(), ["solid", "solid", ""]);
}

#[test]
fn what_changes_nothing_is_no_step() {
    let shop = Shop::new("image,print,sleeves\na.jpg, solid ,\n,floral,\n");
    let mut window = shop.open();
    window.label(0, PRINT, "solid");
    window.label(0, SLEEVES, "  ");
    // Without a path there is nothing to know the row by.
    window.label(1, PRINT, "striped");
    assert!(window.state.next_undo().is_none());
    assert!(!folder_of(&shop.csv()).exists(), "opening and looking makes nothing on disk");
}

#[test]
fn a_kept_label_is_kept_until_it_changes() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    let is_kept = |window: &Window| {
        let given = window.state.label_text(&window.dataset, 0, PRINT);
        window.state.is_kept("a.jpg", "print", given.as_deref())
    };
    assert!(!is_kept(&window));
    window.edit(vec![window.state.keep_change(&window.dataset, 0, PRINT)]);
    assert!(is_kept(&window));
    assert!(!window.state.is_kept("a.jpg", "sleeves", Some("short")));
    window.label(0, PRINT, "striped");
    assert!(!is_kept(&window));
    assert!(window.undo());
    assert!(is_kept(&window));
    assert_eq!(window.state.pending_count(), 0);
    drop(window);
    let mut window = shop.open();
    assert!(is_kept(&window));
    assert!(window.undo());
    assert!(!is_kept(&window));
    // A cell without a label can be kept, too.
    window.edit(vec![window.state.keep_change(&window.dataset, 2, PRINT)]);
    assert!(
        window.state.is_kept("c.jpg", "print", None) && !window.state.is_kept("c.jpg", "print", Some("x"))
    );
}

#[test]
fn a_flag_has_a_note_and_stays_out_of_the_csv() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.edit(vec![window.state.flag_change(&window.dataset, 1, Some(""))]);
    window.edit(vec![window.state.flag_change(&window.dataset, 1, Some("two garments\n\"in one\""))]);
    assert_eq!(window.save(OnConflict::Ask).backup, None);
    drop(window);
    let mut window = shop.open();
    assert_eq!(window.state.flags().collect::<Vec<_>>(), [("b.jpg", "two garments\n\"in one\"")]);
    assert!(window.undo());
    assert_eq!(window.state.flag("b.jpg"), Some(""));
    assert!(window.undo());
    assert_eq!(window.state.flag("b.jpg"), None);
    assert_eq!(shop.text(), CSV);
}

#[test]
fn a_writer_keeps_what_is_sent_and_says_so() {
    let shop = Shop::new(CSV);
    let Window { dataset, mut state, journal, .. } = shop.open();
    let (sender, reports) = crossbeam_channel::unbounded();
    let writer = Writer::start(journal, move |report| sender.send(report).unwrap()).unwrap();
    for label in ["floral", "striped"] {
        let change = state.label_change(&dataset, 0, PRINT, Some(label));
        writer.send(state.edit(Step::now(AnnotationSource::Suggestion, vec![change])).unwrap());
    }
    assert_eq!(writer.finish(), 0);
    assert_eq!(reports.iter().last().unwrap(), WriterReport { kept: 2, refused: None });
    // The lock is given back.
    let mut window = shop.open();
    assert_eq!((window.journal.denied(), window.text(0, PRINT).as_str()), (None, "striped"));
    assert_eq!(window.state.next_undo().unwrap().source(), AnnotationSource::Suggestion);
    assert!(window.undo());
    assert_eq!(window.text(0, PRINT), "floral");
}

#[test]
fn a_writer_keeps_what_the_disk_refused_once_it_can() {
    let shop = Shop::new(CSV);
    std::fs::write(folder_of(&shop.csv()), "in the way").unwrap();
    let Window { dataset, mut state, journal, .. } = shop.open();
    let (sender, reports) = crossbeam_channel::unbounded();
    let writer = Writer::start(journal, move |report| sender.send(report).unwrap()).unwrap();
    let mut send = |label| {
        let change = state.label_change(&dataset, 0, PRINT, Some(label));
        writer.send(state.edit(Step::now(AnnotationSource::Hand, vec![change])).unwrap());
    };
    send("floral");
    let refused = reports.recv().unwrap();
    assert_eq!(refused.kept, 0);
    assert!(refused.refused.unwrap().to_string().starts_with("label edits cannot be kept in "));
    std::fs::remove_file(folder_of(&shop.csv())).unwrap();
    send("striped");
    assert_eq!(reports.recv().unwrap(), WriterReport { kept: 2, refused: None });
    assert_eq!(writer.finish(), 0);
    let mut window = shop.open();
    assert_eq!(window.text(0, PRINT), "striped");
    assert!(window.undo() && window.undo() && !window.undo());
}
