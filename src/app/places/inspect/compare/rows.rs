//! Two runs on the same rows: which images the second mends and breaks, and the scores of both on them.

use std::sync::Arc;

use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::Part;
use tasklens_net::evaluation::compare::{Comparison, compare};
use tasklens_net::evaluation::inspection::{Inspection, TaskItems};
use tasklens_net::evaluation::scores::{TaskScores, score};

/// Both runs on the rows of a part that both have outputs of.
pub struct Compared {
    /// The first run, whose items these are.
    pub of: Arc<Inspection>,
    /// One per task that both runs have.
    pub tasks: Vec<ComparedTask>,
    /// Tasks that only one of the runs has.
    pub left_out: Vec<String>,
    /// Rows that both have outputs of.
    pub rows: usize,
    /// Rows of the part that only the first has outputs of.
    pub missing: usize,
    /// Of the rows compared, those that neither run learnt from: only they say which run is better.
    pub new_to_both: usize,
}

/// A task of both runs. Its numbers are of the rows with a label that both know and neither learnt from.
pub struct ComparedTask {
    /// Index into the tasks of the first run.
    pub task: usize,
    /// The task's name.
    pub name: String,
    /// The counts, and whether they can be chance.
    pub comparison: Comparison,
    /// Items of the first run: right, but wrong in the second; and so on.
    pub items: [Arc<Vec<usize>>; 4],
    /// What becomes of the rows that a run learnt from.
    pub learnt: Comparison,
    /// Of the first run.
    pub this: TaskScores,
    /// The scores of the second run.
    pub other: TaskScores,
}

/// What becomes of an image, in the order of [`ComparedTask::items`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Right in the run under inspection, wrong in the other.
    Fixed,
    /// Wrong in the run under inspection, right in the other.
    Broken,
    /// Wrong in both runs.
    StillWrong,
    /// Right in both runs.
    StillRight,
}

impl Change {
    /// All changes, in the order of the tiles.
    pub const ALL: [Self; 4] = [Self::Fixed, Self::Broken, Self::StillWrong, Self::StillRight];
}

impl Compared {
    /// Compares; both are of the same dataset. `learnt` says of each row whether the second run learnt from it.
    pub fn new(first: &Arc<Inspection>, second: &Inspection, learnt: &[bool], part: Option<Part>) -> Self {
        let wanted = first.items_of(part);
        // Rows ascend in both.
        let pairs: Vec<(usize, usize)> = wanted
            .iter()
            .filter_map(|item| Some((*item, second.rows.binary_search(&first.rows[*item]).ok()?)))
            .collect();
        let is_learnt = |(item, _): &(usize, usize)| {
            first.parts[*item] == Part::Train || learnt.get(first.rows[*item]).copied().unwrap_or(false)
        };
        let (known, fresh): (Vec<_>, Vec<_>) = pairs.iter().copied().partition(is_learnt);
        let (mut tasks, mut left_out) = (Vec::new(), Vec::new());
        for (task, items) in first.tasks.iter().enumerate() {
            match second.tasks.iter().find(|other| other.task.name == items.task.name) {
                Some(other) => tasks.push(ComparedTask::new(task, items, other, [&fresh, &known])),
                None => left_out.push(items.task.name.clone()),
            }
        }
        let is_known = |task: &&TaskItems| first.tasks.iter().any(|other| other.task.name == task.task.name);
        left_out
            .extend(second.tasks.iter().filter(|task| !is_known(task)).map(|task| task.task.name.clone()));
        Self {
            of: Arc::clone(first),
            tasks,
            left_out,
            rows: pairs.len(),
            missing: wanted.len() - pairs.len(),
            new_to_both: fresh.len(),
        }
    }
}

