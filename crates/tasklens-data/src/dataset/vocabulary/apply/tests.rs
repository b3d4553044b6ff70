//! Changes of files on disk: every other byte stays, and what is cut short can be completed.

use std::fs;
use std::path::PathBuf;

use super::super::begun::cut_short;
use super::*;
use crate::dataset::edits::{AnnotationSource, Step};
use crate::files::fault::{self, DiskFault, inject};

const CONFIG: &str = "\
paths: {model_dataframe: a.csv}  # one row per image
model:
  paths: image
  target_encoder:
    print: [solid, floral, striped]  # of the cloth
    sleeves: [short, long]
";
const CSV: &str = "image,print,sleeves,note\na.jpg,solid,short,solid\nb.jpg,floral,long,\nc.jpg,,,x\n";

struct Shop(tempfile::TempDir);

impl Shop {
    fn new(csv: impl AsRef<[u8]>) -> Self {
        let shop = Self(tempfile::tempdir().unwrap());
        fs::write(shop.config(), CONFIG).unwrap();
        fs::write(shop.csv(), csv).unwrap();
        shop
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("config.yml")
    }

    fn csv(&self) -> PathBuf {
        self.0.path().join("a.csv")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.csv()).unwrap()
    }

    fn config_text(&self) -> String {
        fs::read_to_string(self.config()).unwrap()
    }

    fn open(&self) -> (Dataset, OpenedAnnotations) {
        let config = Config::open(&self.config()).unwrap();
        let dataset = Dataset::open(&config).unwrap();
        let opened = edits::open(&config, &dataset).unwrap();
        (dataset, opened)
    }

    /// Edits labels, a step each: (row, task, label), where empty text is none.
    fn edit(&self, labels: &[(usize, usize, &str)]) {
        let (dataset, OpenedAnnotations { mut state, mut journal, .. }) = self.open();
        for (row, task, label) in labels {
            let change = state.label_change(&dataset, *row, *task, Some(*label));
            journal.append(&[state.edit(Step::now(AnnotationSource::Hand, vec![change])).unwrap()]).unwrap();
        }
    }

    /// The labels of a task that hold for all rows.
    fn labels(&self, task: usize) -> Vec<String> {
        let (dataset, opened) = self.open();
        let label = |row| opened.state.label_text(&dataset, row, task).unwrap_or_default().into_owned();
        (0..dataset.rows.len()).map(label).collect()
    }

    fn undo(&self) {
        let (_, OpenedAnnotations { mut state, mut journal, .. }) = self.open();
        journal.append(&[state.undo().unwrap()]).unwrap();
    }

    fn pending(&self) -> usize {
        self.open().1.state.pending_count()
    }
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn rename(from: &str, to: &str) -> VocabularyChange {
    VocabularyChange::RenameLabel { task: text("print"), from: text(from), to: text(to) }
}

fn merge_labels(from: &str, into: &str) -> VocabularyChange {
    VocabularyChange::MergeLabels { task: text("print"), from: text(from), into: text(into) }
}

fn remove(label: &str) -> VocabularyChange {
    VocabularyChange::RemoveLabel { task: text("print"), label: text(label) }
}

fn rename_task() -> VocabularyChange {
    VocabularyChange::RenameTask { task: text("print"), to: text("pattern") }
}

fn remove_task() -> VocabularyChange {
    VocabularyChange::RemoveTask { task: text("print") }
}

fn add_task(name: &str) -> VocabularyChange {
    VocabularyChange::AddTask { name: text(name), labels: vec![text("x"), text("y")] }
}

