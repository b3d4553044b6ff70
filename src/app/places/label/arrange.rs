//! Which images are labelled, and in which order: asked for in the background, answered with a [`Queue`].

use std::collections::HashSet;
use std::sync::Arc;

use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::edits::Values;
use tasklens_data::dataset::filter::Filter;
use tasklens_data::work::KeepGoing;
use tasklens_net::labelling::candidates;
use tasklens_net::labelling::order::{LabellingOrder, Question, Uncertainty, arrange};
use tasklens_net::labelling::suggestions::Suggestions;

use super::queue::Queue;
use crate::app::command::Level;
use crate::app::context::ViewContext;
use crate::app::services::derived::{Derived, DerivedNews};
use crate::app::services::jobs::Progress;

/// Which images are labelled.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Which {
    #[default]
    All,
    /// Those that lack a label for any of the tasks in question.
    ToDo,
    /// Those that the user flagged.
    Flagged,
    /// These images, by the text of their path cells, such as those within a lasso; the title says in words
    /// which.
    These(Arc<Vec<String>>, String),
}

/// What a queue is an answer to.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub order: LabellingOrder,
    /// What the most uncertain goes by.
    pub uncertainty: Uncertainty,
    pub which: Which,
    /// What the images must have besides.
    pub filter: Filter,
    /// The tasks in question, ascending.
    pub tasks: Vec<usize>,
}

impl Wanted {
    /// Whether another model, or one that has learnt, gives another order.
    fn needs_model(&self) -> bool {
        matches!(
            self.order,
            LabellingOrder::Uncertain | LabellingOrder::Diverse | LabellingOrder::Disagreement
        )
    }
}

/// What an answer was made of.
#[derive(Clone, Debug, PartialEq)]
struct ArrangementBasis {
    wanted: Wanted,
    rows: usize,
    /// Of the suggestions; 0 where the order needs none.
    version: u64,
}

/// The rows in the order asked for.
struct ArrangedRows {
    /// What was visited when it was asked for; nothing where it begins anew.
    visited: Vec<usize>,
    /// The rows behind these; nothing where the arranging was cancelled.
    rows: Option<Vec<usize>>,
}

/// The queue and the job that arranges it.
#[derive(Default)]
pub struct Arrangement {
    /// The images in order.
    pub queue: Queue,
    /// What the queue is made of.
    basis: Option<ArrangementBasis>,
    arranged: Derived<ArrangementBasis, ArrangedRows>,
}

impl Arrangement {
    /// Whether there is an answer, be it an old one.
    pub fn is_there(&self) -> bool {
        self.basis.is_some()
    }

    /// Whether a new order is on its way.
    pub fn is_busy(&self) -> bool {
        self.arranged.is_busy()
    }

    /// Takes in the answer, and asks again where something has changed; once a frame. Returns the queue that was
    /// replaced.
    pub fn poll(
        &mut self,
        wanted: &Wanted,
        suggestions: Option<(&Arc<Suggestions>, u64)>,
        context: &ViewContext<'_>,
    ) -> Option<Queue> {
        let (project, edits) = (context.project?, context.edits?);
        let version = suggestions.filter(|_| wanted.needs_model()).map_or(0, |(_, version)| version);
        let basis = ArrangementBasis { wanted: wanted.clone(), rows: project.dataset.rows.len(), version };
        let before = self.take_in(context);
        // Only what the user chose begins at the first image again.
        let is_same = self.basis.as_ref().is_some_and(|old| old.wanted == *wanted && old.rows == basis.rows);
        let queue = &self.queue;
        self.arranged.want(&basis, || {
            let visited = if is_same { queue.visited().to_vec() } else { Vec::new() };
            let dataset = Arc::clone(&project.dataset);
            let suggestions = suggestions.map(|(suggestions, _)| Arc::clone(suggestions));
            let flagged = (wanted.which == Which::Flagged).then(|| edits.state().values());
            let asked = wanted.clone();
            let work = move |progress: &Progress| {
                let flagged = flagged.as_ref().map(flagged_keys);
                let suggestions = suggestions.as_deref();
                let mut keep_going = |done, of| {
                    progress.set(done as u64, of as u64);
                    progress.keep_going()
                };
                let rows = answer(&asked, &dataset, suggestions, flagged.as_ref(), &visited, &mut keep_going);
                Ok(ArrangedRows { visited, rows })
            };
            let title = "Choosing what to label next";
            // The diverse order takes a while; the others do not.
            match wanted.order {
                LabellingOrder::Diverse => context.jobs.start(title, work),
                _ => context.jobs.start_quietly(title, work),
            }
        });
        before
    }

    fn take_in(&mut self, context: &ViewContext<'_>) -> Option<Queue> {
        let news = self.arranged.take_in()?;
        // What is shown stays where there is no new order, and is not asked for again until something else is wanted.
        self.basis = self.arranged.latest().cloned();
        if let DerivedNews::Failed(message) = news {
            context.commands.toast(Level::Error, message);
        }
        let ArrangedRows { visited, rows } = self.arranged.take()?;
        let rows = rows?;
        if !visited.is_empty() {
            let queue = self.queue.rearranged(visited.len(), rows);
            return Some(std::mem::replace(&mut self.queue, queue));
        }
        let is_file_order =
            self.basis.as_ref().is_some_and(|basis| basis.wanted.order == LabellingOrder::File);
        let current = self.queue.current().filter(|_| is_file_order);
        let before = std::mem::replace(&mut self.queue, Queue::new(rows));
        if let Some(at) = current.and_then(|row| self.queue.rows().binary_search(&row).ok()) {
            self.queue.go_to(at);
        }
        Some(before)
    }
}

fn flagged_keys(values: &Values) -> HashSet<&str> {
    values.flags().map(|(image, _)| image).collect()
}

fn answer(
    wanted: &Wanted,
    dataset: &Dataset,
    suggestions: Option<&Suggestions>,
    flagged: Option<&HashSet<&str>>,
    visited: &[usize],
    keep_going: &mut KeepGoing<'_>,
) -> Option<Vec<usize>> {
    let visited: HashSet<usize> = visited.iter().copied().collect();
    let mut rows = candidates::rows(dataset);
    match &wanted.which {
        Which::All => {}
        Which::ToDo => {
            rows.retain(|row| wanted.tasks.iter().any(|task| dataset.rows[*row].labels[*task].is_missing()));
        }
        Which::Flagged => {
            rows.retain(|row| flagged.is_some_and(|keys| keys.contains(&*dataset.image_key(*row))));
        }
        Which::These(these, _) => {
            let these: HashSet<&str> = these.iter().map(String::as_str).collect();
            rows.retain(|row| these.contains(&*dataset.image_key(*row)));
        }
    }
    if !wanted.filter.is_empty() {
        let matching = wanted.filter.matching(dataset);
        rows.retain(|row| matching.binary_search(row).is_ok());
    }
    if !visited.is_empty() {
        rows.retain(|row| !visited.contains(row));
    }
    let labels = candidates::labels(dataset);
    let question = Question {
        order: wanted.order,
        uncertainty: wanted.uncertainty,
        tasks: &wanted.tasks,
        labels: &labels,
        rows: &rows,
        suggestions,
    };
    arrange(&question, keep_going).map(|arranged| arranged.rows)
}
