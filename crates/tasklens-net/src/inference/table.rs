//! Predictions as columns of a CSV: what the columns are called, in what order they stand and how numbers are
//! written, for the `predictions.csv` of a run, for `tasklens predict --csv` and for what the window exports.

use tasklens_data::config::Task;

use super::{Prediction, most_probable};

/// The column that says why there is no prediction.
const ERROR: &str = "error";

/// Which columns there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableLayout {
    /// Beside the labels that rows have. Per task `task` with the label (empty if none), `task_predicted`, and
    /// `task:label` with every label's probability.
    Labelled,
    /// Beside the columns of other tables. Per task `task` with the most probable label, and `task:label`; then
    /// `error`.
    Joined,
    /// Beside a path or address. Per task `task` with the most probable label and `task_probability`; then per task
    /// `task:label`, then `error`.
    Listed,
}

/// A column of a task, or all those of its labels.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Label,
    Predicted,
    Answer,
    Probability,
    Each,
}

impl TableLayout {
    /// Groups of columns: each stands for all tasks before the next one begins.
    fn groups(self) -> &'static [&'static [Column]] {
        match self {
            Self::Labelled => &[&[Column::Label, Column::Predicted, Column::Each]],
            Self::Joined => &[&[Column::Answer, Column::Each]],
            Self::Listed => &[&[Column::Answer, Column::Probability], &[Column::Each]],
        }
    }

    fn has_error(self) -> bool {
        self != Self::Labelled
    }

    /// The names of the columns.
    pub fn names(self, tasks: &[Task]) -> Vec<String> {
        let mut names = Vec::new();
        self.each(tasks, |_, Task { name, labels }, column| match column {
            Column::Label | Column::Answer => names.push(name.clone()),
            Column::Predicted => names.push(format!("{name}_predicted")),
            Column::Probability => names.push(format!("{name}_probability")),
            Column::Each => names.extend(labels.iter().map(|label| format!("{name}:{label}"))),
        });
        names.extend(self.has_error().then(|| ERROR.to_owned()));
        names
    }

    /// The cells of a row with a prediction. `probabilities` gives a task's, one per label; `labels` has the class that
    /// the row has per task, and counts for [`TableLayout::Labelled`] alone.
    pub fn cells<'a>(
        self,
        tasks: &[Task],
        probabilities: impl Fn(usize) -> &'a [f32],
        labels: &[Option<u32>],
    ) -> Vec<String> {
        let mut cells = Vec::new();
        self.each(tasks, |index, task, column| {
            let all = probabilities(index);
            let answer = most_probable(all);
            let label = |class: usize| task.labels.get(class).cloned().unwrap_or_default();
            match column {
                Column::Label => {
                    let class = labels.get(index).copied().flatten();
                    cells.push(class.map(|class| label(class as usize)).unwrap_or_default());
                }
                Column::Predicted | Column::Answer => cells.push(label(answer)),
                Column::Probability => cells.push(all.get(answer).map(number).unwrap_or_default()),
                Column::Each => cells.extend(all.iter().map(number)),
            }
        });
        cells.extend(self.has_error().then(String::new));
        cells
    }

    /// The cells of a row without a prediction, for the reason `why`; a blank row has none.
    pub fn cells_without(self, tasks: &[Task], why: &str) -> Vec<String> {
        let mut cells = vec![String::new(); self.names(tasks).len()];
        if let Some(last) = cells.last_mut().filter(|_| self.has_error()) {
            why.clone_into(last);
        }
        cells
    }

    fn each(self, tasks: &[Task], mut column: impl FnMut(usize, &Task, Column)) {
        for group in self.groups() {
            for (index, task) in tasks.iter().enumerate() {
                group.iter().for_each(|kind| column(index, task, *kind));
            }
        }
    }
}

fn number(share: &f32) -> String {
    format!("{share:.6}")
}

/// The bytes of a CSV.
///
/// # Errors
/// A text is too long.
pub fn csv(records: impl IntoIterator<Item = Vec<String>>) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in records {
        writer.write_record(&record)?;
    }
    Ok(writer.into_inner().map_err(|error| error.into_error())?)
}

/// What was asked for, and its prediction or why there is none.
pub struct Listed<'a> {
    /// Path, address or name.
    pub image: String,
    /// The answer or the error.
    pub outcome: Result<&'a Prediction, &'a str>,
}

/// The bytes of a CSV with a row per image, in [`TableLayout::Listed`].
///
/// # Errors
/// A text is too long.
pub fn list_csv(tasks: &[Task], rows: &[Listed<'_>]) -> anyhow::Result<Vec<u8>> {
    let layout = TableLayout::Listed;
    let row = |first: &str, others| [vec![first.to_owned()], others].concat();
    let rows = rows.iter().map(|Listed { image, outcome }| match outcome {
        Ok(prediction) => row(image, layout.cells(tasks, |task| &prediction.probabilities[task], &[])),
        Err(why) => row(image, layout.cells_without(tasks, why)),
    });
    csv(std::iter::once(row("image", layout.names(tasks))).chain(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_image_has_a_row_with_its_answers_or_its_error() {
        let tasks = [Task { name: "print".into(), labels: vec!["plain".into(), "striped".into()] }];
        let prediction = Prediction { probabilities: vec![vec![0.25, 0.75]] };
        let rows = [
            Listed { image: "a, b.jpg".into(), outcome: Ok(&prediction) },
            Listed { image: "c.jpg".into(), outcome: Err("c.jpg is missing") },
        ];
        let text = String::from_utf8(list_csv(&tasks, &rows).unwrap()).unwrap();
        assert_eq!(
            text,
            "image,print,print_probability,print:plain,print:striped,error\n\
             \"a, b.jpg\",striped,0.750000,0.250000,0.750000,\n\
             c.jpg,,,,,c.jpg is missing\n"
        );
    }

    #[test]
    fn of_several_tasks_the_answers_come_first_only_in_a_list() {
        let task = |name: &str| Task { name: name.into(), labels: vec!["a".into()] };
        let tasks = [task("x"), task("y")];
        assert_eq!(
            TableLayout::Labelled.names(&tasks),
            ["x", "x_predicted", "x:a", "y", "y_predicted", "y:a"]
        );
        assert_eq!(TableLayout::Joined.names(&tasks), ["x", "x:a", "y", "y:a", "error"]);
        let listed = ["x", "x_probability", "y", "y_probability", "x:a", "y:a", "error"];
        assert_eq!(TableLayout::Listed.names(&tasks), listed);
    }
}
