//! Many images small: one key labels all that are chosen.

use std::collections::HashSet;

use egui::{Frame, Margin, Panel, Role, Ui, WidgetInfo};
use tasklens_data::dataset::edits::{AnnotationChange, AnnotationSource};

use super::actions::GivenLabel;
use super::cells::Cells;
use super::collect::{Collection, Collector};
use super::panel::{MOST_COUNTED, PressedLabel};
use super::queue::Queue;
use super::{LabelView, Mode};
use crate::app::context::ViewContext;
use crate::app::theme::GRID;
use crate::app::theme::icons;
use crate::app::widgets::drawer::Drawer;
use crate::app::widgets::empty_place;
use crate::app::widgets::thumbnail_grid::{GridState, Selection, ThumbnailGrid};

const CAPTION: f32 = 6.0 * GRID;
/// Sides of the pictures, in points.
pub(super) const SIDES: std::ops::RangeInclusive<f32> = 22.0 * GRID..=80.0 * GRID;
const PANEL_WIDTH: f32 = 300.0;
/// Below this width, the panel is a drawer.
const WIDE: f32 = 560.0;
/// What the drawer is called on its button.
pub(super) const TASKS: &str = "the tasks";
/// Without a model as sure as this, few suggestions are wrong.
const SURE: f32 = 0.95;
const HINTS: [(&str, &str); 6] = [
    ("1\u{2013}9, A\u{2013}Z", "label the selection"),
    ("Tab", "next task"),
    ("drag, Alt+drag", "select"),
    ("Space", "select one"),
    ("Enter", "open"),
    ("G", "one image"),
];

const REVIEW_HINTS: [(&str, &str); 4] = [
    ("click, Space", "tick or take out"),
    ("Enter", "accept what is ticked"),
    ("double click", "open"),
    ("Escape", "back, changing nothing"),
];

/// A larger selection does not go with its images when they are arranged anew: that would take too long.
const MOST_FOLLOWED: usize = 50_000;

/// What the grid remembers.
pub struct Many {
    pub(super) grid: GridState,
    pub(super) side: f32,
    pub(super) collector: Collector,
    pub(super) threshold: f32,
    pub(super) drawer: Drawer,
    /// The least similarity that the user chose; `None` is where the gap is, within a screenful.
    likeness: Option<f32>,
    wanted_cursor: Option<usize>,
}

impl Default for Many {
    fn default() -> Self {
        Self {
            grid: GridState::default(),
            side: 30.0 * GRID,
            collector: Collector::default(),
            threshold: SURE,
            likeness: None,
            drawer: Drawer::default(),
            wanted_cursor: None,
        }
    }
}

impl Many {
    /// Shows the queue with the cursor on a position.
    pub(super) fn show(&mut self, at: usize) {
        self.leave();
        self.wanted_cursor = Some(at);
    }

    /// Back to the queue.
    pub(super) fn leave(&mut self) {
        if self.collector.collection != Collection::Queue {
            self.collector.collection = Collection::Queue;
            self.grid.reset();
        } else {
            self.grid.set_selection(Selection::default());
        }
    }

    /// Rows have other numbers now: nothing is chosen or gathered any more.
    pub(super) fn on_other_rows(&mut self) {
        *self = Self { side: self.side, threshold: self.threshold, ..Self::default() };
    }

    /// The queue was arranged anew: what is chosen stays chosen, wherever it is now.
    pub(super) fn follow(&mut self, before: &Queue, now: &Queue) {
        if self.collector.collection != Collection::Queue || before.rows() == now.rows() {
            return;
        }
        let at = |position: usize| before.rows().get(position).copied();
        let old = self.grid.selection();
        let cursor = self.grid.cursor().and_then(at);
        let chosen: HashSet<usize> = match old.len() {
            ..=MOST_FOLLOWED => old.iter().filter_map(at).collect(),
            _ => HashSet::new(),
        };
        let mut selection = Selection::default();
        let mut place = None;
        for (position, row) in now.rows().iter().enumerate() {
            if chosen.contains(row) {
                selection.toggle(position);
            }
            if cursor == Some(*row) {
                place = Some(position);
            }
        }
        self.grid.follow(place, selection);
    }

    /// The task that images are gathered for.
    pub(super) fn task(&self) -> Option<usize> {
        match self.collector.collection {
            Collection::Queue => None,
            Collection::Like { task, .. } | Collection::Sure { task, .. } => Some(task),
        }
    }

