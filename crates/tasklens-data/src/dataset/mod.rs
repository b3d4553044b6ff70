//! The data set: a CSV of image paths and labels, opened with a config.
//!
//! [`Dataset::open`] reads the rows and encodes the labels; whatever is wrong is collected as [`problems`], never
//! dropped silently. No pixels are read here, except for the header check in [`problems`].

mod classes;
pub mod create;
pub mod edits;
pub mod export;
pub mod filter;
mod image_index;
mod image_paths;
mod image_row;
pub mod import;
pub mod label_stats;
pub mod pages;
pub mod problems;
pub mod propose;
mod relabel;
mod row_label;
pub mod sample;
pub mod sort;
pub mod split;
mod starter;
pub mod table;
mod table_images;
pub mod vocabulary;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{anyhow, bail};

use crate::config::{Config, Task, nearest};
use crate::files;
use crate::text::plural;
pub use image_index::Reading;
use image_paths::{ImageFinder, Located};
pub use image_paths::{images_named, images_of_project};
pub use image_row::ImageRow;
use pages::Pages;
use problems::{Checked, Problem, ProblemKind, Severity};
pub use row_label::{RowLabel, RowLabels};
use split::{Part, Rule, Split, lot};
use table::Table;
pub use table_images::TableImages;

/// All rows; cheap to clone.
pub type Rows = Pages<Row>;

/// A CSV read with a config: usable rows, and what is wrong with the others. Cheap to clone: what is large is shared
/// until it is changed.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The CSV as it is on disk.
    pub table: Table,
    /// The tasks, in the config's order.
    pub tasks: Vec<Task>,
    /// Which columns of the table are used.
    pub columns: Columns,
    /// One per data row of the table, in its order, including unusable ones.
    pub rows: Rows,
    /// How the usable rows are split.
    pub rule: Arc<Rule>,
    /// Which rows train and which validate (indices into `rows`; only usable rows).
    pub split: Arc<Split>,
    /// Problems found so far, first those of the whole table, then by row; [`problems::check_images`] and
    /// [`Dataset::apply`] add those that need disk access.
    pub problems: Arc<Vec<Problem>>,
    /// The text of a cell where the task does not apply.
    not_applicable: Arc<str>,
    /// Rows per task that are answered.
    answered: Vec<usize>,
    reading: Reading,
    /// Base folders for image paths, best first.
    image_folders: Vec<PathBuf>,
    /// Notes about images that were found by a guess.
    image_notes: Arc<Vec<String>>,
    /// Rows whose image is the file of an earlier row under another name, with that row.
    same_files: Arc<Vec<(usize, usize)>>,
}

/// Indices of the columns that are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Column of the image path.
    pub path: usize,
    /// One per task, in the order of `Dataset::tasks`.
    pub tasks: Vec<usize>,
    /// The split column, if the config names one.
    pub split: Option<usize>,
}

/// One image with its labels. Cheap to clone: versions of the rows share the path, and the labels of up to four tasks need
/// no allocation.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Absolute path of the image; empty for an empty cell.
    pub image: Arc<Path>,
    /// The answer per task (order of `Dataset::tasks`).
    pub labels: RowLabels,
    /// Whether the row can be used for training or validation: it has a path that no earlier row has, at least one
    /// label, a part in the split, and an image without known faults.
    pub usable: bool,
}

impl Row {
    /// Whether its own cells make it usable.
    fn can_be_used(&self) -> bool {
        !self.image.as_os_str().is_empty() && self.is_labelled()
    }

    /// Whether it has a label for any task.
    pub fn is_labelled(&self) -> bool {
        self.labels.iter().any(|label| label.class().is_some())
    }
}

/// Number of rows with a label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LabelCount {
    /// Training rows.
    pub train: usize,
    /// Validation rows.
    pub validation: usize,
    /// Other rows.
    pub unused: usize,
}

impl LabelCount {
    /// Training and validation rows.
    pub fn used(&self) -> usize {
        self.train + self.validation
    }
}

