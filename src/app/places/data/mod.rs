//! Data: the rows, their labels, and what is wrong with them.

mod filter_bar;
mod selecting;
mod side_panel;
mod table;

use std::sync::Arc;

use egui::{Key, Margin, Modifiers, Panel, Ui, UiBuilder};
use tasklens_data::config::Task;
use tasklens_data::dataset::filter::Filter;
use tasklens_data::dataset::sort::RowSort;
use tasklens_data::dataset::{Dataset, ImageRow};

use crate::app::command::LabelName;
use crate::app::context::ViewContext;
use crate::app::services::derived::Derived;
use crate::app::services::project::Project;
use crate::app::services::remembered_view::RememberedRows;
use crate::app::theme::GRID;
use crate::app::widgets::drawer::Drawer;
use crate::app::widgets::{focus_ring, tab_ui};
use selecting::Several;

/// Below this width, the side panel is a drawer.
const WIDE: f32 = 200.0 * GRID;
const SIDE_WIDTH: std::ops::RangeInclusive<f32> = 60.0 * GRID..=105.0 * GRID;
const PANEL_ID: &str = "data side";
/// What the drawer is called on its button.
const PANEL: &str = "the panel";

/// What the side panel shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SidePage {
    /// Bars of label counts.
    #[default]
    Labels,
    /// What is wrong with the data.
    Problems,
    /// The image and the labels of the selected row.
    Image,
}

/// Which rows were asked for: the project's generation, the filter and the order, where it is not the file's.
type WantedRows = (u64, Filter, Option<RowSort>);

/// The Data place: the table of rows and the panel beside it.
#[derive(Default)]
pub struct DataView {
    filter: Filter,
    sort: Option<RowSort>,
    /// Positions among the rows shown, where several are selected; else only the row below.
    several: Several,
    /// The rows that match.
    shown: Derived<WantedRows, Vec<usize>>,
    /// By its image: rows may move when the project is read anew.
    selected: Option<ImageRow>,
    /// The project's generation that the selected row was last found in.
    selected_in: u64,
    scroll_to_selected: bool,
    focus_filter: bool,
    side: SidePage,
    drawer: Drawer,
}

impl DataView {
    pub fn ui(&mut self, ui: &mut Ui, context: &mut ViewContext<'_>) {
        let Some(project) = context.project else { return };
        self.follow_selected(project);
        self.search(project, context);
        self.drawer.keys(ui);
        self.keys(ui, project);
        let tokens = context.tokens;
        let area = ui.available_rect_before_wrap();
        let width = area.width();
        // What is at the left comes first for the keyboard: the panel's space is kept, and filled at the end.
        let mut panel = None;
        if width >= WIDE {
            let side = egui::Frame::new().fill(tokens.panel).inner_margin(Margin::same(12));
            let side = Panel::right(PANEL_ID)
                .frame(side)
                .default_size((width * 0.32).clamp(*SIDE_WIDTH.start(), *SIDE_WIDTH.end()))
                .size_range(48.0 * GRID..=width * 0.45)
                .show(ui, |ui| {
                    ui.take_available_space();
                    ui.max_rect()
                });
            panel = Some(side.inner);
            // egui shows its handle only to the pointer.
            let handle = ui.scope_id().with_salt(egui::IdSalt::new(PANEL_ID)).with("__resize");
            if let Some(handle) = ui.ctx().read_response(handle) {
                focus_ring(ui, &handle);
            }
        } else {
            let mut drawer = std::mem::take(&mut self.drawer);
            let content = |ui: &mut Ui| self.side_ui(ui, project, context);
            drawer.ui(ui, PANEL, area, *SIDE_WIDTH.end(), content);
            self.drawer = drawer;
        }
        let main = egui::Frame::new().inner_margin(Margin { left: 16, right: 8, top: 12, bottom: 0 });
        egui::CentralPanel::no_frame().frame(main).show(ui, |ui| {
            self.filter_bar_ui(ui, project, width < WIDE, context);
            self.several_ui(ui, project, context);
            ui.add_space(GRID);
            self.table_ui(ui, project, context);
        });
        if let Some(space) = panel {
            let place = UiBuilder::new().id_salt("data side").max_rect(space);
            ui.scope_builder(place, |ui| {
                ui.shrink_clip_rect(space.expand(2.0 * GRID));
                self.side_ui(ui, project, context);
            });
        }
    }

    /// Selects a row of the project and scrolls to it.
    pub fn select(&mut self, row: ImageRow) {
        if self.position_of(row.row).is_none() {
            self.filter = Filter::default();
        }
        self.selected = Some(row);
        self.scroll_to_selected = true;
        self.side = SidePage::Image;
    }

    /// Shows the rows that have this label.
    pub fn show_label(&mut self, name: &LabelName, tasks: &[Task]) {
        if let Some(filter) = name.filter(tasks) {
            self.filter = filter;
            self.side = SidePage::Labels;
        }
    }

    /// Shows the rows that have problems, and the problems.
    pub fn show_problems(&mut self) {
        self.filter = Filter { has_problem: true, ..Filter::default() };
        self.side = SidePage::Problems;
    }

