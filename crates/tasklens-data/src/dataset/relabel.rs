//! New labels for rows in memory: at once, or with all that follows from them.

use std::borrow::Cow;
use std::sync::Arc;

use super::classes::Encoder;
use super::{Dataset, Row, RowLabel};
use crate::config::Task;

/// An image (the text of its path cell), a task by its name, and the label that it has now.
pub type NewLabel<'a> = (&'a str, &'a str, Option<&'a str>);

impl Dataset {
    /// Gives images labels: cells, [`Row::labels`] and [`Dataset::answered`] have them at once, at a cost that hardly
    /// depends on the number of rows. What follows from the labels of all rows (usable rows, the split and the problems)
    /// stays as it was until [`Dataset::settled`]. Returns the rows that changed; what is of no row or task is left out.
    pub fn set_labels<'a>(&mut self, labels: impl IntoIterator<Item = NewLabel<'a>>) -> Vec<usize> {
        self.index_images();
        let tasks = self.tasks.clone();
        let not_applicable = Arc::clone(&self.not_applicable);
        let mut known = Known::of(&tasks, &not_applicable);
        let mut changed = Vec::new();
        for (image, task, text) in labels {
            // Rows often come in order.
            let next = changed.last().map_or(0, |row| row + 1);
            let row =
                if self.is_counting_row_of(next, image) { Some(next) } else { self.row_of_image(image) };
            let text = text.unwrap_or_default();
            let (Some(row), Some((task, label))) = (row, known.label(task, text)) else { continue };
            if self.set_label(row, task, text, label) {
                changed.push(row);
            }
        }
        changed
    }

    /// The same rows with the labels that they have in `other`, a dataset of the same [`Reading`](super::Reading).
    pub fn take_labels(&mut self, other: &Self, rows: &[usize]) {
        let count = self.rows.len().min(other.rows.len());
        for row in rows.iter().copied().filter(|row| *row < count) {
            for task in 0..self.tasks.len() {
                let text = other.table.cell(row, other.columns.tasks[task]);
                self.set_label(row, task, &text, other.rows[row].labels[task]);
            }
        }
    }

    /// Whether that could be done.
    fn set_label(&mut self, row: usize, task: usize, text: &str, label: RowLabel) -> bool {
        if self.table.set_cell(row, self.columns.tasks[task], text).is_err() {
            return false;
        }
        let before = self.rows[row].labels[task];
        if before != label {
            self.rows[row].labels[task] = label;
            let answered = &mut self.answered[task];
            *answered = *answered + usize::from(!label.is_missing()) - usize::from(!before.is_missing());
        }
        true
    }

    /// The same rows and labels, with usable rows, split and problems that follow from the labels as they are. Looks
    /// at all rows: not for the UI thread. Reads no image: earlier findings about them stay.
    #[must_use]
    pub fn settled(&self) -> Self {
        let mut dataset = self.clone();
        dataset.settle_rows();
        dataset
    }

    /// The label of the image of a row, as text; also one that the config does not list.
    pub fn label_text(&self, row: usize, task: usize) -> Option<Cow<'_, str>> {
        self.given_label(self.counting_row(row), task)
    }

    /// The class index of the label of the image of a row; `None` without a label, or for text that the config does not
    /// list.
    pub fn class(&self, row: usize, task: usize) -> Option<u32> {
        self.label(row, task).class()
    }

    /// The label of the image of a row.
    pub fn label(&self, row: usize, task: usize) -> RowLabel {
        self.rows[self.counting_row(row)].labels[task]
    }

    /// Number of rows per task that have a label or to which the task does not apply, at any time.
    pub fn answered(&self, task: usize) -> usize {
        self.answered.get(task).copied().unwrap_or(0)
    }
}

/// A task, and what a text says about it.
type Found = (usize, RowLabel);

/// The numbers of tasks and labels, by name.
struct Known<'a> {
    tasks: &'a [Task],
    encoders: Vec<Encoder<'a>>,
    /// The label that was asked for last: mostly it is the next, too.
    last: Option<(&'a str, String, Found)>,
}

