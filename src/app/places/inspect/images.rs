//! The grid of images, and one of them large.
//!
//! Which images is an [`Inspection::select`] in the background; this file keeps what was found and what is
//! open. The bar above the grid, the cells, the large view and the heat maps are in the files below.

mod cells;
mod details;
mod filter_bar;
mod large;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::Ui;
use tasklens_data::dataset::Dataset;
use tasklens_data::text::grouped;
use tasklens_net::evaluation::browse::{BrowseOrder, Query, Verdict};
use tasklens_net::evaluation::inspection::Inspection;

use super::inspected_run::{InspectedRun, Loaded};
use super::neighbours::NeighboursStrip;
use super::{Action, Focus};
use crate::app::command::{ImageAction, Level};
use crate::app::context::ViewContext;
use crate::app::services::derived::{Derived, DerivedNews};
use crate::app::theme::GRID;
use crate::app::theme::icons;
use crate::app::widgets::empty_place;
use crate::app::widgets::heat_map::{HeatMaps, HeatSubject};
use crate::app::widgets::thumbnail_grid::{GridState, ThumbnailGrid};
use cells::{CAPTION, ItemCells};

/// Sides of the pictures, in points.
const SIDES: std::ops::RangeInclusive<f32> = 26.0 * GRID..=80.0 * GRID;

/// The items that are shown are numbers within this.
#[derive(Clone)]
pub struct ItemBasis {
    version: u64,
    inspection: Arc<Inspection>,
    dataset: Arc<Dataset>,
}

impl ItemBasis {
    /// What is loaded now.
    pub fn of(loaded: &Loaded) -> Self {
        let (inspection, dataset) = (Arc::clone(&loaded.inspection), Arc::clone(&loaded.dataset));
        Self { version: loaded.version, inspection, dataset }
    }

    fn image_of_row(&self, row: usize) -> Option<&Path> {
        Some(&self.dataset.rows.get(row)?.image)
    }

    fn image(&self, item: usize) -> Option<&Path> {
        self.image_of_row(*self.inspection.rows.get(item)?)
    }

    /// What the network says of an item, for its heat map.
    fn heat_subject(&self, item: usize, focus: usize) -> HeatSubject<'_> {
        let tasks = &self.inspection.tasks;
        HeatSubject {
            tasks: tasks.iter().map(|task| &task.task).collect(),
            predicted: tasks.iter().filter_map(|task| task.predicted.get(item).copied()).collect(),
            focus,
        }
    }

    /// The number that an item has in another basis where its row has not moved.
    fn item_in_place(&self, item: usize, other: &Self) -> Option<usize> {
        let row = *self.inspection.rows.get(item)?;
        let is_same = other.image_of_row(row) == self.image_of_row(row);
        other.inspection.rows.binary_search(&row).ok().filter(|_| is_same)
    }

    /// The number that an item has in another basis, wherever its row is there.
    fn item_in(&self, item: usize, other: &Self) -> Option<usize> {
        let image = self.image(item)?;
        let elsewhere = || (0..other.inspection.len()).find(|item| other.image(*item) == Some(image));
        self.item_in_place(item, other).or_else(elsewhere)
    }

    /// [`Self::item_in`] for many items, ascending; what is not there is left out.
    fn items_in(&self, items: &[usize], other: &Self) -> Vec<usize> {
        let in_place: Option<Vec<usize>> =
            items.iter().map(|item| self.item_in_place(*item, other)).collect();
        if let Some(items) = in_place {
            return items;
        }
        let places = (0..other.inspection.len()).filter_map(|item| Some((other.image(item)?, item)));
        let places: HashMap<&Path, usize> = places.collect();
        let mut found: Vec<usize> =
            items.iter().filter_map(|item| places.get(self.image(*item)?).copied()).collect();
        found.sort_unstable();
        found
    }
}

/// What a search found.
struct FoundItems {
    basis: ItemBasis,
    query: Query,
    /// The items found, in the order of the query.
    items: Vec<usize>,
    /// How many there are without any filter, in this part.
    of: usize,
    /// Per label how many there would be, were it the true (predicted) one that is filtered by.
    actual: Vec<usize>,
    predicted: Vec<usize>,
}

