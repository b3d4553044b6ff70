//! Problems of rows that are used for evaluation.

use super::{Problem, ProblemKind, Severity};
use crate::config::nearest;
use crate::dataset::{Dataset, classes};

/// The problems that matter for evaluation: whether one could train with the data does not.
pub fn of_measured(dataset: &Dataset) -> Vec<Problem> {
    let concerns = dataset
        .problems
        .iter()
        .filter(|problem| !matches!(problem.kind, ProblemKind::Task | ProblemKind::Split));
    concerns.cloned().map(|problem| about_the_network(dataset, problem)).collect()
}

/// The config is that of the network: labels cannot be added to it.
fn about_the_network(dataset: &Dataset, mut problem: Problem) -> Problem {
    let task = dataset.tasks.iter().find(|task| Some(&task.name) == problem.column.as_ref());
    if let (ProblemKind::UnknownLabel, Some(row), Some(task)) = (problem.kind, problem.row, task)
        && let Some(column) = dataset.table.column(&task.name)
    {
        problem.merge = None;
        problem.message = classes::unknown_to_network(task, dataset.table.cell(row, column).trim());
    }
    problem
}

/// Notes about tasks that are not evaluated because the table lacks their columns.
pub fn unmeasured(dataset: &Dataset, tasks: &[String]) -> Vec<Problem> {
    let headers = || dataset.table.headers.iter().map(String::as_str);
    let problem = |task: &String| {
        let near = nearest(task, headers());
        let near = near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
        let message = format!("the CSV has no such column{near}, so this task is not evaluated");
        Problem::overall(Severity::Warning, ProblemKind::Task, Some(task), message)
    };
    tasks.iter().map(problem).collect()
}