impl<'a> Known<'a> {
    fn of(tasks: &'a [Task], not_applicable: &'a str) -> Self {
        let encoders = tasks.iter().map(|task| Encoder::new(task, not_applicable)).collect();
        Self { tasks, encoders, last: None }
    }

    fn label(&mut self, task: &str, text: &str) -> Option<Found> {
        if let Some((_, _, found)) =
            self.last.as_ref().filter(|(of, last, _)| *of == task && last.as_str() == text)
        {
            return Some(*found);
        }
        let (at, of) = self.tasks.iter().enumerate().find(|(_, known)| known.name == task)?;
        let label = self.encoders[at].label(text.trim());
        self.last = Some((&of.name, text.to_owned(), (at, label)));
        Some((at, label))
    }
}

/// Number of rows per task that are answered.
pub(super) fn count_answered<'a>(rows: impl IntoIterator<Item = &'a Row>, tasks: usize) -> Vec<usize> {
    let mut counts = vec![0; tasks];
    for row in rows {
        counts
            .iter_mut()
            .zip(&row.labels)
            .for_each(|(count, label)| *count += usize::from(!label.is_missing()));
    }
    counts
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::dataset::table::Table;

    fn open(csv: &str) -> Dataset {
        let config = "{paths: {model_dataframe: x.csv}, model: {target_encoder: {print: [plain, dotted], back: [plain, printed]}}}";
        let config = Config::parse(config, Path::new("/config.yml")).unwrap();
        Dataset::from_table(Table::from_bytes(csv.into(), Path::new("/x.csv")).unwrap(), &config).unwrap()
    }

    /// What a view may ask of two datasets is the same.
    fn same(a: &Dataset, b: &Dataset) {
        assert_eq!(a.rows, b.rows);
        assert_eq!((&a.split, &a.problems, &a.answered), (&b.split, &b.problems, &b.answered));
        for (row, column) in (0..a.rows.len()).flat_map(|row| (0..3).map(move |column| (row, column))) {
            assert_eq!(a.table.cell(row, column), b.table.cell(row, column), "{row} {column}");
        }
    }

    /// More rows than a page has, some of them without labels, or with a text that is none.
    fn many() -> String {
        let label = |row: usize| ["plain", "dotted", "", "plaid"][row % 7 % 4];
        let rows = (0..1200).map(|row| format!("{row}.jpg,{},{}\n", label(row), ["", "plain"][row % 2]));
        format!("path,print,back\n{}", rows.collect::<String>())
    }

    #[test]
    fn labels_hold_at_once_and_settled_rows_are_those_that_open_with_them() {
        let read = open(&many());
        let mut now = read.clone();
        let given = [
            ("2.jpg", "print", Some("plain")),
            ("3.jpg", "print", Some("dotted")),
            ("0.jpg", "print", None),
            ("1199.jpg", "back", None),
            ("600.jpg", "print", Some("tartan")),
            ("gone.jpg", "print", Some("plain")),
            ("4.jpg", "gone", Some("plain")),
        ];
        assert_eq!(now.set_labels(given), [2, 3, 0, 1199, 600]);
        assert_eq!([2, 3, 0, 600].map(|row| now.class(row, 0)), [Some(0), Some(1), None, None]);
        assert_eq!(
            [2, 0, 600].map(|row| now.label_text(row, 0)),
            [Some("plain".into()), None, Some("tartan".into())]
        );
        assert_eq!((&now.split, &now.problems), (&read.split, &read.problems), "these follow later");
        let mut file = read.table.clone();
        for (row, column, text) in
            [(2, 1, "plain"), (3, 1, "dotted"), (0, 1, ""), (1199, 2, ""), (600, 1, "tartan")]
        {
            file.set_cell(row, column, text).unwrap();
        }
        same(&now.settled(), &open(&String::from_utf8(file.to_bytes().unwrap()).unwrap()));
        // What was there before is as it was, and is there again after all is taken back.
        same(&read, &open(&many()));
        let back = given.map(|(image, task, _)| {
            let row = read.row_of_image(image).unwrap_or_default();
            let task_index = usize::from(task == "back");
            (image, task, read.label_text(row, task_index).map(Cow::into_owned))
        });
        now.set_labels(back.iter().map(|(image, task, label)| (*image, *task, label.as_deref())));
        same(&now.settled(), &read);
    }

    #[test]
    fn only_answers_are_counted() {
        let mut dataset =
            open("path,print,back\na.jpg,,\nb.jpg,plaid,\nc.jpg,plain,plain\nd.jpg,dotted,plain\n");
        let answered = |dataset: &Dataset| [0, 1, 2].map(|task| dataset.answered(task));
        assert_eq!(answered(&dataset), [2, 2, 0]);
        let given = [
            ("a.jpg", "print", Some("plain")),
            ("b.jpg", "print", Some("dotted")),
            ("c.jpg", "print", Some("dotted")),
            ("c.jpg", "back", None),
            ("d.jpg", "back", Some("plaid")),
            ("d.jpg", "sleeves", Some("plain")),
        ];
        dataset.set_labels(given);
        assert_eq!(answered(&dataset), [4, 0, 0]);
        dataset.set_labels([("a.jpg", "print", None)]);
        assert_eq!(answered(&dataset), [3, 0, 0]);
    }

    #[test]
    fn a_task_that_does_not_apply_is_answered_and_has_no_class() {
        let mut dataset = open("path,print,back\na.jpg, n/a ,plain\nb.jpg,N/A,plain\nc.jpg,plain,\n");
        let labels = |dataset: &Dataset| [0, 1, 2].map(|row| dataset.label(row, 0));
        use RowLabel::{Class, DoesNotApply, Missing};
        assert_eq!(labels(&dataset), [DoesNotApply, Missing, Class(0)], "the word is taken as it is written");
        let counts = |dataset: &Dataset| {
            (dataset.answered(0), dataset.missing_counts()[0], dataset.not_applicable_counts()[0])
        };
        assert_eq!(counts(&dataset), (2, 1, 1));
        assert!(dataset.has_text(0, 0), "it is not to be replaced by a suggestion");
        let told = |dataset: &Dataset, text: &str| {
            dataset.problems.iter().filter(|problem| problem.message.contains(text)).count()
        };
        assert_eq!((told(&dataset, "`n/a` is no label"), told(&dataset, "`N/A` is no label")), (0, 1));
        assert_eq!(told(&dataset, "`n/a` in 1 cell says that the task does not apply"), 1);

        let given =
            [("b.jpg", "print", Some("n/a")), ("c.jpg", "print", Some("n/a")), ("a.jpg", "print", None)];
        dataset.set_labels(given);
        assert_eq!(labels(&dataset), [Missing, DoesNotApply, DoesNotApply]);
        assert_eq!(counts(&dataset), (2, 1, 2));
        let settled = dataset.settled();
        assert_eq!(settled.rows.iter().map(|row| row.usable).collect::<Vec<_>>(), [true, true, false]);
        same(&settled, &open("path,print,back\na.jpg,,plain\nb.jpg,n/a,plain\nc.jpg,n/a,\n"));
    }

    #[test]
    fn a_label_of_that_name_stays_a_label() {
        let config = "{paths: {model_dataframe: x.csv}, model: {target_encoder: {print: [plain, n/a]}}}";
        let config = Config::parse(config, Path::new("/config.yml")).unwrap();
        let table = Table::from_bytes("path,print\na.jpg,n/a\n".into(), Path::new("/x.csv")).unwrap();
        let dataset = Dataset::from_table(table, &config).unwrap();
        assert_eq!((dataset.label(0, 0), dataset.not_applicable(0)), (RowLabel::Class(1), None));
    }

    #[test]
    fn labels_that_were_given_meanwhile_are_taken_over() {
        let mut now = open(&many());
        now.set_labels([("5.jpg", "print", Some("dotted"))]);
        let mut settled = now.settled();
        let newer = now.set_labels([("5.jpg", "print", None), ("700.jpg", "back", Some("tartan"))]);
        settled.take_labels(&now, &newer);
        for row in [5, 700] {
            assert_eq!(settled.rows[row].labels, now.rows[row].labels);
        }
        assert_eq!((settled.label_text(5, 0), settled.label_text(700, 1)), (None, Some("tartan".into())));
        same(&settled.settled(), &now.settled());
    }
}