impl Dataset {
    /// Reads the CSV that `config` names, encodes the labels and splits the rows. Reads no image.
    ///
    /// # Errors
    /// The CSV cannot be read or lacks a column that the config names. Everything that leaves usable rows is reported
    /// in `problems` instead.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        let table = Table::open(&files::without_detours(&config.paths.model_dataframe));
        Self::from_table(table.map_err(|error| with_looked_in(error, config))?, config)
    }

    /// [`Dataset::open`] for a table in memory.
    ///
    /// # Errors
    /// The table lacks a column that the config names.
    pub fn from_table(table: Table, config: &Config) -> anyhow::Result<Self> {
        let columns = Columns::find(&table, config)?;
        let tasks = config.model.tasks.clone();
        let not_applicable: Arc<str> = config.model.not_applicable.as_str().into();
        let cells = path_cells(&table, columns.path);
        let rule = match columns.split {
            Some(column) => Rule::Given(
                (0..table.row_count()).map(|row| Part::from_cell(&table.cell(row, column))).collect(),
            ),
            None => Rule::Drawn {
                validation_share: config.model.validation_split,
                lots: cells.iter().map(|cell| lot(config.model.random_seed, cell)).collect(),
            },
        };
        let image_folders = roots(&table, config);
        let Located { paths, guesses } = ImageFinder::of_folders(image_folders.clone()).locate(&cells);
        let image_notes = guesses.notes(&|row| table.line_of_row(row));
        drop(cells);
        let labels = classes::encode(&table, &columns, &tasks, &not_applicable);
        let row = |(image, labels): (PathBuf, _)| Row { image: image.into(), labels, usable: false };
        let rows: Rows = paths.into_iter().zip(labels).map(row).collect();
        let mut dataset = Self {
            answered: relabel::count_answered(&rows, tasks.len()),
            not_applicable,
            table,
            tasks,
            columns,
            rows,
            rule: Arc::new(rule),
            split: Arc::default(),
            problems: Arc::default(),
            reading: Reading::default(),
            image_folders,
            image_notes: Arc::new(image_notes),
            same_files: Arc::default(),
        };
        dataset.settle_rows();
        Ok(dataset)
    }

    /// Applies the results of [`problems::check_images`]: rows with a warning and duplicates of earlier rows are no
    /// longer used, and the others are split again.
    pub fn apply(&mut self, found: Checked) {
        Arc::make_mut(&mut self.problems).extend(found.problems);
        Arc::make_mut(&mut self.same_files).extend(found.same_files);
        self.settle_rows();
    }

    /// A copy with [`Dataset::apply`] done.
    #[must_use]
    pub fn with_images_checked(&self, found: Checked) -> Self {
        let mut dataset = self.clone();
        dataset.apply(found);
        dataset
    }

    /// The message for a row whose image cannot be read, with its line and, if it is missing, the reason.
    pub fn image_problem(&self, row: usize, message: String) -> Problem {
        self.image_problem_by(&self.image_finder(), row, message)
    }

    fn image_problem_by(&self, finder: &ImageFinder, row: usize, message: String) -> Problem {
        let is_missing = table_images::is_missing(&self.rows[row].image);
        let message = if is_missing { finder.why_missing(&self.image_key(row)) } else { message };
        Problem::in_row(ProblemKind::Image, &self.table, row, self.columns.path, message)
    }

    fn image_finder(&self) -> ImageFinder {
        ImageFinder::of_folders(self.image_folders.clone())
    }

    /// Rows per task and label.
    pub fn label_counts(&self) -> Vec<Vec<LabelCount>> {
        let mut counts: Vec<Vec<LabelCount>> =
            self.tasks.iter().map(|task| vec![LabelCount::default(); task.labels.len()]).collect();
        for (row, part) in self.rows.iter().zip(self.parts()) {
            for (task, label) in row.labels.iter().enumerate() {
                let Some(label) = label.class() else { continue };
                let count = &mut counts[task][label as usize];
                match part {
                    Some(Part::Train) => count.train += 1,
                    Some(Part::Validation) => count.validation += 1,
                    _ => count.unused += 1,
                }
            }
        }
        counts
    }

    /// Number of rows per task that have an image path but no (valid) label, and to which the task may apply.
    pub fn missing_counts(&self) -> Vec<usize> {
        self.counts_of(RowLabel::Missing)
    }

    /// Number of rows per task that have an image path and to which the task does not apply.
    pub fn not_applicable_counts(&self) -> Vec<usize> {
        self.counts_of(RowLabel::DoesNotApply)
    }

    fn counts_of(&self, label: RowLabel) -> Vec<usize> {
        let count = |task: usize| {
            let has = |row: &&Row| !row.image.as_os_str().is_empty() && row.labels[task] == label;
            self.rows.iter().filter(has).count()
        };
        (0..self.tasks.len()).map(count).collect()
    }

    /// What a text says about a task.
    fn label_of_text(&self, task: usize, text: &str) -> RowLabel {
        classes::Encoder::new(&self.tasks[task], &self.not_applicable).label(text.trim())
    }

    /// The text of a cell where a task does not apply; `None` for a task that has a label of this name.
    pub fn not_applicable(&self, task: usize) -> Option<&str> {
        let word = &*self.not_applicable;
        (task < self.tasks.len() && self.label_of_text(task, word) == RowLabel::DoesNotApply).then_some(word)
    }

    /// The part of each row; `None` if it is not used. `Test` comes from a split column only.
    pub fn parts(&self) -> Vec<Option<Part>> {
        let mut parts = vec![None; self.rows.len()];
        if let Rule::Given(given) = &*self.rule {
            for (part, given) in parts.iter_mut().zip(given) {
                *part = given.filter(|given| *given == Part::Test);
            }
        }
        self.split.train.iter().for_each(|row| parts[*row] = Some(Part::Train));
        self.split.validation.iter().for_each(|row| parts[*row] = Some(Part::Validation));
        parts
    }

    /// Training and validation rows.
    pub fn usable_count(&self) -> usize {
        self.split.train.len() + self.split.validation.len()
    }

    /// Whether training can begin.
    pub fn can_train(&self) -> bool {
        self.problems.iter().all(|problem| problem.severity < Severity::Error)
    }

    /// Whether every cell of the row is empty, as in trailing rows of spreadsheets.
    fn is_blank(&self, row: usize) -> bool {
        self.rows[row].image.as_os_str().is_empty()
            && (0..self.table.headers.len()).all(|column| self.table.cell(row, column).trim().is_empty())
    }

    /// A column that looks like a split but that the config does not name.
    fn unused_split_column(&self) -> Option<&str> {
        let column = self.table.headers.iter().position(|header| header.eq_ignore_ascii_case("split"))?;
        let rows = 0..self.table.row_count();
        let known = rows.clone().filter(|row| Part::from_cell(&self.table.cell(*row, column)).is_some());
        (!rows.is_empty() && known.count() * 10 >= rows.len() * 9)
            .then(|| self.table.headers[column].as_str())
    }

    /// Determines the usable rows again after labels changed, and all that follows from them; faults of images stay.
    fn settle_rows(&mut self) {
        let is_found_anew = |kind| {
            use ProblemKind::{Duplicate, EmptyPath, Form, Split, UnknownLabel};
            matches!(kind, UnknownLabel | Form | EmptyPath | Duplicate | Split)
        };
        let mut problems = std::mem::take(Arc::make_mut(&mut self.problems));
        problems.retain(|problem| problem.row.is_some() && !is_found_anew(problem.kind));
        classes::find_unknown(&self.table, &self.columns, &self.tasks, &self.rows, &mut problems);
        let mut usable: Vec<bool> = self.rows.iter().map(Row::can_be_used).collect();
        self.check_rows(&mut usable, &mut problems);
        for problem in problems.iter().filter(|problem| problem.kind == ProblemKind::Image) {
            if let Some(usable) = problem.row.and_then(|row| usable.get_mut(row))
                && problem.severity >= Severity::Warning
            {
                *usable = false;
            }
        }
        self.set_usable(&usable);
        problems.sort_by_key(|problem| (problem.row, problem.kind));
        self.problems = Arc::new(problems);
        let labels_per_task: Vec<usize> = self.tasks.iter().map(|task| task.labels.len()).collect();
        self.split = Arc::new(self.rule.apply(&self.rows, &labels_per_task));
        let of_table = problems::of_table(self);
        Arc::make_mut(&mut self.problems).splice(0..0, of_table);
    }

    /// Changes only what is different: rows that stay are shared with other versions.
    fn set_usable(&mut self, usable: &[bool]) {
        let is_other = |(row, usable): &(usize, &bool)| self.rows[*row].usable != **usable;
        let others: Vec<usize> = usable.iter().enumerate().filter(is_other).map(|(row, _)| row).collect();
        others.into_iter().for_each(|row| self.rows[row].usable = usable[row]);
    }
}

