//! Limits of a network, for configs and for checkpoints (which may come from anywhere).

use std::collections::HashSet;
use std::ops::RangeInclusive;

use super::Task;

/// Height and width of the input, pixels.
pub const SIDES: RangeInclusive<u32> = 32..=1024;
/// `batch_size`.
pub const BATCH_SIZES: RangeInclusive<usize> = 1..=4096;
/// `batch_size` by default, and until a run has found one.
pub const BATCH_SIZE: usize = 16;
/// Minimum number of labels of a task.
pub(crate) const FEWEST_LABELS: usize = 2;
/// Maximum number of tasks of a network.
const MOST_TASKS: usize = 1_000;
/// Maximum number of labels of all tasks together: at this size the heads take a few gigabytes.
pub(crate) const MOST_LABELS: usize = 100_000;

/// Why a network with this input size and these tasks is not possible; `None` if it is.
pub fn fault(height: u32, width: u32, tasks: &[Task]) -> Option<String> {
    if !SIDES.contains(&height) || !SIDES.contains(&width) {
        let (low, high) = (SIDES.start(), SIDES.end());
        return Some(format!(
            "the input is {height} x {width} pixels, expected from {low} to {high} each way"
        ));
    }
    if tasks.is_empty() {
        return Some("there is no task".to_owned());
    }
    too_many(tasks).or_else(|| faulty_task(tasks))
}

/// Why there are too many tasks or labels; `None` if there are not.
pub fn too_many(tasks: &[Task]) -> Option<String> {
    if tasks.len() > MOST_TASKS {
        return Some(format!("there are {} tasks, expected at most {MOST_TASKS}", tasks.len()));
    }
    let labels: usize = tasks.iter().map(|task| task.labels.len()).sum();
    (labels > MOST_LABELS)
        .then(|| format!("there are {labels} labels in all tasks, expected at most {MOST_LABELS}"))
}

fn faulty_task(tasks: &[Task]) -> Option<String> {
    let mut names = HashSet::new();
    tasks.iter().find_map(|Task { name, labels }| {
        if name.is_empty() {
            return Some("a task has no name".to_owned());
        }
        if !names.insert(name) {
            return Some(format!("there are two tasks `{name}`"));
        }
        if labels.len() < FEWEST_LABELS {
            let count = labels.len();
            return Some(format!("the task `{name}` has {count} labels, expected at least {FEWEST_LABELS}"));
        }
        let mut known = HashSet::new();
        let again = labels.iter().find(|label| !known.insert(*label))?;
        Some(format!("the task `{name}` has the label `{again}` twice"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(name: &str, labels: &[&str]) -> Task {
        Task { name: name.to_owned(), labels: labels.iter().map(|label| (*label).to_owned()).collect() }
    }

    #[test]
    fn what_no_config_may_say_no_network_may_be() {
        let good = task("print", &["plain", "dotted"]);
        assert_eq!(fault(32, 1024, std::slice::from_ref(&good)), None);
        let many: Vec<String> = (0..=MOST_LABELS).map(|label| label.to_string()).collect();
        let labels = Task { name: "kind".to_owned(), labels: many };
        let numbered = |number: usize| Task { name: number.to_string(), ..good.clone() };
        for (height, width, tasks, expected) in [
            (100_000, 64, vec![good.clone()], "the input is 100000 x 64 pixels, expected from 32 to 1024"),
            (64, 31, vec![good.clone()], "the input is 64 x 31 pixels"),
            (64, 64, vec![], "there is no task"),
            (64, 64, vec![task("", &["a", "b"])], "a task has no name"),
            (64, 64, vec![good.clone(), good.clone()], "there are two tasks `print`"),
            (64, 64, vec![task("print", &[])], "the task `print` has 0 labels, expected at least 2"),
            (64, 64, vec![task("print", &["a", "b", "a"])], "the task `print` has the label `a` twice"),
            (64, 64, vec![labels], "there are 100001 labels in all tasks, expected at most 100000"),
            (64, 64, (0..=MOST_TASKS).map(numbered).collect(), "there are 1001 tasks, expected at most"),
        ] {
            let said = fault(height, width, &tasks).unwrap_or_default();
            assert!(said.starts_with(expected), "{said}");
        }
    }
}