    pub(super) fn gather(&mut self, collection: Collection) {
        self.collector.collection = collection;
        self.likeness = None;
        self.grid.reset();
    }

    /// The least similarity of what is selected.
    pub(super) fn likeness(&self) -> f32 {
        let cut = || self.collector.found().and_then(|found| found.cut);
        self.likeness.or_else(|| Some(cut()?.threshold)).unwrap_or(1.0)
    }

    /// Selects what is at least so similar.
    pub(super) fn set_likeness(&mut self, likeness: f32) {
        self.likeness = Some(likeness);
        self.choose();
    }

    /// Chooses what the slider and the user's refusals leave.
    pub(super) fn choose(&mut self) {
        let screenful = self.grid.screenful();
        let Some(found) = self.collector.found() else { return };
        let most = match (found.cut, self.likeness) {
            (Some(_), Some(likeness)) => found.values.iter().take_while(|value| **value >= likeness).count(),
            // The image itself comes first.
            (Some(cut), None) => (1 + cut.count).min(screenful.max(1)),
            (None, _) => found.rows.len(),
        };
        let mut selection = Selection::range(0..most);
        for (at, row) in found.rows.iter().enumerate().take(most) {
            if found.refused.contains(row) {
                selection.toggle(at);
            }
        }
        self.grid.set_selection(selection);
    }
}

impl LabelView {
    pub(super) fn many_ui(&mut self, ui: &mut Ui, context: &mut ViewContext<'_>) {
        let suggestions = self.session.suggestions().map(|all| (all, self.session.version()));
        if self.grid.collector.poll(suggestions, context) {
            self.grid.choose();
        }
        let id = ui.make_persistent_id("Images to label");
        self.grid.drawer.keys(ui);
        self.many_keys(ui, id, context);
        // The panel says no more of more, and a frame must not wait for a million.
        let rows = self.chosen_rows(MOST_COUNTED + 1);
        let mut pressed = None;
        let is_review = matches!(self.grid.collector.collection, Collection::Sure { .. });
        let hints: &[_] = if is_review { &REVIEW_HINTS } else { &HINTS };
        let area = ui.available_rect_before_wrap();
        let is_wide = area.width() >= WIDE;
        if is_wide {
            let panel = Panel::right("tasks of many").exact_size((area.width() * 0.4).min(PANEL_WIDTH));
            panel.resizable(false).show_separator_line(false).frame(Frame::new()).show(ui, |ui| {
                pressed = self.side_ui(ui, &rows, Some(hints), context);
            });
        } else {
            let mut drawer = std::mem::take(&mut self.grid.drawer);
            let content = |ui: &mut Ui| pressed = self.side_ui(ui, &rows, None, context);
            drawer.ui(ui, TASKS, area, PANEL_WIDTH + 6.0 * GRID, content);
            self.grid.drawer = drawer;
        }
        let margin = Margin { left: 0, right: if is_wide { 16 } else { 0 }, top: 0, bottom: 0 };
        egui::CentralPanel::no_frame().frame(Frame::new().inner_margin(margin)).show(ui, |ui| {
            self.images = Some(ui.max_rect());
            self.many_bar_ui(ui, &rows, !is_wide, context);
            ui.add_space(GRID);
            // The labels of the last row can be read beside a notice.
            let mut space = ui.available_rect_before_wrap();
            space.max.y -= self.covered;
            ui.scope_builder(egui::UiBuilder::new().max_rect(space), |ui| self.cells_ui(ui, id, context));
        });
        if let Some(PressedLabel { task, label }) = pressed {
            self.task = task;
            self.give_many(task, label, context);
        }
    }

    /// The rows of the grid, in order.
    fn grid_rows(&self) -> &[usize] {
        match (self.grid.collector.collection, self.grid.collector.found()) {
            (Collection::Queue, _) => self.arrangement.queue.rows(),
            (_, Some(found)) => &found.rows,
            (_, None) => &[],
        }
    }

    /// The chosen rows, or the one with the cursor; of more than `most` the first.
    pub(super) fn chosen_rows(&self, most: usize) -> Vec<usize> {
        let (rows, grid) = (self.grid_rows(), &self.grid.grid);
        let at = |position: usize| rows.get(position).copied();
        match grid.selection().is_empty() {
            true => grid.cursor().and_then(at).into_iter().collect(),
            false => grid.selection().iter().filter_map(at).take(most).collect(),
        }
    }

