//! Many images small: one key labels all that are chosen.

use std::collections::HashSet;
use std::path::Path;

use egui::{
    Align, Button, FontId, Frame, Layout, Margin, Panel, Rect, RichText, Role, Slider, Ui, WidgetInfo, vec2,
};

use super::collect::{Collection, Collector};
use super::panel::{MOST_COUNTED, Press};
use super::queue::Queue;
use super::{LabelView, Mode};
use crate::app::context::ViewContext;
use crate::app::format::grouped;
use crate::app::icons;
use crate::app::label_edits::LabelEdits;
use crate::app::theme::{self, GRID, TEXT_SMALL, Tokens};
use crate::app::widgets::empty_place;
use crate::app::widgets::probability_bars::whole_percent;
use crate::app::widgets::thumbnail_grid::{CaptionLine, GridItems, GridState, Selection, ThumbnailGrid};
use crate::dataset::Dataset;
use crate::dataset::edits::{Change, Source};
use crate::labelling::suggestions::Suggestions;

const CAPTION: f32 = 6.0 * GRID;
/// Sides of the pictures, in points.
const SIDES: std::ops::RangeInclusive<f32> = 22.0 * GRID..=80.0 * GRID;
const PANEL_WIDTH: f32 = 300.0;
/// Below this width only the keys label, not the panel.
const WIDE: f32 = 560.0;
/// Without a model as sure as this, few suggestions are wrong.
const SURE: f32 = 0.95;
const ALIKE: f32 = 0.9;
const HINTS: [(&str, &str); 6] = [
    ("1\u{2013}9, A\u{2013}Z", "label the chosen"),
    ("Tab", "next task"),
    ("drag, Alt+drag", "choose"),
    ("Space", "choose one"),
    ("Enter", "open"),
    ("G", "one image"),
];

/// A larger selection does not go with its images when they are arranged anew: that would take too long.
const MOST_FOLLOWED: usize = 50_000;

/// What the grid remembers.
pub struct Many {
    grid: GridState,
    side: f32,
    collector: Collector,
    threshold: f32,
    likeness: f32,
    wanted_cursor: Option<usize>,
}

