//! `predictions.csv`: the network's predictions for the validation rows.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tasklens_data::config::Task;
use tasklens_data::dataset::Rows;
use tasklens_data::files;

use crate::inference::table::{self, TableLayout};

/// The column of the image, before those of the layout.
const IMAGE: &str = "image_path";
const LAYOUT: TableLayout = TableLayout::Labelled;

/// Probabilities of rows, in order of prediction.
#[derive(Debug, Default)]
pub struct Predictions {
    /// Rows of the dataset, in the order of the predictions.
    pub rows: Vec<usize>,
    /// `[task]`, each `[rows, labels]`, row by row.
    pub probabilities: Vec<Vec<f32>>,
}

impl Predictions {
    /// An empty list for so many tasks.
    pub fn new(tasks: usize) -> Self {
        Self { rows: Vec::new(), probabilities: vec![Vec::new(); tasks] }
    }

    /// Writes the image, then per task the label it has (empty if none), the most probable one and the
    /// probability of every label.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, file: &Path, all_rows: &Rows, tasks: &[Task]) -> anyhow::Result<()> {
        let names = [vec![IMAGE.to_owned()], LAYOUT.names(tasks)].concat();
        let rows = self.rows.iter().enumerate().map(|(place, &row)| {
            let row = &all_rows[row];
            let probabilities = |task: usize| {
                let labels = tasks[task].labels.len();
                &self.probabilities[task][place * labels..(place + 1) * labels]
            };
            let image = row.image.to_string_lossy().into_owned();
            let labels: Vec<Option<u32>> = row.labels.iter().map(|label| label.class()).collect();
            [vec![image], LAYOUT.cells(tasks, probabilities, &labels)].concat()
        });
        let bytes = table::csv(std::iter::once(names).chain(rows))?;
        files::replace(file, &bytes).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// One row of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Path of the image at that time.
    pub image: PathBuf,
    /// Per task the given and the most probable label.
    pub tasks: Vec<(Option<String>, String)>,
}

/// Reads a file of [`Predictions::write`] for these tasks; empty if there is none.
///
/// # Errors
/// The file is damaged, or has other tasks or labels.
pub fn read(file: &Path, tasks: &[Task]) -> anyhow::Result<Vec<Recorded>> {
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let damaged = || format!("{} is damaged", file.display());
    let mut reader = csv::Reader::from_path(file).with_context(damaged)?;
    let names = LAYOUT.names(tasks);
    let names = std::iter::once(IMAGE).chain(names.iter().map(String::as_str));
    ensure!(
        reader.headers().with_context(damaged)?.iter().eq(names),
        "{} has other tasks or labels",
        file.display()
    );
    let mut recorded = Vec::new();
    for record in reader.records() {
        let record = record.with_context(damaged)?;
        // The reader checks that there are as many cells as in the header.
        let mut cells = record.iter();
        let image = cells.next().unwrap_or_default().into();
        let mut of_task = |task: &Task| {
            let label = cells.next().filter(|label| !label.is_empty()).map(str::to_owned);
            let predicted = cells.next().unwrap_or_default().to_owned();
            cells.by_ref().take(task.labels.len()).for_each(drop);
            (label, predicted)
        };
        recorded.push(Recorded { image, tasks: tasks.iter().map(&mut of_task).collect() });
    }
    Ok(recorded)
}

#[cfg(test)]
mod tests {
    use tasklens_data::dataset::{Row, RowLabel};

    use super::*;

    #[test]
    fn each_row_shows_truth_guess_and_every_probability() {
        let dir = tempfile::tempdir().unwrap();
        let task = |name: &str| Task { name: name.into(), labels: vec!["a".into(), "b".into()] };
        let rows = vec![
            Row {
                image: Path::new("x.jpg").into(),
                labels: vec![RowLabel::Class(0), RowLabel::Missing].into(),
                usable: true,
            },
            Row {
                image: Path::new("y.jpg").into(),
                labels: vec![RowLabel::DoesNotApply, RowLabel::Class(1)].into(),
                usable: true,
            },
        ];
        let predictions =
            Predictions { rows: vec![1, 0], probabilities: vec![vec![0.25, 0.75, 1.0, 0.0], vec![0.5; 4]] };
        let file = dir.path().join("predictions.csv");
        predictions.write(&file, &rows.into(), &[task("print"), task("item")]).unwrap();
        assert_eq!(
            std::fs::read_to_string(file).unwrap(),
            "image_path,print,print_predicted,print:a,print:b,item,item_predicted,item:a,item:b\n\
             y.jpg,,b,0.250000,0.750000,b,a,0.500000,0.500000\n\
             x.jpg,a,a,1.000000,0.000000,,a,0.500000,0.500000\n"
        );
    }

    #[test]
    fn what_was_written_is_read_again_and_other_tasks_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let task = |name: &str| Task { name: name.into(), labels: vec!["a".into(), "b".into()] };
        let rows = vec![Row {
            image: Path::new("x.jpg").into(),
            labels: vec![RowLabel::Class(0), RowLabel::Missing].into(),
            usable: true,
        }];
        let predictions =
            Predictions { rows: vec![0], probabilities: vec![vec![0.25, 0.75], vec![1.0, 0.0]] };
        let (file, tasks) = (dir.path().join("predictions.csv"), [task("print"), task("item")]);
        assert_eq!(read(&file, &tasks).unwrap(), []);
        predictions.write(&file, &rows.into(), &tasks).unwrap();
        let of = [(Some("a".to_owned()), "b".to_owned()), (None, "a".to_owned())];
        assert_eq!(read(&file, &tasks).unwrap(), [Recorded { image: "x.jpg".into(), tasks: of.to_vec() }]);
        let error = read(&file, &tasks[..1]).unwrap_err().to_string();
        assert!(error.contains("predictions.csv has other tasks or labels"), "{error}");
    }
}
