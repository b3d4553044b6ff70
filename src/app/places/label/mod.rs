//! Label: each image gets a label for every task, from the keyboard, with the network's help.
//!
//! [`arrange`] says which image comes next, [`session`] what a model suggests; labels are changed by
//! [`Edit`](crate::app::command::AppCommand::Edit) and read from the project's rows. One image or many: both use the
//! same panel of tasks and the same keys.

mod actions;
mod add_label;
mod advice;
mod alike;
mod arrange;
mod cells;
mod collect;
mod early;
mod filter;
mod find_label;
mod folded;
mod grid;
mod grid_bar;
mod header;
pub mod keys;
mod label_menu;
mod like_bar;
mod note;
mod one;
mod one_keys;
mod pairs;
mod panel;
mod progress;
mod queue;
mod session;
mod task_labels;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use egui::{Rect, ScrollArea, Ui, UiBuilder, vec2};
use tasklens_data::config::{Backbone, Task};
use tasklens_net::labelling::order::{LabellingOrder, Uncertainty};
use tasklens_net::labelling::rate::LabelRate;

use crate::app::context::ViewContext;
use crate::app::services::settings::LabelKeys;
use crate::app::theme::GRID;
use crate::app::theme::icons;
use crate::app::widgets::empty_place;
use crate::app::widgets::zoom_image::Zoom;
use arrange::{Arrangement, Wanted, Which};
use keys::KeyMap;
use session::ModelSession;

/// Where the place is less high than this, all of it scrolls.
const LOW: f32 = 65.0 * GRID;
/// The height of images and tasks where it does.
const SCROLLED: f32 = 80.0 * GRID;

/// One image large, or many small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    One,
    Many,
}

/// The Label place.
pub struct LabelView {
    session: ModelSession,
    arrangement: Arrangement,
    order: LabellingOrder,
    uncertainty: Uncertainty,
    which: Which,
    filter: filter::ListFilter,
    /// Names of tasks that are not asked now.
    left_out: BTreeSet<String>,
    /// The task that the keys are for.
    task: usize,
    /// The row that `task` was chosen for.
    shown: Option<usize>,
    mode: Mode,
    /// Go to the next task, and the next image, by itself.
    goes_on: bool,
    keys: KeyMap,
    keys_of: Option<(Vec<Task>, LabelKeys)>,
    assignments: LabelKeys,
    /// Task and label that the next key is for.
    assigning: Option<(usize, usize)>,
    /// The first of two keys, while the second is awaited.
    awaiting: Option<egui::Key>,
    zoom: Zoom,
    note: Option<note::NoteEditor>,
    early: Option<early::EarlyLabel>,
    grid: grid::Many,
    rate: LabelRate,
    panel: panel::PanelState,
    /// Where the images are, if any are shown.
    images: Option<Rect>,
    /// How much of their foot a notice covers, in points.
    covered: f32,
    /// The project was labelled: its model goes on in the background.
    is_used: bool,
}

impl Default for LabelView {
    fn default() -> Self {
        Self {
            session: ModelSession::default(),
            arrangement: Arrangement::default(),
            order: LabellingOrder::default(),
            uncertainty: Uncertainty::default(),
            which: Which::default(),
            filter: filter::ListFilter::default(),
            left_out: BTreeSet::new(),
            task: 0,
            shown: None,
            mode: Mode::default(),
            goes_on: true,
            keys: KeyMap::default(),
            keys_of: None,
            assignments: LabelKeys::new(),
            assigning: None,
            awaiting: None,
            zoom: Zoom::default(),
            note: None,
            early: None,
            grid: grid::Many::default(),
            rate: LabelRate::default(),
            panel: panel::PanelState::default(),
            images: None,
            covered: 0.0,
            is_used: false,
        }
    }
}

