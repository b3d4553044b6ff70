//! Problems of the table as a whole, and a shortened list for readers.

use std::collections::BTreeMap;
use std::fmt;

use super::{Problem, ProblemKind, Severity};
use crate::dataset::Dataset;
use crate::dataset::split::{Part, Rule};
use crate::dataset::table::{DefectKind, Encoding};
use crate::text::{counted, is, plural};

/// Numbers of problems, by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Errors: training cannot start while there is one.
    pub errors: usize,
    /// Warnings: rows or labels are left out.
    pub warnings: usize,
    /// Notes: nothing is left out.
    pub notes: usize,
}

impl Counts {
    /// Counts problems by severity.
    pub fn of(problems: &[Problem]) -> Self {
        let mut counts = Self::default();
        for problem in problems {
            match problem.severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
                Severity::Note => counts.notes += 1,
            }
        }
        counts
    }
}

/// "1 error, 12 warnings" or "no problems".
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| counted(count, word))
            .collect();
        f.write_str(if parts.is_empty() { "no problems" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

/// The problems of one kind in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfKind {
    /// How many there are, listed or not.
    pub count: usize,
    /// Places of the first ones in the list, ascending.
    pub first: Vec<usize>,
}

/// Groups a list of problems by their kinds, which are given in order, with the places of at most `most` of each.
pub fn by_kind<K: Ord>(kinds: impl IntoIterator<Item = K>, most: usize) -> BTreeMap<K, OfKind> {
    let mut groups: BTreeMap<K, OfKind> = BTreeMap::new();
    for (place, kind) in kinds.into_iter().enumerate() {
        let group = groups.entry(kind).or_default();
        group.count += 1;
        if group.count <= most {
            group.first.push(place);
        }
    }
    groups
}

/// One line per problem, as `told` words it, in order, at most `most_of_kind` of each severity and kind, followed by the number of
/// further ones.
pub fn lines(problems: &[Problem], most_of_kind: usize, told: impl Fn(&Problem) -> String) -> Vec<String> {
    let groups = by_kind(problems.iter().map(|problem| (problem.severity, problem.kind)), most_of_kind);
    let mut shown: Vec<usize> = groups.values().flat_map(|group| &group.first).copied().collect();
    shown.sort_unstable();
    let mut lines = Vec::new();
    for place in shown {
        let problem = &problems[place];
        let word = match problem.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        lines.push(format!("{word}: {}", told(problem)));
        let group = &groups[&(problem.severity, problem.kind)];
        let more = group.count - group.first.len();
        if group.first.last() == Some(&place) && more > 0 {
            lines.push(format!("{word}: and {more} more of this kind ({})", problem.kind.name()));
        }
    }
    lines
}

/// All problems that are not about one row. Depends on which rows are usable and on the split.
pub(in crate::dataset) fn of_table(dataset: &Dataset) -> Vec<Problem> {
    let mut problems = Vec::new();
    form(dataset, &mut problems);
    tasks(dataset, &mut problems);
    split(dataset, &mut problems);
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    if problems.first().is_some_and(|problem| problem.severity == Severity::Error) {
        // Consequences of missing images come after these.
        problems.splice(0..0, images(dataset));
    }
    problems
}

/// All unusable images as one error, with the reason for the first.
fn images(dataset: &Dataset) -> Option<Problem> {
    let mut of_images = dataset.problems.iter().filter(|p| p.kind == ProblemKind::Image && p.row.is_some());
    let first = of_images.next()?;
    let count = 1 + of_images.count();
    let message = format!(
        "{count} of {} cannot be used, such as line {}: {}",
        counted(dataset.rows.len(), "image"),
        first.line.unwrap_or_default(),
        first.message
    );
    let column = first.column.as_deref();
    Some(Problem::overall(Severity::Error, ProblemKind::Image, column, message))
}

fn form(dataset: &Dataset, problems: &mut Vec<Problem>) {
    let mut note = |message: String| {
        problems.push(Problem::overall(Severity::Note, ProblemKind::Table, None, message));
    };
    let table = &dataset.table;
    if table.encoding == Encoding::Windows1252 {
        note(
            "the file is not UTF-8 and was read as Windows-1252; if letters look wrong, save it as UTF-8"
                .to_owned(),
        );
    }
    if table.defects().iter().any(|defect| defect.row.is_none() && defect.kind == DefectKind::OpenQuote) {
        note("a quote in the header never closes; it is read as a character".to_owned());
    }
    for column in dataset.columns.all() {
        let name = &table.headers[column];
        if table.headers.iter().filter(|header| *header == name).count() > 1 {
            note(format!("the column `{name}` is there more than once; the first is used"));
        }
    }
    let path = &table.headers[dataset.columns.path];
    problems.extend(
        dataset
            .image_notes
            .iter()
            .map(|message| Problem::overall(Severity::Note, ProblemKind::Image, Some(path), message.clone())),
    );
    let mut note = |message: String| {
        problems.push(Problem::overall(Severity::Note, ProblemKind::Table, None, message));
    };
    let blank = dataset.rows.iter().enumerate().filter(|(index, _)| dataset.is_blank(*index)).count();
    if blank > 0 {
        note(format!("{} without any text {} skipped", counted(blank, "row"), was(blank)));
    }
    let unlabelled = |row: &&crate::dataset::Row| !row.image.as_os_str().is_empty() && !row.is_labelled();
    let unlabelled = dataset.rows.iter().filter(unlabelled).count();
    if unlabelled > 0 {
        note(format!(
            "{} without a label for any task {} not used",
            counted(unlabelled, "row"),
            is(unlabelled)
        ));
    }
}

fn tasks(dataset: &Dataset, problems: &mut Vec<Problem>) {
    let counts = dataset.label_counts();
    let mut push = |severity, task: &str, message| {
        problems.push(Problem::overall(severity, ProblemKind::Task, Some(task), message));
    };
    let present_labels = |task: usize| counts[task].iter().filter(|label| label.used() > 0).count();
    let learnable = (0..counts.len()).filter(|task| present_labels(*task) >= 2).count();
    for ((index, task), rows) in dataset.tasks.iter().enumerate().zip(dataset.not_applicable_counts()) {
        if let (1.., Some(word)) = (rows, dataset.not_applicable(index)) {
            let message = format!(
                "`{word}` in {} says that the task does not apply (key not_applicable); where a label is missing, leave the cell empty",
                counted(rows, "cell")
            );
            push(Severity::Note, &task.name, message);
        }
        let present: Vec<usize> =
            (0..task.labels.len()).filter(|label| counts[index][*label].used() > 0).collect();
        if let [] | [_] = present[..] {
            let found = match present.first() {
                Some(only) => format!("only the label `{}` occurs", task.labels[*only]),
                None => "no label occurs".to_owned(),
            };
            let (severity, advice) = match learnable {
                0 => (Severity::Error, "training needs a task with at least two labels"),
                _ => (Severity::Warning, "there is nothing to distinguish, so this task learns nothing"),
            };
            push(severity, &task.name, format!("{found} in the rows that can be used; {advice}"));
            continue;
        }
        for (label, count) in task.labels.iter().zip(&counts[index]) {
            if count.used() == 0 {
                let message = format!("the label `{label}` occurs in no row that can be used");
                push(Severity::Note, &task.name, message);
            } else if count.train == 0 {
                let message = format!(
                    "the label `{label}` occurs in {} for validation but in none for training: it cannot be learnt",
                    counted(count.validation, "row")
                );
                push(Severity::Warning, &task.name, message);
            }
        }
    }
}

fn split(dataset: &Dataset, problems: &mut Vec<Problem>) {
    let table = &dataset.table;
    let column = dataset.columns.split.map(|column| table.headers[column].as_str());
    let mut push = |severity, column, message| {
        problems.push(Problem::overall(severity, ProblemKind::Split, column, message));
    };
    if let Rule::Given(parts) = &*dataset.rule {
        let test = parts.iter().filter(|part| **part == Some(Part::Test)).count();
        if test > 0 {
            let message =
                format!("{} kept for a test {} not used for training", counted(test, "row"), is(test));
            push(Severity::Note, column, message);
        }
    } else if let Some(found) = dataset.unused_split_column() {
        let message = format!(
            "it seems to say which rows train and which validate; set `split_column: {found}` to use it"
        );
        push(Severity::Note, Some(found), message);
    }
    let empty: Vec<&str> = [(&dataset.split.train, "train"), (&dataset.split.validation, "validate")]
        .into_iter()
        .filter(|(rows, _)| rows.is_empty())
        .map(|(_, word)| word)
        .collect();
    if !empty.is_empty() {
        let usable = dataset.rows.iter().filter(|row| row.usable).count();
        let advice = match column {
            Some(_) => "write `train` and `validation` into its cells",
            None => "add rows with an image and a label, at least two",
        };
        let message = format!(
            "no row is left to {} ({usable} of {} can be used); {advice}",
            empty.join(" or "),
            counted(dataset.rows.len(), "row")
        );
        push(Severity::Error, column, message);
    }
}

fn was(count: usize) -> &'static str {
    plural(count, "was", "were")
}