#[test]
fn a_renamed_label_is_renamed_everywhere_and_edits_go_on() {
    let shop = Shop::new(CSV);
    shop.edit(&[(2, 0, "solid"), (1, 0, "solid"), (0, 0, "striped")]);
    shop.undo();
    let applied = apply(&shop.config(), &rename("solid", "plain")).unwrap();
    assert_eq!(applied.rows_changed, 1);
    assert_eq!(shop.text(), CSV.replace("a.jpg,solid", "a.jpg,plain"));
    assert_eq!(shop.config_text(), CONFIG.replace("[solid", "[plain"));
    assert_eq!(fs::read_to_string(applied.csv_backup.unwrap()).unwrap(), CSV);
    assert_eq!(fs::read_to_string(applied.config_backup.unwrap()).unwrap(), CONFIG);
    assert_eq!(shop.labels(0), ["plain", "plain", "plain"]);
    shop.undo();
    assert_eq!(shop.labels(0), ["plain", "floral", "plain"]);
    shop.undo();
    assert_eq!((shop.labels(0), shop.pending()), (vec![text("plain"), text("floral"), text("")], 0));
}

#[test]
fn a_label_is_the_same_in_either_unicode_form() {
    let (one, two) = ("caf\u{e9}", "cafe\u{301}");
    let csv = format!("image,print,sleeves\na.jpg,{two},\nb.jpg,,long\nc.jpg,zebra,\nc.jpg,{two},\n");
    let shop = Shop::new(&csv);
    fs::write(shop.config(), CONFIG.replace("solid", one)).unwrap();
    shop.edit(&[(1, 0, two), (2, 0, "floral")]);
    let (dataset, opened) = shop.open();
    assert_eq!(opened.state.class(&dataset, 1, 0), Some(0));
    // Of two rows with an image that with a label is edited.
    let edited = dataset.with_edits(&opened.state.overlay());
    assert_eq!((edited.table.cell(2, 1), edited.table.cell(3, 1)), ("zebra".into(), "floral".into()));
    drop(opened);
    shop.undo();
    shop.undo();
    let (dataset, opened) = shop.open();
    let preview = preview(&dataset, &opened.state, &rename(one, "bar"));
    assert_eq!(preview.images, 2);
    drop(opened);
    assert_eq!(apply(&shop.config(), &rename(one, "bar")).unwrap().rows_changed, 2);
    assert_eq!(shop.text(), csv.replace(two, "bar"));
}

#[test]
fn merged_removed_and_unlisted_labels() {
    let shop = Shop::new("image,print,sleeves\na.jpg,solid,\nb.jpg, plaid ,\nc.jpg,\"floral\",\n,floral,\n");
    apply(&shop.config(), &merge_labels("plaid", "striped")).unwrap();
    assert_eq!(shop.config_text(), CONFIG);
    apply(&shop.config(), &merge_labels("solid", "striped")).unwrap();
    assert_eq!(
        shop.text(),
        "image,print,sleeves\na.jpg,striped,\nb.jpg,striped,\nc.jpg,\"floral\",\n,floral,\n"
    );
    assert!(shop.config_text().contains("print: [floral, striped]  # of the cloth"));
    let error = apply(&shop.config(), &remove("floral")).unwrap_err();
    assert!(error.to_string().contains("needs them"), "{error}");
    apply(&shop.config(), &VocabularyChange::AddLabel { task: text("print"), label: text("dotted") })
        .unwrap();
    assert_eq!(apply(&shop.config(), &remove("floral")).unwrap().rows_changed, 2);
    assert_eq!(shop.text(), "image,print,sleeves\na.jpg,striped,\nb.jpg,striped,\nc.jpg,\"\",\n,,\n");
}

/// What a label went through counts for telling what a save left that was killed: it must follow, too.
#[test]
fn an_edit_that_was_undone_does_not_come_back_after_a_merge() {
    let shop = Shop::new(CSV);
    shop.edit(&[(0, 0, "striped")]);
    shop.undo();
    apply(&shop.config(), &merge_labels("solid", "striped")).unwrap();
    assert_eq!((shop.labels(0)[0].as_str(), shop.pending()), ("striped", 0));
}