impl FoundItems {
    fn new(basis: ItemBasis, query: Query) -> Self {
        let inspection = &basis.inspection;
        let items = inspection.select(&query);
        let task = &inspection.tasks[query.task];
        let mut actual = vec![0; task.task.labels.len()];
        let mut predicted = actual.clone();
        let in_any_order = Query { order: BrowseOrder::Row, descending: false, ..query.clone() };
        for item in inspection.select(&Query { actual: None, ..in_any_order.clone() }) {
            if let Some(label) = task.labels[item] {
                actual[label as usize] += 1;
            }
        }
        for item in inspection.select(&Query { predicted: None, ..in_any_order }) {
            predicted[task.predicted[item] as usize] += 1;
        }
        let in_part = Query { task: query.task, part: query.part, ..Query::default() };
        let of = inspection.select(&in_part).len();
        Self { basis, query, items, of, actual, predicted }
    }
}

/// The Images tab: a grid of images by query, or one image large.
pub struct ImagesTab {
    query: Query,
    /// In words what [`Query::among`] is.
    title: Option<String>,
    /// Of a version of the inspection and a query.
    found: Derived<(u64, Query), FoundItems>,
    basis: Option<ItemBasis>,
    grid: GridState,
    side: f32,
    /// The item shown large, and its place among those found.
    large: Option<usize>,
    large_at: Option<usize>,
    heat: HeatMaps<PathBuf>,
    neighbours: NeighboursStrip,
}

impl Default for ImagesTab {
    fn default() -> Self {
        Self {
            query: mistakes(),
            title: None,
            found: Derived::default(),
            basis: None,
            grid: GridState::default(),
            side: 36.0 * GRID,
            large: None,
            large_at: None,
            heat: HeatMaps::default(),
            neighbours: NeighboursStrip::default(),
        }
    }
}

/// What the tab begins with: where the network is wrong, and most sure of it, first.
fn mistakes() -> Query {
    Query { verdict: Verdict::Wrong, order: BrowseOrder::Confidence, descending: true, ..Query::default() }
}

impl ImagesTab {
    /// The longest side of the images, in points.
    pub fn side(&self) -> f32 {
        self.side
    }

    /// Shows images in this size, as far as it can be chosen.
    pub fn set_side(&mut self, side: f32) {
        self.side = side.clamp(*SIDES.start(), *SIDES.end());
    }