impl LabelView {
    /// Shows it.
    pub fn ui(&mut self, ui: &mut Ui, context: &mut ViewContext<'_>) {
        self.images = None;
        let Some(project) = context.project else { return };
        if context.edits.is_none() {
            self.early_keys(ui, context);
            let text = "If they cannot be read, the log says why; F5 reloads the project.";
            empty_place(ui, icons::TAG, "Reading labels", text, |_| {});
            return;
        }
        if !self.is_used {
            self.is_used = true;
            self.session.poll(context);
        }
        self.set_keys(&project.dataset.tasks);
        self.task = self.task.min(project.dataset.tasks.len().saturating_sub(1));
        let wanted = self.wanted(&project.dataset.tasks);
        let suggestions = self.session.suggestions().map(|all| (all, self.session.version()));
        if let Some(before) = self.arrangement.poll(&wanted, suggestions, context) {
            self.grid.follow(&before, &self.arrangement.queue);
        }
        if ui.available_height() >= LOW {
            self.all_ui(ui, None, context);
        } else {
            // What stands above leaves no room for the images: they come into sight by scrolling.
            ScrollArea::vertical()
                .id_salt("label")
                .auto_shrink(false)
                .show(ui, |ui| self.all_ui(ui, Some(SCROLLED), context));
        }
    }

    /// Shows all of the place; images and tasks are so high, or fill what is left.
    fn all_ui(&mut self, ui: &mut Ui, height: Option<f32>, context: &mut ViewContext<'_>) {
        self.header_ui(ui, context);
        self.advice_ui(ui, context);
        self.filter_ui(ui, context);
        ui.add_space(2.0 * GRID);
        let Some(height) = height else {
            self.images_ui(ui, context);
            return;
        };
        let space = Rect::from_min_size(ui.cursor().min, vec2(ui.available_width(), height));
        ui.scope_builder(UiBuilder::new().max_rect(space), |ui| self.images_ui(ui, context));
        self.images = self.images.map(|images| images.intersect(ui.clip_rect())).filter(Rect::is_positive);
    }

    fn images_ui(&mut self, ui: &mut Ui, context: &mut ViewContext<'_>) {
        if !self.arrangement.is_there() {
            return;
        }
        if self.arrangement.queue.rows().is_empty() && self.mode == Mode::One {
            self.nothing_ui(ui);
            return;
        }
        match self.mode {
            Mode::One => self.one_ui(ui, context),
            Mode::Many => self.many_ui(ui, context),
        }
    }

    /// Lets the model go on, wherever the user is: from the first time that the project is labelled on. Once a frame.
    pub fn poll(&mut self, context: &ViewContext<'_>) {
        self.give_early(context);
        if self.is_used && context.edits.is_some() {
            self.session.poll(context);
        }
    }

    /// Takes public weights from there; without it, from the cache of this user.
    pub fn set_weights(&mut self, cached: fn(Backbone) -> Option<PathBuf>) {
        self.session = ModelSession::with_weights(cached);
    }

    /// Where public weights are.
    pub fn weights(&self) -> fn(Backbone) -> Option<PathBuf> {
        self.session.weights()
    }

    /// Whether something was learnt that can be saved.
    pub fn can_save_as_run(&self) -> bool {
        self.session.can_save()
    }

    /// Writes what was learnt as a run.
    pub fn save_as_run(&mut self) {
        self.session.save();
    }

    /// A project was opened: what belonged to another one goes, and what was noted by row number where the
    /// rows are others now. What was noted by image stays.
    pub fn on_project(&mut self, same_file: bool, has_same_rows: bool) {
        if !same_file {
            let assignments = std::mem::take(&mut self.assignments);
            let session = ModelSession::with_weights(self.session.weights());
            *self = Self { assignments, session, ..Self::default() };
        } else if !has_same_rows {
            self.session.read_anew();
            self.arrangement = Arrangement::default();
            self.grid.on_other_rows();
            (self.shown, self.assigning) = (None, None);
        }
    }

    /// Where the images are, if any are shown: a notice stands there, where it covers no labels and no progress.
    pub fn images(&self) -> Option<Rect> {
        self.images
    }

    /// So much of the foot of the images is covered by a notice, in points.
    pub fn set_covered(&mut self, height: f32) {
        self.covered = height;
    }

    /// The longest side of the images in the grid, in points, to be remembered.
    pub fn image_side(&self) -> f32 {
        self.grid.side
    }

    /// Shows images in this size, as far as it can be chosen.
    pub fn set_image_side(&mut self, side: f32) {
        self.grid.side = side.clamp(*grid::SIDES.start(), *grid::SIDES.end());
    }

    /// What was learnt here is this run now.
    pub fn on_run_saved(&mut self, run: PathBuf) {
        self.session.on_saved(run);
    }

    /// A run has ended.
    pub fn on_run_ended(&mut self) {
        self.session.on_run_ended();
    }