impl ComparedTask {
    /// Of pairs of items that are new to both runs, and of those that are not.
    fn new(
        task: usize,
        first: &TaskItems,
        second: &TaskItems,
        [fresh, known]: [&[(usize, usize)]; 2],
    ) -> Self {
        let labels = &first.task.labels;
        // Labels are the same where their texts are: the order may have been changed in the config.
        let texts = second.task.labels.iter();
        let classes: Vec<Option<u32>> = texts
            .map(|text| labels.iter().position(|label| label == text).map(|class| class as u32))
            .collect();
        let labelled = |pairs: &[(usize, usize)]| -> Vec<(usize, usize)> {
            let has_label =
                |(a, b): &(usize, usize)| first.labels[*a].is_some() && second.labels[*b].is_some();
            pairs.iter().copied().filter(has_label).collect()
        };
        let of = |labelled: &[(usize, usize)]| {
            let actual: Vec<Option<u32>> = labelled.iter().map(|(a, _)| first.labels[*a]).collect();
            let now: Vec<u32> = labelled.iter().map(|(a, _)| first.predicted[*a]).collect();
            // A label that the first does not know is none of its labels, and so is wrong.
            let then = |b: usize| classes[second.predicted[b] as usize].unwrap_or(u32::MAX);
            let then: Vec<u32> = labelled.iter().map(|(_, b)| then(*b)).collect();
            compare(&actual, &then, &now)
        };
        let learnt = of(&labelled(known)).without_conclusion();
        let labelled = labelled(fresh);
        let comparison = of(&labelled);
        let lists = [&comparison.fixed, &comparison.broken, &comparison.still_wrong, &comparison.still_right];
        let items = lists.map(|list| Arc::new(list.iter().map(|place| labelled[*place].0).collect()));
        Self {
            task,
            name: first.task.name.clone(),
            items,
            learnt,
            this: scores(first, labelled.iter().map(|(a, _)| *a)),
            other: scores(second, labelled.iter().map(|(_, b)| *b)),
            comparison,
        }
    }

    /// The items with that change.
    pub fn of(&self, change: Change) -> &Arc<Vec<usize>> {
        &self.items[change as usize]
    }
}

fn scores(task: &TaskItems, items: impl Iterator<Item = usize> + Clone) -> TaskScores {
    let labels: Vec<Option<u32>> = items.clone().map(|item| task.labels[item]).collect();
    let probabilities: Vec<f32> = items.flat_map(|item| task.of(item)).copied().collect();
    score(&labels, &probabilities, task.task.labels.len())
}

/// Whether items are about the same images, in the same order.
pub fn are_same_items(
    (then, then_of): (&Inspection, &Dataset),
    (now, now_of): (&Inspection, &Dataset),
) -> bool {
    let is_same = |row: &usize| {
        let rows = then_of.rows.get(*row).zip(now_of.rows.get(*row));
        rows.is_some_and(|(then, now)| then.image == now.image)
    };
    then.rows == now.rows && (std::ptr::eq(then_of, now_of) || now.rows.iter().all(is_same))
}

#[cfg(test)]
mod tests {
    use tasklens_data::config::Task;

    use super::*;

    /// A run of one task with outputs of `rows`: (row, label, predicted).
    fn run(name: &str, labels: &[&str], rows: &[(usize, Option<u32>, u32)]) -> Arc<Inspection> {
        let one_hot =
            |label: u32| (0..labels.len() as u32).map(move |other| f32::from(u8::from(other == label)));
        let task = TaskItems {
            task: Task {
                name: name.into(),
                labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            },
            in_dataset: Some(0),
            labels: rows.iter().map(|row| row.1).collect(),
            probabilities: rows.iter().flat_map(|row| one_hot(row.2)).collect(),
            predicted: rows.iter().map(|row| row.2).collect(),
            unknown_labels: 0,
        };
        Arc::new(Inspection {
            rows: rows.iter().map(|row| row.0).collect(),
            parts: rows
                .iter()
                .map(|row| if row.0 % 2 == 0 { Part::Validation } else { Part::Train })
                .collect(),
            tasks: vec![task],
            ..Inspection::default()
        })
    }