impl Columns {
    fn find(table: &Table, config: &Config) -> anyhow::Result<Self> {
        let model = &config.model;
        let mut missing = Vec::new();
        let mut find = |name: &str, what: String| {
            table.column(name).unwrap_or_else(|| {
                let near = nearest(name, table.headers.iter().map(String::as_str));
                let near = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
                missing.push(format!("`{name}` ({what}{near})"));
                0
            })
        };
        let path = find(&model.path_column, "the image path, key model.paths".to_owned());
        let tasks = model
            .tasks
            .iter()
            .map(|task| find(&task.name, "a task of model.target_encoder".to_owned()))
            .collect();
        let split = model.split_column.as_ref().map(|name| find(name, "key model.split_column".to_owned()));
        if missing.is_empty() {
            return Ok(Self { path, tasks, split });
        }
        let there: Vec<String> = table.headers.iter().map(|header| format!("`{header}`")).collect();
        let plural = plural(missing.len(), "", "s");
        // Only a first line `sep=;` can contradict the rows.
        let others = [',', ';', '\t'];
        let is_false = |header: &str| header.contains(|c| c != table.delimiter && others.contains(&c));
        let hint = match &*table.headers {
            [only] if is_false(only) => format!(
                ". Its first line gives `{}` as the delimiter, but the rows use another: correct that line",
                table.delimiter
            ),
            _ => String::new(),
        };
        bail!(
            "{} has no column{plural} {}; its columns are {}{hint}",
            table.path.display(),
            missing.join(" and "),
            there.join(", ")
        );
    }