impl Default for Many {
    fn default() -> Self {
        Self {
            grid: GridState::default(),
            side: 30.0 * GRID,
            collector: Collector::default(),
            threshold: SURE,
            likeness: ALIKE,
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
        *self =
            Self { side: self.side, threshold: self.threshold, likeness: self.likeness, ..Self::default() };
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

    fn gather(&mut self, collection: Collection) {
        self.collector.collection = collection;
        self.grid.reset();
    }

    /// Chooses what the slider and the user's refusals leave.
    fn choose(&mut self) {
        let likeness = self.likeness;
        let is_like = matches!(self.collector.collection, Collection::Like { .. });
        let Some(found) = self.collector.found() else { return };
        let mut selection = Selection::default();
        for (at, (row, value)) in found.rows.iter().zip(&found.values).enumerate() {
            if (!is_like || *value >= likeness) && !found.refused.contains(row) {
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
        self.many_keys(ui, id, context);
        // The panel says no more of more, and a frame must not wait for a million.
        let rows = self.chosen_rows(MOST_COUNTED + 1);
        let mut pressed = None;
        if ui.available_width() >= WIDE {
            let panel =
                Panel::right("tasks of many").exact_size((ui.available_width() * 0.4).min(PANEL_WIDTH));
            panel.resizable(false).show_separator_line(false).frame(Frame::new()).show(ui, |ui| {
                pressed = self.side_ui(ui, &rows, Some(&HINTS), context);
            });
        }
        let margin = Margin { left: 0, right: 16, top: 0, bottom: 0 };
        egui::CentralPanel::no_frame().frame(Frame::new().inner_margin(margin)).show(ui, |ui| {
            self.many_bar_ui(ui, &rows, context);
            ui.add_space(GRID);
            self.cells_ui(ui, id, context);
        });
        if let Some(Press { task, label }) = pressed {
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
    fn chosen_count(&self) -> usize {
        let selection = self.grid.grid.selection();
        if selection.is_empty() { self.chosen_rows(1).len() } else { selection.len() }
    }

    pub(super) fn give_many(&mut self, task: usize, label: Option<usize>, context: &ViewContext<'_>) {
        let rows = self.chosen_rows(usize::MAX);
        if !rows.is_empty() {
            self.give(&rows, task, label, Source::Hand, context);
        }
    }

    /// Each chosen image gets its own suggestion.
    fn accept_chosen(&mut self, context: &ViewContext<'_>) {
        let Some(edits) = super::actions::editable(context) else { return };
        let (base, task) = (edits.base(), self.task);
        let rows = self.chosen_rows(usize::MAX);
        let changes: Vec<Change> = rows
            .iter()
            // What was given a label since the list was gathered keeps it.
            .filter(|row| **row < base.rows.len() && edits.state().label_text(base, **row, task).is_none())
            .filter_map(|row| {
                let (label, _) = self.suggestion(task, *row)?;
                let text = base.tasks.get(task)?.labels.get(label as usize)?;
                Some(edits.state().label_change(base, *row, task, Some(text)))
            })
            .collect();
        self.send(changes, Source::Suggestion, context);
    }

    fn many_bar_ui(&mut self, ui: &mut Ui, rows: &[usize], context: &ViewContext<'_>) {
        let (tokens, count) = (context.tokens, self.chosen_count());
        let task = context.project.and_then(|project| project.dataset.tasks.get(self.task));
        let task = task.map_or("", |task| task.name.as_str());
        let before = self.grid.collector.collection;
        ui.horizontal_wrapped(|ui| match before {
            Collection::Queue => self.queue_bar_ui(ui, rows, context),
            Collection::Like { .. } => {
                ui.label(theme::strong(format!("Like this, without a label for {task}")));
                let mut likeness = self.grid.likeness;
                slider_ui(ui, "Least similarity", &mut likeness, 0.0..=1.0);
                if likeness != self.grid.likeness {
                    self.grid.likeness = likeness;
                    self.grid.choose();
                }
                chosen_ui(ui, tokens, count);
                back_ui(ui, &mut self.grid);
            }
            Collection::Sure { task: of, .. } => {
                ui.label(theme::strong(format!("Suggestions for {task} of at least")));
                let mut threshold = self.grid.threshold;
                slider_ui(ui, "Least probability", &mut threshold, 0.5..=1.0);
                self.grid.threshold = threshold;
                self.grid.collector.collection = Collection::Sure { task: of, threshold };
                let text = format!(
                    "Accept {} suggestion{}",
                    grouped(count as u64),
                    if count == 1 { "" } else { "s" }
                );
                let look = RichText::new(format!("{}  {text}", icons::CHECK)).color(tokens.on_accent);
                let is_enabled = count > 0 && !self.grid.grid.selection().is_empty();
                let button = ui.add_enabled(is_enabled, Button::new(look).fill(tokens.accent));
                button.widget_info(|| WidgetInfo::labeled(Role::Button, is_enabled, &text));
                if button.on_hover_text("Those that are not chosen stay without a label").clicked() {
                    self.accept_chosen(context);
                }
                back_ui(ui, &mut self.grid);
                ui.label(theme::caption(tokens, "Click to take out"));
            }
        });
        if self.grid.collector.collection != before
            && let Collection::Sure { task, .. } = self.grid.collector.collection
        {
            self.task = task;
        }
    }

    fn queue_bar_ui(&mut self, ui: &mut Ui, rows: &[usize], context: &ViewContext<'_>) {
        let tokens = context.tokens;
        let has_task = self.session.suggestions().is_some_and(|all| all.has_task(self.task));
        let has_features = self.session.suggestions().is_some_and(|all| !all.features().is_empty());
        let one = if let [row] = rows { Some(*row) } else { None };
        let is_like = has_features && one.is_some();
        let like = ui.add_enabled(is_like, Button::new("All like this"));
        let why = "Choose one image: those that look most like it to the network are gathered";
        if like.on_hover_text(why).on_disabled_hover_text(why).clicked()
            && let Some(row) = one
        {
            self.grid.gather(Collection::Like { row, task: self.task });
        }
        let review = ui.add_enabled(has_task, Button::new("Review suggestions"));
        let why = "See what the model is sure of, take out what is wrong, and accept the rest at once";
        if review.on_hover_text(why).on_disabled_hover_text(format!("{why}. It needs a model")).clicked() {
            let threshold = self.grid.threshold;
            self.grid.gather(Collection::Sure { task: self.task, threshold });
        }
        chosen_ui(ui, tokens, self.chosen_count());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().slider_width = 24.0 * GRID;
            let side = &mut self.grid.side;
            let slider = ui.add(Slider::new(side, SIDES).show_value(false));
            slider.widget_info(|| WidgetInfo::slider(true, f64::from(*side), "Size of the images"));
            slider.on_hover_text("Size of the images");
        });
    }

    fn cells_ui(&mut self, ui: &mut Ui, id: egui::Id, context: &mut ViewContext<'_>) {
        let (Some(project), Some(edits)) = (context.project, context.edits) else { return };
        if self.grid_rows().is_empty() {
            if self.grid.collector.is_busy() || self.arrangement.is_busy() {
                return;
            }
            let (title, text) = match self.grid.collector.collection {
                Collection::Sure { .. } => {
                    ("No suggestion is so sure", "A lower probability shows more; each is yours to check.")
                }
                _ => ("No images", "Nothing is left in this list: choose another one above."),
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

fn slider_ui(ui: &mut Ui, name: &str, value: &mut f32, range: std::ops::RangeInclusive<f32>) {
    ui.spacing_mut().slider_width = 32.0 * GRID;
    let shown = *value;
    let slider = ui.add(Slider::new(value, range).fixed_decimals(2).step_by(0.01));
    slider.widget_info(|| WidgetInfo::slider(true, f64::from(shown), name));
    slider.on_hover_text(name);
}

fn chosen_ui(ui: &mut Ui, tokens: &Tokens, count: usize) {
    let text = format!("{} chosen", grouped(count as u64));
    ui.add(egui::Label::new(theme::caption(tokens, text)).extend());
}

fn back_ui(ui: &mut Ui, grid: &mut Many) {
    if ui
        .button(format!("{}  Back", icons::ARROW_LEFT))
        .on_hover_text("Back to all images (Escape)")
        .clicked()
    {
        grid.leave();
    }
}

/// The cells of the grid.
struct Cells<'a> {
    rows: &'a [usize],
    values: Option<&'a [f32]>,
    dataset: &'a Dataset,
    edits: &'a LabelEdits,
    suggestions: Option<&'a Suggestions>,
    task: usize,
    shows_value: bool,
}

impl Cells<'_> {
    fn label(&self, row: usize) -> Option<String> {
        let base = self.edits.base();
        (row < base.rows.len())
            .then(|| self.edits.state().label_text(base, row, self.task).map(|text| text.into_owned()))
            .flatten()
    }

    fn suggestion(&self, row: usize) -> Option<(&str, f32)> {
        let (label, probability) = self.suggestions?.top(self.task, row)?;
        Some((self.dataset.tasks.get(self.task)?.labels.get(label as usize)?, probability))
    }
}

impl GridItems for Cells<'_> {
    fn count(&self) -> usize {
        self.rows.len()
    }

    fn image(&self, position: usize) -> Option<&Path> {
        Some(&self.dataset.rows.get(*self.rows.get(position)?)?.image)
    }

    fn name(&self, position: usize) -> String {
        let image = self.image(position).and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let Some(row) = self.rows.get(position).copied() else { return image.into_owned() };
        match (self.label(row), self.suggestion(row)) {
            (Some(label), _) => format!("{image}: {label}"),
            (None, Some((label, probability))) => {
                format!("{image}: no label, suggested {label}, {}", whole_percent(probability))
            }
            (None, None) => format!("{image}: no label"),
        }
    }

    fn caption_ui(&self, ui: &Ui, tokens: &Tokens, area: Rect, position: usize) {
        let Some(row) = self.rows.get(position).copied() else { return };
        let label = self.label(row);
        let suggestion = self.suggestion(row);
        let value = match (self.values.and_then(|values| values.get(position)), suggestion) {
            (Some(value), _) if self.shows_value => format!("{value:.2}"),
            (_, Some((_, probability))) if label.is_none() => whole_percent(probability),
            _ => String::new(),
        };
        let (icon, text) = match (&label, suggestion) {
            (Some(label), _) => ((icons::TAG, tokens.task(self.task)), (label.as_str(), tokens.text)),
            (None, Some((label, _))) => ((icons::LIGHTNING, tokens.text_weak), (label, tokens.text_weak)),
            (None, None) => ((icons::TAG, tokens.line), ("no label", tokens.text_weak)),
        };
        let font = FontId::proportional(TEXT_SMALL);
        CaptionLine { icon, text, font, value: &value }.ui(ui, tokens, area.shrink2(vec2(GRID, 0.0)));
    }
}
