//! Which images the grid shows besides the queue: those like one, or those whose suggestion is sure enough.

use std::collections::HashSet;
use std::sync::Arc;

use tasklens_data::dataset::Dataset;
use tasklens_data::work::KeepGoing;
use tasklens_net::inference::neighbours::nearest_to_item;
use tasklens_net::labelling::candidates;
use tasklens_net::labelling::suggestions::Suggestions;

use super::alike::{Cut, cut};
use crate::app::command::Level;
use crate::app::context::ViewContext;
use crate::app::services::derived::{Derived, DerivedNews};

/// So many of the most similar images are listed.
const MOST_ALIKE: usize = 2000;

/// What the grid shows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Collection {
    /// The images in order.
    #[default]
    Queue,
    /// An image, and those without a label for the task that are most like it.
    Like { row: usize, task: usize },
    /// Images without a label for the task whose suggestion is at least so probable.
    Sure {
        task: usize,
        /// The least probability, 0 to 1.
        threshold: f32,
    },
}

/// The rows of a collection.
#[derive(Clone, Debug, Default)]
pub struct CollectedRows {
    /// In the order of the grid.
    pub rows: Vec<usize>,
    /// Per row how alike it is (cosine) or how probable its suggestion.
    pub values: Vec<f32>,
    /// Rows that the user took out of the selection: they stay out.
    pub refused: HashSet<usize>,
    /// Where those like one end.
    pub cut: Option<Cut>,
}

/// The collection and the job that gathers it.
#[derive(Default)]
pub struct Collector {
    /// Which images the grid shows.
    pub collection: Collection,
    found: Derived<CollectionBasis, CollectedRows>,
}

/// What a collection was gathered from.
#[derive(Clone, Copy, Debug, PartialEq)]
struct CollectionBasis {
    collection: Collection,
    /// The version of the suggestions.
    version: u64,
    /// The generation of the project.
    generation: u64,
}

impl Collector {
    /// What was found, where something else than the queue is shown.
    pub fn found(&self) -> Option<&CollectedRows> {
        let is_same = match (self.found.key()?.collection, self.collection) {
            (Collection::Sure { task: a, .. }, Collection::Sure { task: b, .. }) => a == b,
            (a, b) => a == b,
        };
        self.found.get().filter(|_| is_same)
    }

    /// The same, to be changed.
    pub fn found_mut(&mut self) -> Option<&mut CollectedRows> {
        self.found()?;
        self.found.get_mut()
    }

    /// Whether something is being gathered.
    pub fn is_busy(&self) -> bool {
        self.found.is_busy()
    }

    /// Takes in what was gathered and gathers anew where something has changed. Whether there is something new.
    pub fn poll(&mut self, suggestions: Option<(&Arc<Suggestions>, u64)>, context: &ViewContext<'_>) -> bool {
        let is_new = self.take_in(context);
        let (Some(project), Some((suggestions, version))) = (context.project, suggestions) else {
            return is_new;
        };
        let collection = self.collection;
        if collection == Collection::Queue {
            self.found = Derived::default();
            return is_new;
        }
        // Labels that were just given leave the list, but not while another one is being gathered.
        if self.found.asked().is_some_and(|asked| asked.collection == collection) {
            return is_new;
        }
        self.found.want(&CollectionBasis { collection, version, generation: project.generation }, || {
            let (suggestions, dataset) = (Arc::clone(suggestions), Arc::clone(&project.dataset));
            context.jobs.start_quietly("Gathering images", move |progress| {
                Ok(match collection {
                    Collection::Queue => CollectedRows::default(),
                    Collection::Sure { task, threshold } => sure(&dataset, &suggestions, task, threshold),
                    Collection::Like { row, task } => {
                        alike(&dataset, &suggestions, row, task, &mut |_, _| progress.keep_going())
                    }
                })
            })
        });
        is_new
    }

    /// Whether something new was gathered.
    fn take_in(&mut self, context: &ViewContext<'_>) -> bool {
        let was_shown = self.found().is_some();
        match self.found.take_in() {
            Some(DerivedNews::Value(before)) => {
                let refused = before.filter(|_| was_shown).map(|before| before.refused);
                if let Some((found, refused)) = self.found.get_mut().zip(refused) {
                    found.refused = refused;
                }
                true
            }
            Some(DerivedNews::Failed(message)) => {
                self.collection = Collection::Queue;
                context.commands.toast(Level::Error, message);
                false
            }
            Some(DerivedNews::Cancelled) | None => false,
        }
    }
}

/// A row with the most probable label of a task.
struct Suggested {
    row: usize,
    label: u32,
    probability: f32,
}

/// By label, the most probable first: what is wrong stands out among its like.
fn sure(dataset: &Dataset, suggestions: &Suggestions, task: usize, threshold: f32) -> CollectedRows {
    let unlabelled = candidates::rows(dataset).into_iter().filter(|row| !dataset.has_text(*row, task));
    let mut all: Vec<Suggested> = unlabelled
        .filter_map(|row| {
            let (label, probability) = suggestions.top(task, row)?;
            (probability >= threshold).then_some(Suggested { row, label, probability })
        })
        .collect();
    all.sort_by(|a, b| {
        a.label.cmp(&b.label).then(b.probability.total_cmp(&a.probability)).then(a.row.cmp(&b.row))
    });
    CollectedRows {
        rows: all.iter().map(|suggested| suggested.row).collect(),
        values: all.iter().map(|suggested| suggested.probability).collect(),
        ..CollectedRows::default()
    }
}

fn alike(
    dataset: &Dataset,
    suggestions: &Suggestions,
    row: usize,
    task: usize,
    keep_going: &mut KeepGoing<'_>,
) -> CollectedRows {
    let mut found = CollectedRows { rows: vec![row], values: vec![1.0], ..CollectedRows::default() };
    let Some(item) = suggestions.item_of(row) else { return found };
    let candidates: HashSet<usize> =
        candidates::rows(dataset).into_iter().filter(|row| !dataset.has_text(*row, task)).collect();
    // The nearest may be labelled already: of all images enough are looked at.
    let all = nearest_to_item(suggestions.features(), item, suggestions.rows().len(), keep_going);
    let all = all.unwrap_or_default();
    for neighbour in &all {
        let row = suggestions.rows()[neighbour.item];
        if candidates.contains(&row) {
            found.rows.push(row);
            found.values.push(neighbour.similarity);
        }
        if found.rows.len() > MOST_ALIKE {
            break;
        }
    }
    let similarities: Vec<f32> = all.iter().map(|neighbour| neighbour.similarity).collect();
    found.cut = Some(cut(&found.values[1..], &similarities));
    found
}