    fn selected_row(&self) -> Option<usize> {
        self.selected.as_ref().map(|selected| selected.row)
    }

    /// Another project was opened: what belonged to the old one goes.
    pub fn on_project(&mut self, same_file: bool) {
        if !same_file {
            *self = Self::default();
        }
    }

    /// Which rows are shown, to be remembered.
    pub fn remembered(&self, dataset: &Dataset) -> RememberedRows {
        RememberedRows::of(&self.filter, self.sort, dataset)
    }

    /// Shows the rows that were shown the last time.
    pub fn restore(&mut self, rows: &RememberedRows, dataset: &Dataset) {
        (self.filter, self.sort) = rows.in_dataset(dataset);
    }

    /// Puts the cursor into the filter of the table.
    pub fn focus_filter(&mut self) {
        self.focus_filter = true;
    }

    /// Shows all rows again.
    pub fn clear_filter(&mut self) {
        self.filter = Filter::default();
    }

    /// Finds the rows that match, in the background.
    fn search(&mut self, project: &Project, context: &ViewContext<'_>) {
        let sort = self.sort;
        let news = self.shown.want(&(project.generation, self.filter.clone(), sort), || {
            let (dataset, filter) = (Arc::clone(&project.dataset), self.filter.clone());
            context.jobs.start_quietly("Filtering", move |_| {
                let mut rows = filter.matching(&dataset);
                if let Some(sort) = sort {
                    sort.apply(&dataset, &mut rows);
                }
                Ok(rows)
            })
        });
        if news.is_some() {
            // Other rows are at the same positions.
            self.several.clear();
        }
        // Rows that were found before may be gone.
        let is_old = self.shown.key().is_some_and(|(generation, ..)| *generation != project.generation);
        if let Some(shown) = self.shown.get_mut().filter(|_| is_old) {
            shown.retain(|row| *row < project.dataset.rows.len());
        }
    }

    /// Where a row is among those shown.
    fn position_of(&self, row: usize) -> Option<usize> {
        let is_sorted = self.shown.key().is_some_and(|(.., sort)| sort.is_some());
        let shown = self.shown();
        if is_sorted { shown.iter().position(|shown| *shown == row) } else { shown.binary_search(&row).ok() }
    }

    /// The rows that match, which may be those of the filter before.
    fn shown(&self) -> &[usize] {
        self.shown.get().map_or(&[], Vec::as_slice)
    }

    /// The row of the selected image, which may have moved when the project was read anew.
    fn follow_selected(&mut self, project: &Project) {
        if self.selected_in == project.generation {
            return;
        }
        self.selected_in = project.generation;
        let found = self.selected.take().map(|selected| (selected.find(&project.dataset), selected));
        self.selected = found.and_then(|(row, selected)| Some(ImageRow { row: row?, ..selected }));
    }

    /// Up and down go from row to row.
    fn keys(&mut self, ui: &Ui, project: &Project) {
        if ui.ctx().egui_wants_keyboard_input() || self.shown().is_empty() {
            return;
        }
        if ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::A)) {
            self.several.select(0..self.shown().len());
        }
        let step = ui.input(|input| {
            let page = 10;
            i64::from(input.key_pressed(Key::ArrowDown)) - i64::from(input.key_pressed(Key::ArrowUp))
                + page * i64::from(input.key_pressed(Key::PageDown))
                - page * i64::from(input.key_pressed(Key::PageUp))
        });
        if step == 0 {
            return;
        }
        let at = self.selected_row().and_then(|row| self.position_of(row));
        let last = self.shown().len() as i64 - 1;
        let next = at.map_or(0, |at| (at as i64 + step).clamp(0, last));
        if let Some(row) = usize::try_from(next).ok().and_then(|at| self.shown().get(at)) {
            self.selected = Some(ImageRow::of(&project.dataset, *row));
            self.several.clear();
            self.side = SidePage::Image;
            self.scroll_to_selected = true;
        }
    }

    fn side_ui(&mut self, ui: &mut Ui, project: &Project, context: &mut ViewContext<'_>) {
        let problems = project.dataset.problems.len();
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = GRID;
            let problems =
                if problems == 0 { "Problems".to_owned() } else { format!("Problems  {problems}") };
            for (side, name) in [
                (SidePage::Labels, "Labels".to_owned()),
                (SidePage::Problems, problems),
                (SidePage::Image, "Image".to_owned()),
            ] {
                if tab_ui(ui, context.tokens, &name, self.side == side) {
                    self.side = side;
                }
            }
        });
        ui.add_space(2.0 * GRID);
        match self.side {
            SidePage::Labels => side_panel::labels_ui(ui, project, context, &mut self.filter),
            SidePage::Problems => {
                if let Some(row) = side_panel::problems_ui(ui, project, context) {
                    self.select(ImageRow::of(&project.dataset, row));
                }
            }
            SidePage::Image => side_panel::row_ui(ui, project, self.selected_row(), context),
        }
    }
}
