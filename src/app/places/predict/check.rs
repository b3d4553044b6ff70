//! Images of the project whose labels are known: are the answers right?

use rand::SeedableRng as _;
use rand::seq::IteratorRandom as _;
use rand_pcg::Pcg64Mcg;
use tasklens_data::config::Task;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::Part;

use super::tried::{Standing, Standings};
use super::{EntryState, ImageEntry};
use crate::app::widgets::probability_bars::sorted;

/// So many images are tried at once.
pub const TRIED: usize = 20;

/// The labels that an image has in the project, by task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth(Vec<(String, Option<String>)>);

impl Truth {
    /// Of a row.
    pub fn of_row(dataset: &Dataset, row: usize) -> Self {
        let Some(data) = dataset.rows.get(row) else { return Self::default() };
        let tasks = dataset.tasks.iter().zip(&data.labels);
        let named = |(task, label): (&Task, &tasklens_data::dataset::RowLabel)| {
            let name = label.class().and_then(|class| task.labels.get(class as usize));
            (task.name.clone(), name.cloned())
        };
        Self(tasks.map(named).collect())
    }

    /// The label in a task of the network, by its place there. `Some(None)`: the image has none, or one that the
    /// network does not know; `None`: the project does not have the task.
    pub fn of(&self, task: &Task) -> Option<Option<usize>> {
        let (_, label) = self.0.iter().find(|(name, _)| *name == task.name)?;
        Some(label.as_ref().and_then(|label| task.labels.iter().position(|other| other == label)))
    }
}

/// Rows that the split keeps for validation, drawn by chance, in the order of the file; other ones for another `seed`.
pub fn draw(parts: &[Option<Part>], seed: u64) -> Vec<usize> {
    let kept = parts.iter().enumerate().filter(|(_, part)| **part == Some(Part::Validation));
    let mut drawn = kept.map(|(row, _)| row).sample(&mut Pcg64Mcg::seed_from_u64(seed), TRIED);
    drawn.sort_unstable();
    drawn
}

/// How many answers are right, such as `print 18 of 20`, for each task in which an image has a known label. Images that
/// the network was trained on do not count.
pub fn verdict(entries: &[ImageEntry], tasks: &[Task], standings: &Standings) -> Option<String> {
    let counts = |entry: &&ImageEntry| standings.get(&entry.id) != Some(&Standing::Trained);
    let of_task = |(index, task): (usize, &Task)| {
        let answered = entries.iter().filter(counts).filter_map(|entry| {
            let EntryState::Predicted(prediction) = &entry.state else { return None };
            let truth = entry.truth.as_ref()?.of(task)??;
            Some(sorted(prediction.probabilities.get(index)?).first() == Some(&truth))
        });
        let answered: Vec<bool> = answered.collect();
        let right = answered.iter().filter(|right| **right).count();
        (!answered.is_empty()).then(|| format!("{} {right} of {}", task.name, answered.len()))
    };
    let told: Vec<String> = tasks.iter().enumerate().filter_map(of_task).collect();
    (!told.is_empty()).then(|| format!("Right: {}", told.join(", ")))
}

/// What is said where there is none to try.
pub const NONE_KEPT: &str = "The split keeps no image for validation, so there is none to try";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_validation_rows_are_drawn_and_others_the_next_time() {
        let part = |row: usize| [Some(Part::Train), Some(Part::Validation), None, Some(Part::Test)][row % 4];
        let parts: Vec<Option<Part>> = (0..4000).map(part).collect();
        let (first, second) = (draw(&parts, 0), draw(&parts, 1));
        assert_eq!(first.len(), TRIED);
        assert!(first.is_sorted() && first.iter().all(|row| row % 4 == 1), "{first:?}");
        assert_ne!(first, second);
        assert_eq!(draw(&parts[..8], 0), [1, 5], "all where there are fewer");
        assert_eq!(draw(&[None, Some(Part::Train)], 0), [] as [usize; 0]);
    }

    #[test]
    fn a_label_is_found_by_its_name_in_a_network_with_labels_in_another_order() {
        let labels = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
        let task = |name: &str| Task { name: name.to_owned(), labels: labels(&["solid", "striped"]) };
        let has = |label: Option<&str>| Truth(vec![("print".to_owned(), label.map(str::to_owned))]);
        assert_eq!(has(Some("striped")).of(&task("print")), Some(Some(1)));
        assert_eq!(has(Some("floral")).of(&task("print")), Some(None), "the network does not know it");
        assert_eq!(has(None).of(&task("print")), Some(None));
        assert_eq!(has(Some("striped")).of(&task("sleeves")), None, "the project does not have the task");
    }
}