    /// Shows the grid, or the image that was opened.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        inspected: &InspectedRun,
        loaded: &Loaded,
        focus: &Focus,
        context: &mut ViewContext<'_>,
    ) -> Option<Action> {
        let lost = self.renumber(ItemBasis::of(loaded));
        if lost > 0 {
            let message = format!(
                "{} of the selected images can no longer be shown: the CSV or the predictions have changed",
                grouped(lost as u64)
            );
            context.commands.toast(Level::Info, message);
        }
        self.set_focus(focus);
        self.search(context);
        match (self.large, self.basis.clone()) {
            (Some(item), Some(basis)) => self.large_ui(ui, &basis, item, (inspected, loaded), context),
            _ => self.grid_ui(ui, context),
        }
        None
    }

    /// Shows the images of a query, whose items are numbers within `basis`.
    pub fn browse(&mut self, query: Query, title: Option<String>, basis: ItemBasis) {
        self.renumber(basis);
        self.query = query;
        self.title = title;
        self.large = None;
    }

    /// Shows an item of `basis` large.
    pub fn open(&mut self, item: usize, basis: ItemBasis) {
        self.renumber(basis);
        self.show_large(Some(item));
    }

    /// More outputs, other labels, or rows that were read anew: items get other numbers. How many of the images
    /// that another tab asked for are not there any more.
    fn renumber(&mut self, newer: ItemBasis) -> usize {
        let mut lost = 0;
        if let Some(basis) = &self.basis {
            if basis.version == newer.version {
                return 0;
            }
            if let Some(among) = &self.query.among {
                let items = basis.items_in(among, &newer);
                lost = among.len() - items.len();
                self.query.among = Some(Arc::new(items));
            }
            self.large = self.large.and_then(|item| basis.item_in(item, &newer));
        }
        self.basis = Some(newer);
        lost
    }

    /// Task and part are chosen above all tabs; labels are those of one task.
    fn set_focus(&mut self, focus: &Focus) {
        if self.query.task != focus.task {
            (self.query.actual, self.query.predicted) = (None, None);
        }
        (self.query.task, self.query.part) = (focus.task, focus.part);
    }

    /// Finds the items in the background.
    fn search(&mut self, context: &ViewContext<'_>) {
        let Some(basis) = &self.basis else { return };
        if basis.inspection.tasks.get(self.query.task).is_none() {
            return;
        }
        let key = (basis.version, self.query.clone());
        let news = self.found.want(&key, || {
            let (with, query) = (basis.clone(), self.query.clone());
            context.jobs.start_quietly("Filtering", move |_| Ok(FoundItems::new(with, query)))
        });
        match news {
            Some(DerivedNews::Value(before)) => self.take_in(before.as_ref()),
            Some(DerivedNews::Failed(message)) => context.commands.toast(Level::Error, message),
            Some(DerivedNews::Cancelled) | None => {}
        }
    }

    /// The cursor follows its image where the same question was asked about more images.
    fn take_in(&mut self, before: Option<&FoundItems>) {
        let Some(found) = self.found.get() else { return };
        let cursor = match before {
            Some(before) if before.query == found.query => self.grid.cursor().and_then(|at| {
                let item = before.basis.item_in(*before.items.get(at)?, &found.basis)?;
                found.items.iter().position(|other| *other == item)
            }),
            _ => {
                self.grid.reset();
                None
            }
        };
        if let Some(cursor) = cursor {
            self.grid.set_cursor(cursor);
        }
        self.show_large(self.large);
    }

    fn grid_ui(&mut self, ui: &mut Ui, context: &mut ViewContext<'_>) {
        self.filter_bar_ui(ui, context);
        ui.add_space(GRID);
        let Some(found) = self.found.get() else { return };
        if found.items.is_empty() {
            self.nothing_ui(ui);
            return;
        }
        let cells = ItemCells(found, std::cell::Cell::default());
        let grid = ThumbnailGrid::new("Images found").side(self.side).caption(CAPTION);
        let response = grid.ui(ui, context.thumbnails, &mut self.grid, &cells);
        let chosen = cells.1.take();
        match (response.opened, chosen) {
            (Some(at), _) | (None, Some((at, ImageAction::Open))) => self.show_large(self.item_at(at)),
            (None, Some((at, action))) => {
                let row = found.items.get(at).and_then(|item| found.basis.inspection.rows.get(*item));
                let rows = row.copied().into_iter().collect();
                action.on_rows(&found.basis.dataset, rows, context.commands);
            }
            (None, None) => {}
        }
    }

    fn nothing_ui(&mut self, ui: &mut Ui) {
        let query = &self.query;
        let is_narrowed = query.among.is_some() || query.actual.is_some() || query.predicted.is_some();
        if query.verdict == Verdict::Wrong && !is_narrowed {
            let text = "The network is right about every labelled image of this split. Choose another split or \
                        task above.";
            empty_place(ui, icons::CHECK_CIRCLE, "No mistakes here", text, |ui| {
                if ui.button("Show all images").clicked() {
                    self.query.verdict = Verdict::Any;
                }
            });
            return;
        }
        let text = "No image of this split has this verdict and these labels.";
        empty_place(ui, icons::FUNNEL, "No image matches", text, |ui| {
            if ui.button("Reset filters").clicked() {
                (self.query, self.title) = (mistakes(), None);
            }
        });
    }

    /// The item at a place among those found, which may be older than the basis for some frames.
    fn item_at(&self, at: usize) -> Option<usize> {
        let (found, basis) = (self.found.get()?, self.basis.as_ref()?);
        found.basis.item_in(*found.items.get(at)?, basis)
    }

    /// Shows an item large, or the grid again.
    fn show_large(&mut self, item: Option<usize>) {
        self.large = item;
        self.large_at = self.found.get().zip(self.basis.as_ref()).and_then(|(found, basis)| {
            let item = basis.item_in(item?, &found.basis)?;
            found.items.iter().position(|other| *other == item)
        });
        if let Some(at) = self.large_at {
            self.grid.set_cursor(at);
        }
    }
}