#[test]
fn tasks_come_change_their_name_and_go() {
    let shop = Shop::new(CSV);
    apply(&shop.config(), &add_task("hem")).unwrap();
    assert_eq!(
        shop.text(),
        "image,print,sleeves,note,hem\na.jpg,solid,short,solid,\nb.jpg,floral,long,,\nc.jpg,,,x,\n"
    );
    let before = shop.text();
    apply(&shop.config(), &add_task("note")).unwrap();
    assert_eq!(shop.text(), before);
    assert_eq!(shop.config_text(), format!("{CONFIG}    hem: [x, \"y\"]\n    note: [x, \"y\"]\n"));

    shop.edit(&[(2, 0, "floral"), (2, 2, "x")]);
    apply(&shop.config(), &rename_task()).unwrap();
    assert_eq!(shop.text(), before.replace("print", "pattern"));
    assert_eq!((shop.labels(0)[2].as_str(), shop.pending()), ("floral", 2));

    // Its edits have no place once it is gone: they are written first.
    apply(&shop.config(), &VocabularyChange::RemoveTask { task: text("pattern") }).unwrap();
    assert_eq!(shop.text(), before.replace("print", "pattern").replace("c.jpg,,", "c.jpg,floral,"));
    assert!(!shop.config_text().contains("pattern"));
    assert_eq!(shop.pending(), 1);
    shop.undo();
    assert_eq!(shop.pending(), 0);
}

#[test]
fn every_byte_that_does_not_change_stays() {
    let table = "image;größe;print;x\r\n\"a;1.jpg\";\"gr\"\"oß\";solid;1\r\n\r\nb.jpg; 2 ;\"solid\";\r\nkurz.jpg\r\nc.jpg;;floral;\"ä\nö\"";
    let latin: Vec<u8> = table.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let utf16 = |order: fn(u16) -> [u8; 2], text: &str| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(order).collect()
    };
    let as_latin =
        |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>();
    type Encode<'a> = Box<dyn Fn(&str) -> Vec<u8> + 'a>;
    let encodings: [Encode<'_>; 6] = [
        Box::new(|text| text.as_bytes().to_vec()),
        Box::new(|text| format!("\u{feff}{text}").into_bytes()),
        Box::new(|text| utf16(u16::to_le_bytes, text)),
        Box::new(|text| utf16(u16::to_be_bytes, text)),
        Box::new(as_latin),
        Box::new(|text| text.replace(';', "\t").into_bytes()),
    ];
    assert_eq!(latin, as_latin(table));
    let config = CONFIG.replace("\n    sleeves: [short, long]", "\n    größe: [short, long]");
    for encode in encodings {
        let shop = Shop::new(encode(table));
        fs::write(shop.config(), &config).unwrap();
        let check = |change: &VocabularyChange, expected: String| {
            apply(&shop.config(), change).unwrap();
            assert_eq!(fs::read(shop.csv()).unwrap(), encode(&expected), "{change}\n{expected}");
            expected
        };
        let now = check(&rename("solid", "süß"), table.replace("solid", "süß"));
        let now = check(&rename_task(), now.replace("print", "pattern"));
        let columns = now.replace(";x\r", ";x;hem\r").replace(";1\r", ";1;\r").replace("\";\r", "\";;\r");
        check(&add_task("hem"), columns.replace("ö\"", "ö\";"));
    }
}