    #[test]
    fn rows_meet_by_number_and_labels_by_text() {
        let (a, b) = (Some(0), Some(1));
        let first =
            run("print", &["a", "b"], &[(0, a, 0), (2, a, 1), (3, b, 1), (4, b, 0), (6, None, 0), (8, a, 0)]);
        // Its labels stand the other way round, and it lacks row 4.
        let second = run(
            "print",
            &["b", "c", "a"],
            &[(0, Some(2), 0), (2, Some(2), 2), (3, Some(0), 0), (6, None, 0), (8, Some(2), 1)],
        );
        let compared = Compared::new(&first, &second, &[], Some(Part::Validation));
        assert_eq!((compared.rows, compared.missing), (4, 1));
        let print = &compared.tasks[0];
        let items = Change::ALL.map(|change| print.of(change).to_vec());
        assert_eq!(items, [vec![0, 5], vec![1], vec![], vec![]], "fixed, broken, still wrong, still right");
        assert_eq!((print.this.rows, print.other.rows), (3, 3));
        assert_eq!(print.other.accuracy.unwrap().value, 1.0 / 3.0);
        assert_eq!(print.learnt.rows(), 0);
        // Row 3 trained the first run.
        let all = Compared::new(&first, &second, &[], None);
        assert_eq!((all.rows, all.new_to_both), (5, 4));
        assert_eq!(all.tasks[0].items, print.items);
        assert_eq!((all.tasks[0].learnt.still_right.len(), all.tasks[0].learnt.rows()), (1, 1));
        // Rows 0 and 2 trained the second.
        let learnt = [true, false, true];
        let fewer = Compared::new(&first, &second, &learnt, Some(Part::Validation));
        assert_eq!((fewer.rows, fewer.new_to_both), (4, 2));
        let items = Change::ALL.map(|change| fewer.tasks[0].of(change).to_vec());
        assert_eq!(items, [vec![5], vec![], vec![], vec![]]);
        assert_eq!((fewer.tasks[0].learnt.fixed.len(), fewer.tasks[0].learnt.broken.len()), (1, 1));
        assert_eq!(fewer.tasks[0].this.rows, 1);
    }

    #[test]
    fn what_only_one_run_has_is_named() {
        let first = run("print", &["a"], &[(0, None, 0), (1, None, 0), (2, None, 0)]);
        let second = run("neck", &["a"], &[(0, None, 0), (1, None, 0), (2, None, 0)]);
        // The second learnt from rows 0 and 1, the first from 1.
        let compared = Compared::new(&first, &second, &[true, true, false], None);
        assert!(compared.tasks.is_empty());
        assert_eq!(compared.left_out, ["print", "neck"]);
        assert_eq!(compared.new_to_both, 1);
    }

    #[test]
    fn items_of_a_csv_that_was_sorted_anew_are_others_though_their_numbers_are_the_same() {
        let dataset = |images: &[&str]| {
            let config = "{paths: {model_dataframe: x.csv}, model: {target_encoder: {print: [a, b]}}}";
            let config =
                tasklens_data::config::Config::parse(config, std::path::Path::new("/config.yml")).unwrap();
            let csv = images.iter().fold("path,print\n".to_owned(), |csv, image| csv + image + ",a\n");
            let path = std::path::Path::new("/x.csv");
            let table = tasklens_data::dataset::table::Table::from_bytes(csv.into(), path).unwrap();
            Dataset::from_table(table, &config).unwrap()
        };
        let items = run("print", &["a", "b"], &[(0, None, 0), (1, None, 0)]);
        let before = dataset(&["a.jpg", "b.jpg", "c.jpg"]);
        let is_same = |now: &Dataset| are_same_items((&items, &before), (&items, now));
        assert!(is_same(&before) && is_same(&dataset(&["a.jpg", "b.jpg", "x.jpg"])));
        assert!(!is_same(&dataset(&["c.jpg", "b.jpg", "a.jpg"])) && !is_same(&dataset(&["a.jpg"])));
    }
}
