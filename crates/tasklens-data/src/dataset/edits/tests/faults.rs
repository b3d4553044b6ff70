//! Every call to the disk fails, or is the last one before the program is killed.

use std::collections::HashMap;

use super::*;
use crate::files::fault::{self, Call, DiskFault, inject};

const EIO: i32 = 5;
const EINVAL: i32 = 22;
const ENOSPC: i32 = 28;
/// Cells that are no labels, a delimiter and an end of line of the user's.
const THEIRS: &str =
    "note;image;print;sleeves\r\n\"a; b\";a.jpg;solid;short\r\nx;b.jpg;floral;long\r\n;c.jpg;;\r\n";
const FOREIGN: &str = "left alone\n";

type Label = Option<String>;
/// Row and task.
type Cell = (usize, usize);

/// What a person did at a window: what was said to be kept, and what was not.
#[derive(Default)]
struct Lived {
    /// By image and task: the label said to be kept last, and those that were made since.
    cells: HashMap<Cell, (Label, Vec<Label>)>,
    /// Entries that the disk refused, to be appended with the next.
    waiting: Vec<Entry>,
    /// Every label that a cell ever had.
    ever: HashMap<Cell, Vec<Label>>,
}

impl Lived {
    fn keep(&mut self, window: &mut Window, entry: Option<Entry>) {
        self.waiting.extend(entry);
        for row in 0..3 {
            for task in 0..2 {
                let label = Some(window.text(row, task)).filter(|label| !label.is_empty());
                self.ever.entry((row, task)).or_default().push(label.clone());
                self.cells.entry((row, task)).or_default().1.push(label);
            }
        }
        if window.journal.append(&self.waiting).is_ok() {
            self.waiting.clear();
            for (kept, since) in self.cells.values_mut() {
                *kept = since.pop().flatten();
                since.clear();
            }
        }
    }

    fn label(&mut self, window: &mut Window, row: usize, task: usize, label: &str) {
        let change = window.state.label_change(&window.dataset, row, task, Some(label));
        let entry = window.state.edit(Step::now(AnnotationSource::Hand, vec![change]));
        self.keep(window, entry);
    }

    fn undo(&mut self, window: &mut Window) {
        let entry = window.state.undo();
        self.keep(window, entry);
    }

    fn save(&mut self, window: &mut Window) {
        let edits = window.state.pending();
        if let Ok(mut outcome) = window.write(&edits, OnConflict::Ask) {
            assert_eq!(outcome.conflicts, []);
            for entry in window.state.note_saved(&mut outcome) {
                self.keep(window, Some(entry));
            }
        }
    }
}

/// Labels, an undo, a save, more labels, another save.
fn live(shop: &Shop) -> Lived {
    let mut lived = Lived::default();
    let Ok(OpenedAnnotations { state, journal, .. }) = open(&shop.config(), &shop.dataset()) else {
        return lived;
    };
    let mut window = Window { dataset: shop.dataset(), state, journal, warnings: Vec::new() };
    lived.keep(&mut window, None);
    lived.label(&mut window, 0, PRINT, "striped");
    lived.label(&mut window, 2, SLEEVES, "long");
    lived.save(&mut window);
    lived.undo(&mut window);
    // Rows that are read anew, as at opening, where a snapshot is taken; nothing but its place is lost if it fails.
    window.dataset = shop.dataset();
    window.state.forget_saved();
    if lived.waiting.is_empty() {
        let _ = window.journal.take_snapshot(&window.state);
    }
    lived.label(&mut window, 1, PRINT, "solid");
    lived.save(&mut window);
    lived.label(&mut window, 0, PRINT, "floral");
    lived
}

fn check(shop: &Shop, lived: &Lived, what: &str) {
    let window = shop.open();
    assert_eq!(window.warnings, Vec::<String>::new(), "{what}");
    for ((row, task), (kept, since)) in &lived.cells {
        let found = Some(window.text(*row, *task)).filter(|label| !label.is_empty());
        assert!(found == *kept || since.contains(&found), "{what}: {row}, {task} is {found:?}, not {kept:?}");
    }
    // Each cell of the CSV is one that it had or was given, and every other byte is as it was.
    let mut bare = shop.dataset();
    for row in 0..3 {
        for task in 0..2 {
            let column = bare.columns.tasks[task];
            let cell = Some(bare.table.cell(row, column).into_owned()).filter(|cell| !cell.is_empty());
            let ever = &lived.ever.get(&(row, task));
            assert!(ever.is_none_or(|ever| ever.contains(&cell)), "{what}: {row}, {task} has {cell:?}");
            bare.table.set_cell(row, column, "").unwrap();
        }
    }
    let empty = "note;image;print;sleeves\r\n\"a; b\";a.jpg;;\r\nx;b.jpg;;\r\n;c.jpg;;\r\n";
    assert_eq!(String::from_utf8(bare.table.to_bytes().unwrap()).unwrap(), empty, "{what}");
    assert_eq!(std::fs::read_to_string(shop.dir.path().join("thesis.txt")).unwrap(), FOREIGN);
}

fn shop() -> Shop {
    let shop = Shop::new(THEIRS);
    std::fs::write(shop.dir.path().join("thesis.txt"), FOREIGN).unwrap();
    shop
}

#[test]
fn no_fault_of_the_disk_and_no_kill_loses_a_kept_edit_or_spoils_a_cell() {
    fault::skip_syncs();
    let mut faults = vec![DiskFault::Killed, DiskFault::KilledHalfway];
    for code in [EIO, ENOSPC, EINVAL] {
        faults.extend([DiskFault::Once(code), DiskFault::FromHere(code), DiskFault::Short(code)]);
    }
    let mut points = 0;
    for fault in faults {
        for at in 0.. {
            let shop = shop();
            let (lived, calls) = inject(at, fault, || live(&shop));
            let Some(call) = calls.get(at as usize) else { break };
            points += 1;
            let what = format!("{fault:?} at {at} ({call:?})");
            check(&shop, &lived, &what);
            // And it goes on: what waits is given, saved, and the CSV has what the window shows.
            let mut window = shop.open();
            window.save(OnConflict::Ask);
            let shown: Vec<String> = window.prints();
            drop(window);
            let in_csv: Vec<String> = (0..3)
                .map(|row| {
                    let dataset = shop.dataset();
                    dataset.table.cell(row, dataset.columns.tasks[PRINT]).into_owned()
                })
                .collect();
            assert_eq!(shown, in_csv, "{what}");
            check(&shop, &lived, &what);
        }
    }
    assert!(points > 300, "{points}");
}

#[test]
fn a_disk_that_knows_no_sync_of_folders_refuses_no_label() {
    fault::skip_syncs();
    let whole = inject(u64::MAX, DiskFault::Killed, || live(&shop())).1;
    for (at, call) in whole.iter().enumerate() {
        let shop = shop();
        let (lived, _) = inject(at as u64, DiskFault::Once(EINVAL), || live(&shop));
        if *call == Call::SyncFolder {
            assert!(lived.waiting.is_empty(), "{at}");
            assert_eq!(shop.open().prints(), ["floral", "solid", ""], "{at}");
        }
    }
}
