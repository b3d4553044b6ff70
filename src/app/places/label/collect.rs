//! Which images the grid shows besides the queue: those like one, or those whose suggestion is sure enough.

use std::collections::HashSet;
use std::sync::Arc;

use tasklens_data::dataset::Dataset;
use tasklens_data::work::KeepGoing;
use tasklens_net::inference::neighbours::nearest_to_item;
use tasklens_net::labelling::candidates;
use tasklens_net::labelling::suggestions::Suggestions;

use crate::app::command::Level;
use crate::app::context::ViewContext;
use crate::app::services::jobs::{Job, Outcome};

/// So many of the most similar images are listed.
const MOST_ALIKE: usize = 2000;

/// What the grid shows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Collection {
    /// The images in order.
    #[default]
    Queue,
    /// An image, and those without a label for the task that are most like it.
    Like {
        /// The image.
        row: usize,
        /// The task.
        task: usize,
    },
    /// Images without a label for the task whose suggestion is at least so probable.
    Sure {
        /// The task.
        task: usize,
        /// 0 to 1.
        threshold: f32,
    },
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// In order.
    pub rows: Vec<usize>,
    /// Per row how alike it is (cosine) or how probable its suggestion.
    pub values: Vec<f32>,
    /// Rows that the user took out of the selection: they stay out.
    pub refused: HashSet<usize>,
}

/// The collection and the job that gathers it.
#[derive(Default)]
pub struct Collector {
    /// What is shown.
    pub collection: Collection,
    /// What was gathered last, with what it was gathered from.
    found: Option<((Collection, u64, u64), Found)>,
    job: Option<((Collection, u64, u64), Job<Found>)>,
}

impl Collector {
    /// What was found, where something else than the queue is shown.
    pub fn found(&self) -> Option<&Found> {
        let ((collection, ..), found) = self.found.as_ref()?;
        let is_same = match (*collection, self.collection) {
            (Collection::Sure { task: a, .. }, Collection::Sure { task: b, .. }) => a == b,
            (a, b) => a == b,
        };
        is_same.then_some(found)
    }

    /// The same, to be changed.
    pub fn found_mut(&mut self) -> Option<&mut Found> {
        self.found()?;
        self.found.as_mut().map(|(_, found)| found)
    }

    /// Whether something is being gathered.
    pub fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// Takes in what was gathered and gathers anew where something has changed. Whether there is something new.
    pub fn poll(&mut self, suggestions: Option<(&Arc<Suggestions>, u64)>, context: &ViewContext<'_>) -> bool {
        let mut is_new = false;
        match self.job.as_mut().and_then(|(_, job)| job.poll()) {
            Some(Outcome::Done(mut found)) => {
                let basis = self.job.take().map(|(basis, _)| basis);
                if let Some(before) = self.found() {
                    found.refused.clone_from(&before.refused);
                }
                self.found = basis.map(|basis| (basis, found));
                is_new = true;
            }
            Some(Outcome::Failed(message)) => {
                self.job = None;
                self.collection = Collection::Queue;
                context.commands.toast(Level::Error, message);
            }
            Some(Outcome::Cancelled) => self.job = None,
            None => {}
        }
        let (Some(project), Some((suggestions, version))) = (context.project, suggestions) else {
            return is_new;
        };
        if self.collection == Collection::Queue {
            (self.found, self.job) = (None, None);
            return is_new;
        }
        let basis = (self.collection, version, project.generation);
        let latest =
            self.job.as_ref().map(|(basis, _)| basis).or(self.found.as_ref().map(|(basis, _)| basis));
        // Labels that were just given leave the list, but not while another one is being gathered.
        if latest == Some(&basis) || self.job.as_ref().is_some_and(|(of, _)| of.0 == basis.0) {
            return is_new;
        }
        let (suggestions, dataset) = (Arc::clone(suggestions), Arc::clone(&project.dataset));
        let job = context.jobs.start_quietly("Gathering images", move |progress| {
            Ok(match basis.0 {
                Collection::Queue => Found::default(),
                Collection::Sure { task, threshold } => sure(&dataset, &suggestions, task, threshold),
                Collection::Like { row, task } => {
                    alike(&dataset, &suggestions, row, task, &mut |_, _| progress.keep_going())
                }
            })
        });
        self.job = Some((basis, job));
        is_new
    }
}

/// By label, the most probable first: what is wrong stands out among its like.
fn sure(dataset: &Dataset, suggestions: &Suggestions, task: usize, threshold: f32) -> Found {
    let unlabelled = candidates::rows(dataset).into_iter().filter(|row| !dataset.has_text(*row, task));
    let mut all: Vec<(u32, f32, usize)> = unlabelled
        .filter_map(|row| {
            let (label, probability) = suggestions.top(task, row)?;
            (probability >= threshold).then_some((label, probability, row))
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
    Found {
        rows: all.iter().map(|(.., row)| *row).collect(),
        values: all.iter().map(|(_, probability, _)| *probability).collect(),
        refused: HashSet::new(),
    }
}

fn alike(
    dataset: &Dataset,
    suggestions: &Suggestions,
    row: usize,
    task: usize,
    keep_going: &mut KeepGoing<'_>,
) -> Found {
    let mut found = Found { rows: vec![row], values: vec![1.0], refused: HashSet::new() };
    let Some(item) = suggestions.item_of(row) else { return found };
    let candidates: HashSet<usize> =
        candidates::rows(dataset).into_iter().filter(|row| !dataset.has_text(*row, task)).collect();
    // The nearest may be labelled already: of all images enough are looked at.
    let all = nearest_to_item(suggestions.features(), item, suggestions.rows().len(), keep_going);
    for neighbour in all.unwrap_or_default() {
        let row = suggestions.rows()[neighbour.item];
        if candidates.contains(&row) {
            found.rows.push(row);
            found.values.push(neighbour.similarity);
        }
        if found.rows.len() > MOST_ALIKE {
            break;
        }
    }
    found
}
