//! `target_encoder`: label <-> class index, and missing labels.

use std::borrow::Cow;
use std::collections::HashMap;

use super::problems::{LabelMerge, Problem, ProblemKind};
use super::table::Table;
use super::{Columns, RowLabel, RowLabels, Rows};
use crate::config::{Task, nearest};
use crate::unicode::composed;

/// What spreadsheets and data frames write for a missing value.
const MISSING_WORDS: &[&str] = &["nan", "na", "n/a", "null", "none", "-", "?"];

/// The label per row and task (order of `tasks`). An empty cell is a missing label; text that is neither a label of its
/// task nor `not_applicable` is missing, too. Surrounding spaces are ignored.
pub(super) fn encode<'a>(
    table: &'a Table,
    columns: &'a Columns,
    tasks: &'a [Task],
    not_applicable: &'a str,
) -> impl Iterator<Item = RowLabels> + 'a {
    let encoders: Vec<Encoder<'_>> = tasks.iter().map(|task| Encoder::new(task, not_applicable)).collect();
    (0..table.row_count()).map(move |row| {
        let of_tasks = columns.tasks.iter().zip(&encoders);
        of_tasks.map(|(column, encoder)| encoder.label(table.cell(row, *column).trim())).collect()
    })
}

/// A warning for each text that is not a label of its task.
pub(super) fn find_unknown(
    table: &Table,
    columns: &Columns,
    tasks: &[Task],
    rows: &Rows,
    problems: &mut Vec<Problem>,
) {
    let mut unknown: Vec<UnknownTexts<'_>> = tasks.iter().map(UnknownTexts::of).collect();
    for (row, data) in rows.iter().enumerate() {
        let cells = columns.tasks.iter().zip(&data.labels).zip(&mut unknown);
        for ((&column, _), unknown) in cells.filter(|((_, label), _)| label.is_missing()) {
            let cell = table.cell(row, column);
            let text = cell.trim();
            if !text.is_empty() {
                let (message, merge) = unknown.told(text);
                let problem = Problem::in_row(ProblemKind::UnknownLabel, table, row, column, message);
                problems.push(Problem { merge, ..problem });
            }
        }
    }
}

/// The texts of one task, encoded.
pub(super) struct Encoder<'a> {
    /// By the composed (NFC) form of their texts.
    labels: HashMap<Cow<'a, str>, RowLabel>,
}

impl<'a> Encoder<'a> {
    pub fn new(task: &'a Task, not_applicable: &'a str) -> Self {
        // A label of this name comes later, and replaces it.
        let not_applicable = (composed(not_applicable), RowLabel::DoesNotApply);
        let classes = (0..).zip(&task.labels).map(|(class, label)| (composed(label), RowLabel::Class(class)));
        Self { labels: std::iter::once(not_applicable).chain(classes).collect() }
    }

    /// The label of a trimmed text.
    pub fn label(&self, text: &str) -> RowLabel {
        if text.is_empty() {
            return RowLabel::Missing;
        }
        self.labels.get(&*composed(text)).copied().unwrap_or_default()
    }
}

/// Messages for what is not a label of a task; kept, as the same wrong label often occurs in many rows.
struct UnknownTexts<'a> {
    task: &'a Task,
    told: HashMap<String, (String, Option<LabelMerge>)>,
}

impl<'a> UnknownTexts<'a> {
    fn of(task: &'a Task) -> Self {
        Self { task, told: HashMap::new() }
    }

    /// What is wrong with a text, and the merge that would correct all rows.
    fn told(&mut self, text: &str) -> (String, Option<LabelMerge>) {
        if let Some(told) = self.told.get(text) {
            return told.clone();
        }
        let same = same_number(self.task, text);
        let advice = match same {
            Some(label) => format!(
                "did you mean `{label}`? Data frames write whole numbers so where cells are empty; merging the two \
                 corrects all rows"
            ),
            None => advice(self.task, text)
                .unwrap_or_else(|| "add it to target_encoder or correct the cell".to_owned()),
        };
        let message = format!("`{text}` is no label of the task `{}`; {advice}", self.task.name);
        let merge = same.map(|label| LabelMerge {
            task: self.task.name.clone(),
            from: text.to_owned(),
            to: label.to_owned(),
        });
        self.told.insert(text.to_owned(), (message.clone(), merge.clone()));
        (message, merge)
    }
}

/// The message for text that is not a label of the task, when a network is evaluated.
pub(super) fn unknown_to_network(task: &Task, text: &str) -> String {
    let advice = advice(task, text);
    let advice = advice.unwrap_or_else(|| "correct the cell, or train a network with this label".to_owned());
    let task = &task.name;
    format!(
        "`{text}` is not a label that the network knows for the task `{task}`, so the row does not count for it; {advice}"
    )
}

/// The label that is the same number written differently, such as `1` for `1.0`.
fn same_number<'a>(task: &'a Task, text: &str) -> Option<&'a str> {
    let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
    task.labels.iter().map(String::as_str).find(|label| label.parse() == Ok(number))
}

/// What was probably meant.
fn advice(task: &Task, text: &str) -> Option<String> {
    if MISSING_WORDS.contains(&text.to_ascii_lowercase().as_str()) {
        return Some("leave the cell empty if the row has no label".to_owned());
    }
    let near = || nearest(text, task.labels.iter().map(String::as_str));
    let near = same_number(task, text).or_else(near)?;
    Some(format!("did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_a_data_frame_wrote_as_another_number_is_recognised() {
        let labels = ["1", "2", "03", "a 4"].map(str::to_owned).to_vec();
        let task = Task { name: "number of buttons".into(), labels };
        let (told, merge) = UnknownTexts::of(&task).told("1.0");
        assert!(told.contains("did you mean `1`? Data frames write"), "{told}");
        let expected = LabelMerge { task: task.name.clone(), from: "1.0".to_owned(), to: "1".to_owned() };
        assert_eq!(merge, Some(expected));
        assert_eq!(UnknownTexts::of(&task).told("9").1, None);
        assert!(unknown_to_network(&task, "3.0").ends_with("did you mean `03`?"));
        for other in ["7.0", "nan", "inf", "a 4.0"] {
            assert!(same_number(&task, other).is_none(), "{other}");
        }
    }
}