    /// Lets the model learn from the labels so far; without one, the backbone with its public weights learns.
    pub fn update_model(&mut self, context: &ViewContext<'_>) {
        if self.session.has_model() {
            self.session.update();
        } else {
            self.session.prepare(context);
        }
    }

    /// The user's own keys, as they are remembered.
    pub fn set_assignments(&mut self, assignments: LabelKeys) {
        self.assignments = assignments;
    }

    /// Labels these images (the texts of their path cells) from now on; the title says in words which they are.
    pub fn label_these(&mut self, images: Vec<String>, title: String) {
        self.which = Which::These(Arc::new(images), title);
        self.order = LabellingOrder::File;
        self.filter = filter::ListFilter::default();
        self.mode = Mode::Many;
        self.grid = grid::Many::default();
    }

    /// An edit of this image (the text of its path cell) was undone or made again: where it is near, it is shown.
    pub fn show_image(&mut self, image: &str, context: &ViewContext<'_>) {
        const NEAR: usize = 500;
        let Some(project) = context.project.filter(|_| self.mode == Mode::One) else { return };
        let (queue, dataset) = (&mut self.arrangement.queue, &project.dataset);
        let from = queue.at().saturating_sub(NEAR);
        let near = queue.rows()[from..].iter().take(2 * NEAR);
        if let Some(at) =
            near.enumerate().find(|(_, row)| dataset.image_key(**row) == image).map(|(at, _)| at)
        {
            queue.go_to(from + at);
        }
    }

    fn set_keys(&mut self, tasks: &[Task]) {
        let is_same = self
            .keys_of
            .as_ref()
            .is_some_and(|(of, assignments)| of == tasks && *assignments == self.assignments);
        if !is_same {
            self.on_tasks(tasks);
            self.keys = KeyMap::new(tasks, &self.assignments);
            self.keys_of = Some((tasks.to_vec(), self.assignments.clone()));
        }
    }

    /// Tasks may have other numbers now: the one at hand is found by its name.
    fn on_tasks(&mut self, tasks: &[Task]) {
        let Some((before, _)) = self.keys_of.as_ref().filter(|(before, _)| before != tasks) else { return };
        let name = |task: usize| before.get(task).map(|task| task.name.as_str());
        let moved = |task: usize| tasks.get(task).map(|task| task.name.as_str()) != name(task);
        let here = tasks.iter().position(|task| Some(task.name.as_str()) == name(self.task));
        if self.grid.task().is_some_and(moved) {
            self.grid.leave();
        }
        self.filter.on_tasks();
        (self.task, self.assigning) = (here.unwrap_or(0), None);
    }

    /// The tasks that are asked now, ascending; all where none is left.
    fn tasks_in_question(&self, tasks: &[Task]) -> Vec<usize> {
        let asked: Vec<usize> =
            (0..tasks.len()).filter(|task| !self.left_out.contains(&tasks[*task].name)).collect();
        if asked.is_empty() { (0..tasks.len()).collect() } else { asked }
    }

    fn wanted(&self, tasks: &[Task]) -> Wanted {
        Wanted {
            order: self.order,
            uncertainty: self.uncertainty,
            which: self.which.clone(),
            filter: self.filter.chosen.clone(),
            tasks: self.tasks_in_question(tasks),
        }
    }

    fn nothing_ui(&mut self, ui: &mut Ui) {
        let is_filtered = !self.filter.chosen.is_empty();
        let (title, text) = match &self.which {
            _ if is_filtered => {
                ("No image passes the filter", "Change the text or the labels above, or choose another list.")
            }
            Which::ToDo => {
                ("Everything is labelled", "Every image has a label for each task that is labelled here.")
            }
            Which::Flagged => {
                ("No image is flagged", "Press F to flag the image that is shown, with a note if you like.")
            }
            Which::These(..) => (
                "None of these can be labelled",
                "The CSV may have changed since they were selected. Rows without an image are left out.",
            ),
            _ => ("No images", "The CSV of this project lists no images."),
        };
        let is_narrowed = self.which != Which::All || is_filtered;
        empty_place(ui, icons::CHECK_CIRCLE, title, text, |ui| {
            if is_narrowed && ui.button("Show all images").clicked() {
                self.which = Which::All;
                self.clear_filter();
            }
        });
    }
}