#[test]
fn nothing_is_written_where_something_stands_in_the_way() {
    let latin = b"image,print,sleeves\n\xe4.jpg,solid,\nb.jpg,floral,\n";
    let shop = Shop::new(latin);
    let error = format!("{:#}", apply(&shop.config(), &rename("solid", "你好")).unwrap_err());
    assert!(error.contains("Windows-1252"), "{error}");
    assert_eq!((fs::read(shop.csv()).unwrap().as_slice(), shop.config_text().as_str()), (&latin[..], CONFIG));

    let shop = Shop::new(CSV);
    shop.edit(&[(0, 0, "floral")]);
    let (_, held) = shop.open();
    let error = apply(&shop.config(), &rename("solid", "plain")).unwrap_err().to_string();
    assert!(error.contains("being edited in another window"), "{error}");
    drop(held);

    // The CSV, or the config, is written by another program while the change is on its way.
    let mut plan = PlannedChange::make(&shop.config(), &rename("solid", "plain")).unwrap();
    fs::write(shop.csv(), CSV.replace("c.jpg", "longer.jpg")).unwrap();
    let error = plan.execute().unwrap_err().to_string();
    assert!(error.contains("was written by another program meanwhile; make the change again"), "{error}");
    assert_eq!(shop.text(), CSV.replace("c.jpg", "longer.jpg"));
    assert_eq!(shop.config_text(), CONFIG);

    let shop = Shop::new("image,print,sleeves\na.jpg,solid,short,long\n");
    let error = format!("{:#}", apply(&shop.config(), &add_task("hem")).unwrap_err());
    assert!(error.contains("line 2: this row has more cells than the header"), "{error}");
}

const EIO: i32 = 5;

fn changes() -> [VocabularyChange; 7] {
    [
        rename("solid", "plain"),
        merge_labels("solid", "floral"),
        remove("solid"),
        rename_task(),
        remove_task(),
        add_task("hem"),
        VocabularyChange::AddLabel { task: text("print"), label: text("dotted") },
    ]
}

fn edited() -> Shop {
    let shop = Shop::new(CSV);
    shop.edit(&[(2, 0, "solid"), (0, 0, "striped"), (2, 1, "long"), (1, 0, "solid"), (2, 0, "striped")]);
    shop.undo();
    shop
}

/// All that can be told of a project: its files, and what holds, can be undone and redone.
fn all(shop: &Shop) -> (String, String, Vec<edits::Edit>, [Option<Vec<edits::AnnotationChange>>; 2]) {
    let state = shop.open().1.state;
    let of = |step: Option<edits::StepView<'_>>| step.map(|step| step.to_step().changes);
    (shop.text(), shop.config_text(), state.pending(), [of(state.next_undo()), of(state.next_redo())])
}

/// Killed, or failed by the disk, at any call: the project opens, and the same change, made again, ends where it
/// would have ended.
#[test]
fn what_was_cut_short_anywhere_is_completed_by_the_same_change() {
    fault::skip_syncs();
    for change in changes() {
        let whole = edited();
        apply(&whole.config(), &change).unwrap();
        for fault in [DiskFault::Killed, DiskFault::KilledHalfway, DiskFault::Once(EIO)] {
            for at in 0.. {
                let shop = edited();
                let (made, calls) = inject(at, fault, || apply(&shop.config(), &change));
                if calls.len() as u64 <= at {
                    break;
                }
                if made.is_err() || all(&shop) != all(&whole) {
                    apply(&shop.config(), &change).unwrap();
                }
                assert_eq!(all(&shop), all(&whole), "{change}, {fault:?} at {at} ({:?})", calls[at as usize]);
            }
        }
    }
}

/// The same, but nobody makes the change again: opening the project does, or finds that nothing was changed.
#[test]
fn what_was_cut_short_is_finished_or_forgotten_when_the_project_is_opened() {
    fault::skip_syncs();
    for change in changes() {
        let (whole, before) = (edited(), edited());
        apply(&whole.config(), &change).unwrap();
        let mut seen = [0, 0];
        for at in 0.. {
            let shop = edited();
            let (_, calls) = inject(at, DiskFault::Killed, || apply(&shop.config(), &change));
            if calls.len() as u64 <= at {
                break;
            }
            let said = finish(&shop.config()).unwrap();
            let is_made = all(&shop) == all(&whole);
            // The labels of a task that goes are saved into the CSV before: that harms nobody.
            let holds = |shop: &Shop| (shop.config_text(), shop.labels(0), shop.labels(1));
            assert!(is_made || holds(&shop) == holds(&before), "{change}, killed at {at}: {said:?}");
            assert_eq!(cut_short(&Config::open(&shop.config()).unwrap()), Ok(None));
            seen[usize::from(is_made)] += 1;
            assert_eq!(finish(&shop.config()).unwrap(), None);
        }
        assert!(seen[0] > 3 && seen[1] > 1, "{change}: {seen:?}");
    }
}