    /// Every column in use.
    pub fn all(&self) -> impl Iterator<Item = usize> + '_ {
        std::iter::once(self.path).chain(self.tasks.iter().copied()).chain(self.split)
    }
}

/// Why a CSV cannot be read, and where else it was looked for.
fn with_looked_in(error: anyhow::Error, config: &Config) -> anyhow::Error {
    let looked_in: Vec<_> = config.root.looked_in.iter().map(|folder| folder.display().to_string()).collect();
    if looked_in.is_empty() {
        return error;
    }
    anyhow!(
        "{error:#}; nor does that path lead to it from {}: put the CSV there, or correct `paths.model_dataframe`",
        looked_in.join(" or ")
    )
}

fn path_cells(table: &Table, column: usize) -> Vec<Cow<'_, str>> {
    (0..table.row_count()).map(|row| edits::trimmed(table.cell(row, column))).collect()
}

/// Base folders for image paths, best first: the CSV's, then the config's `images`.
fn roots(table: &Table, config: &Config) -> Vec<PathBuf> {
    let csv = std::path::absolute(&table.path).unwrap_or_else(|_| table.path.clone());
    let csv = csv.parent().map(Path::to_path_buf).unwrap_or_default();
    let images = files::without_detours(&config.paths.images);
    if csv == images { vec![csv] } else { vec![csv, images] }
}

#[cfg(test)]
mod tests;
