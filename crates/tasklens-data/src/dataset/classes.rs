//! `target_encoder`: label <-> class index, and missing labels.

use std::borrow::Cow;
use std::collections::HashMap;

use super::problems::{Problem, ProblemKind};
use super::table::Table;
use super::{Columns, Rows};
use crate::config::{Task, nearest};
use crate::unicode::composed;

/// What spreadsheets and data frames write for a missing value.
const MISSING_WORDS: &[&str] = &["nan", "na", "n/a", "null", "none", "-", "?"];

/// Class index per row and task (order of `tasks`). An empty cell is a missing label; text that is not a label of its
/// task is missing, too. Surrounding spaces are ignored.
pub(super) fn encode(table: &Table, columns: &Columns, tasks: &[Task]) -> Vec<Vec<Option<u32>>> {
    let mut encoders: Vec<Encoder<'_>> = tasks.iter().map(Encoder::new).collect();
    let label = |row: usize, (&column, encoder): (&usize, &mut Encoder<'_>)| {
        let cell = table.cell(row, column);
        Some(cell.trim()).filter(|text| !text.is_empty()).and_then(|text| encoder.class(text))
    };
    (0..table.row_count())
        .map(|row| columns.tasks.iter().zip(&mut encoders).map(|of_task| label(row, of_task)).collect())
        .collect()
}

/// A warning for each text that is not a label of its task.
pub(super) fn find_unknown(
    table: &Table,
    columns: &Columns,
    tasks: &[Task],
    rows: &Rows,
    problems: &mut Vec<Problem>,
) {
    let mut encoders: Vec<Encoder<'_>> = tasks.iter().map(Encoder::new).collect();
    for (row, data) in rows.iter().enumerate() {
        let cells = columns.tasks.iter().zip(&data.labels).zip(&mut encoders);
        for ((&column, _), encoder) in cells.filter(|((_, label), _)| label.is_none()) {
            let cell = table.cell(row, column);
            let text = cell.trim();
            if !text.is_empty() {
                let message = encoder.unknown(text);
                problems.push(Problem::in_row(ProblemKind::UnknownLabel, table, row, column, message));
            }
        }
    }
}

/// Class indices of one task.
pub(super) struct Encoder<'a> {
    task: &'a Task,
    /// By the composed (NFC) form of their texts.
    classes: HashMap<Cow<'a, str>, u32>,
    /// Cached messages: the same wrong label often occurs in many rows.
    messages: HashMap<String, String>,
}

impl<'a> Encoder<'a> {
    pub fn new(task: &'a Task) -> Self {
        let classes = (0..).zip(&task.labels).map(|(class, label)| (composed(label), class)).collect();
        Self { task, classes, messages: HashMap::new() }
    }

    pub fn class(&self, text: &str) -> Option<u32> {
        self.classes.get(&*composed(text)).copied()
    }

    /// The message for text that is not a label of the task.
    pub fn unknown(&mut self, text: &str) -> String {
        if let Some(message) = self.messages.get(text) {
            return message.clone();
        }
        let advice = match same_number(self.task, text) {
            Some(label) => format!(
                "did you mean `{label}`? Data frames write whole numbers so where cells are empty; Tasks and labels \
                 in the window or `tasklens labels CONFIG merge {} {} {}` corrects all rows",
                quoted(&self.task.name),
                quoted(text),
                quoted(label)
            ),
            None => advice(self.task, text)
                .unwrap_or_else(|| "add it to target_encoder or correct the cell".to_owned()),
        };
        let message = format!("`{text}` is no label of the task `{}`; {advice}", self.task.name);
        self.messages.insert(text.to_owned(), message.clone());
        message
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

/// Quotes a word for a command line.
fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "_-.+:,@%/=".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => Cow::Borrowed(word),
        false => Cow::Owned(format!("'{}'", word.replace('\'', "'\\''"))),
    }
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
        let told = Encoder::new(&task).unknown("1.0");
        assert!(told.contains("did you mean `1`? Data frames write"), "{told}");
        assert!(
            told.contains("`tasklens labels CONFIG merge 'number of buttons' 1.0 1` corrects all rows"),
            "{told}"
        );
        assert!(unknown_to_network(&task, "3.0").ends_with("did you mean `03`?"));
        for other in ["7.0", "nan", "inf", "a 4.0"] {
            assert!(same_number(&task, other).is_none(), "{other}");
        }
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