#[test]
fn a_change_that_goes_on_in_another_window_is_not_meddled_with() {
    let shop = edited();
    let plan = PlannedChange::make(&shop.config(), &rename_task()).unwrap();
    let begun = Begun {
        change: rename_task(),
        csv: Digests::of(&plan.csv.read, plan.new_csv.as_deref()),
        config: Digests::of(&plan.config.read, None),
    };
    begun.write(&shop.csv()).unwrap();
    assert_eq!(finish(&shop.config()).unwrap(), None);
    assert!(Begun::read(&shop.csv()).unwrap().is_some());
    drop(plan);
    let said = finish(&shop.config()).unwrap().unwrap().to_string();
    assert!(said.contains("before it changed anything"), "{said}");
    assert!(Begun::read(&shop.csv()).unwrap().is_none());
}

#[test]
fn a_record_that_cannot_be_read_is_told_and_left_until_the_next_change() {
    let shop = edited();
    let record = shop.0.path().join("a.csv.edits/changing.json");
    fs::write(&record, "{\"change\": ").unwrap();
    let said = finish(&shop.config()).unwrap().unwrap().to_string();
    let told = format!("{} cannot be read (EOF while parsing", record.display());
    assert!(
        said.starts_with(&told) && said.contains("a.csv.edits/backups. Then delete the record."),
        "{said}"
    );
    assert!(cut_short(&Config::open(&shop.config()).unwrap()).is_err());
    assert!(record.is_file());
    let applied = apply(&shop.config(), &rename_task()).unwrap();
    assert!(applied.warnings.iter().any(|warning| warning.starts_with(&told)), "{:?}", applied.warnings);
    assert!(!record.exists());
    fs::create_dir(&record).unwrap();
    assert!(finish(&shop.config()).unwrap().unwrap().to_string().contains("(it is not a regular file)"));
}

#[test]
fn a_window_without_edits_does_not_go_on_with_names_that_were_changed_meanwhile() {
    let shop = Shop::new(CSV);
    let (dataset, mut opened) = shop.open();
    apply(&shop.config(), &rename_task()).unwrap();
    let change = opened.state.label_change(&dataset, 0, 0, Some("floral"));
    let entry = opened.state.edit(Step::now(AnnotationSource::Hand, vec![change])).unwrap();
    let refused = opened.journal.append(&[entry]).unwrap_err();
    assert!(matches!(refused, edits::Refusal::ForGood(_)), "{refused}");
    assert_eq!(shop.labels(0), ["solid", "floral", ""]);
}

#[test]
fn nobody_begins_to_edit_while_a_change_is_on_its_way() {
    let shop = Shop::new(CSV);
    let (dataset, mut opened) = shop.open();
    let plan = PlannedChange::make(&shop.config(), &rename_task()).unwrap();
    let change = opened.state.label_change(&dataset, 0, 0, Some("floral"));
    let entry = opened.state.edit(Step::now(AnnotationSource::Hand, vec![change])).unwrap();
    assert!(opened.journal.append(&[entry]).unwrap_err().to_string().contains("another window"));
    drop(plan);
}

#[test]
fn a_dry_run_writes_nothing() {
    let shop = Shop::new(CSV);
    let preview = dry_run(&shop.config(), &merge_labels("solid", "floral")).unwrap();
    assert_eq!((preview.images, preview.rows[0].image.as_str()), (1, "a.jpg"));
    assert_eq!((shop.text().as_str(), shop.config_text().as_str()), (CSV, CONFIG));
    assert_eq!(fs::read_dir(shop.0.path()).unwrap().count(), 2);
    assert!(dry_run(&shop.config(), &rename("solid", "floral")).is_err());
}