    /// How many rows are chosen.
    pub(super) fn chosen_count(&self) -> usize {
        let selection = self.grid.grid.selection();
        if selection.is_empty() { self.chosen_rows(1).len() } else { selection.len() }
    }

    pub(super) fn give_many(&mut self, task: usize, label: GivenLabel, context: &ViewContext<'_>) {
        let rows = self.chosen_rows(usize::MAX);
        if !rows.is_empty() {
            self.give(&rows, task, label, AnnotationSource::Hand, context);
        }
    }

    /// Each chosen image gets its own suggestion.
    pub(super) fn accept_chosen(&mut self, context: &ViewContext<'_>) {
        let Some((dataset, edits)) = super::actions::editable(context) else { return };
        let rows = self.chosen_rows(usize::MAX);
        // What was given a label since the list was gathered keeps it.
        let change = |row: &usize| self.suggested_change(dataset, edits, *row, self.task);
        let changes: Vec<AnnotationChange> = rows.iter().filter_map(change).collect();
        self.send(changes, AnnotationSource::Suggestion, context);
    }

    fn cells_ui(&mut self, ui: &mut Ui, id: egui::Id, context: &mut ViewContext<'_>) {
        let (Some(project), Some(edits)) = (context.project, context.edits) else { return };
        if self.grid_rows().is_empty() {
            // The keys go on, such as Escape that leads back.
            let ground = ui.available_rect_before_wrap();
            let ground = ui.interact(ground, id, egui::Sense::focusable_noninteractive());
            ground.widget_info(|| WidgetInfo::labeled(Role::ListBox, true, "Images to label"));
            self.keep_focus(ui, id);
            if self.grid.collector.is_busy() || self.arrangement.is_busy() {
                return;
            }
            let (title, text) = match self.grid.collector.collection {
                Collection::Sure { .. } => (
                    "No suggestion is this confident",
                    "Lower the probability to see more, and check each of them.",
                ),
                _ => ("No images", "Nothing is left in this list: choose another list above."),
            };
            empty_place(ui, icons::IMAGES, title, text, |_| {});
            return;
        }
        if let Some(at) = self.grid.wanted_cursor.take() {
            self.grid.grid.set_cursor(at);
        }
        let collection = self.grid.collector.collection;
        let before = self.grid.grid.selection().clone();
        let mut state = std::mem::take(&mut self.grid.grid);
        let cells = Cells {
            rows: self.grid_rows(),
            values: self.grid.collector.found().map(|found| found.values.as_slice()),
            dataset: &project.dataset,
            edits,
            suggestions: self.session.suggestions().map(|all| all.as_ref()),
            task: self.task,
            shows_value: matches!(collection, Collection::Like { .. }),
        };
        let grid = ThumbnailGrid::new("Images to label").side(self.grid.side).caption(CAPTION).many().id(id);
        let grid = grid.toggling(collection != Collection::Queue);
        let response = grid.ui(ui, context.thumbnails, &mut state, &cells);
        self.grid.grid = state;
        if self.grid.grid.selection() != &before {
            self.note_refusals(&before);
        }
        if let Some(at) = response.opened {
            self.open(at, context);
        }
        self.keep_focus(ui, id);
    }

    /// What the user takes out of a gathered list stays out when it is gathered anew.
    fn note_refusals(&mut self, before: &Selection) {
        let now = self.grid.grid.selection().clone();
        if let Some(found) = self.grid.collector.found_mut() {
            for (at, row) in found.rows.iter().enumerate() {
                match (before.contains(at), now.contains(at)) {
                    (true, false) => {
                        found.refused.insert(*row);
                    }
                    (false, true) => {
                        found.refused.remove(row);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Shows the image at a position large.
    fn open(&mut self, at: usize, context: &ViewContext<'_>) {
        let Some(row) = self.grid_rows().get(at).copied() else { return };
        let queue = &mut self.arrangement.queue;
        let place = match self.grid.collector.collection {
            Collection::Queue => Some(at),
            _ => queue.rows().iter().position(|other| *other == row),
        };
        if let Some(place) = place {
            queue.go_to(place);
            self.on_image(context);
            self.mode = Mode::One;
        }
    }
}
