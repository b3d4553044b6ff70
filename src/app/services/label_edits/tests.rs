//! The rows always have the labels of the edits, in whatever order edits, undo, redo and saves come.

use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use tasklens_data::config::Config;
use tasklens_data::dataset::edits::{self, AnnotationSource};

use super::*;

const LABELS: [Option<&str>; 4] = [None, Some("solid"), Some("striped"), Some("tartan")];

/// A project on disk, its rows as they were read, and as they are.
struct TestProject {
    folder: tempfile::TempDir,
    jobs: Jobs,
    edits: LabelEdits,
    read: Dataset,
    rows: Arc<Dataset>,
}

impl TestProject {
    /// Twelve images, one of them in two rows.
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rows: String = (0..12).map(|row| format!("{row}.jpg,{},\n", ["solid", ""][row % 2])).collect();
        std::fs::write(
            folder.path().join("x.csv"),
            format!("path,print,back\n3.jpg,,\n{rows}3.jpg,striped,\n"),
        )
        .unwrap();
        let config = "{paths: {model_dataframe: x.csv}, model: {target_encoder: {print: [solid, striped], back: [solid, striped]}}}";
        let config = Config::parse(config, &folder.path().join("config.yml")).unwrap();
        let read = Dataset::open(&config).unwrap();
        let opened = edits::open(&config, &read).unwrap();
        let edits = LabelEdits::new(read.table.path.clone(), opened, || {});
        let rows = Arc::new(read.clone());
        Self { folder, jobs: Jobs::new(&egui::Context::default()), edits, read, rows }
    }

    fn label(&mut self, row: usize, task: usize, label: Option<&str>) -> Vec<usize> {
        let change = self.edits.state().label_change(&self.rows, row, task, label);
        self.edits.edit(Step::now(AnnotationSource::Hand, vec![change]), &mut self.rows)
    }

    /// Saves, and lets one side win in every conflict.
    fn save(&mut self, on_conflict: OnConflict) {
        self.edits.save(&self.jobs, &self.rows);
        self.wait();
        self.edits.settle(&self.jobs, &self.rows, on_conflict);
        self.wait();
    }

    fn wait(&mut self) {
        let began = Instant::now();
        while self.edits.is_saving() {
            for news in self.edits.poll(&mut self.rows) {
                assert!(!matches!(news, EditNews::Failed(_)));
            }
            assert!(began.elapsed() < Duration::from_secs(10), "the save never ends");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// What is shown is what the edits make of the rows as they were read.
    fn check(&self, what: &str) {
        let state = self.edits.state();
        for (row, task) in self.read.counting_rows().into_iter().flat_map(|row| [(row, 0), (row, 1)]) {
            let expected = (state.label_text(&self.read, row, task), state.class(&self.read, row, task));
            assert_eq!(
                (self.rows.label_text(row, task), self.rows.class(row, task)),
                expected,
                "{what}: {row} {task}"
            );
        }
        let (settled, expected) = (self.rows.settled(), self.read.with_edits(&state.overlay()));
        assert_eq!(settled.rows, expected.rows, "{what}");
        // As an export does it.
        assert_eq!(self.rows.with_edits(&state.overlay()).rows, expected.rows, "{what}");
        assert_eq!((&settled.split, &settled.problems), (&expected.split, &expected.problems), "{what}");
        assert_eq!(
            [0, 1].map(|task| settled.answered(task)),
            [0, 1].map(|task| expected.answered(task)),
            "{what}"
        );
    }
}

#[test]
fn the_rows_have_what_the_edits_come_to_whatever_is_done_in_which_order() {
    let mut shop = TestProject::open();
    let mut random = Pcg64Mcg::seed_from_u64(13);
    for step in 0..400 {
        let what = match random.random_range(0..20) {
            0 => {
                shop.save(OnConflict::Ask);
                "save"
            }
            1..=4 => {
                shop.edits.undo(&mut shop.rows);
                "undo"
            }
            5..=7 => {
                shop.edits.redo(&mut shop.rows);
                "redo"
            }
            _ => {
                let label = LABELS[random.random_range(0..LABELS.len())];
                shop.label(random.random_range(0..14), random.random_range(0..2), label);
                "label"
            }
        };
        shop.check(&format!("{step}, {what}"));
    }
    assert_eq!(shop.edits.finish(), None);
}

#[test]
fn a_label_that_the_file_wins_is_in_the_rows_and_can_be_undone() {
    let mut shop = TestProject::open();
    assert_eq!(shop.label(3, 0, Some("tartan")), [3]);
    let csv = std::fs::read_to_string(shop.folder.path().join("x.csv")).unwrap();
    std::fs::write(shop.folder.path().join("x.csv"), csv.replace("2.jpg,solid,", "2.jpg,striped,")).unwrap();
    shop.save(OnConflict::GiveUp);
    assert_eq!(shop.rows.label_text(3, 0).as_deref(), Some("striped"));
    shop.check("the file won");
    assert_eq!(shop.edits.undo(&mut shop.rows), Some(vec![3]));
    assert_eq!(shop.rows.label_text(3, 0).as_deref(), Some("tartan"));
    shop.check("undone");
}

#[test]
fn a_flag_leaves_the_rows_alone_and_a_label_leaves_those_of_a_job_alone() {
    let mut shop = TestProject::open();
    let held = Arc::clone(&shop.rows);
    let flag = shop.edits.state().flag_change(&shop.rows, 1, Some("blurred"));
    assert!(shop.edits.edit(Step::now(AnnotationSource::Hand, vec![flag]), &mut shop.rows).is_empty());
    assert!(Arc::ptr_eq(&held, &shop.rows));
    shop.label(1, 0, None);
    assert_eq!((held.class(1, 0), shop.rows.class(1, 0)), (Some(0), None));
}
