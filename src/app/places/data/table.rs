//! The virtual table: only the rows in sight exist, so 100,000 of them scroll as ten do.

use egui::{Align, Color32, Layout, RichText, Role, ScrollArea, Sense, Ui, Vec2, WidgetInfo};
use egui_extras::{Column, TableBuilder, TableRow};
use tasklens_data::dataset::RowLabel;
use tasklens_data::dataset::sort::{RowSort, SortColumn};
use tasklens_data::dataset::split::Part;

use super::DataView;
use crate::app::command::UiCommand;
use crate::app::context::ViewContext;
use crate::app::services::project::Project;
use crate::app::services::thumbnails::Thumbnail;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::glossary::{Word, mark_ui};
use crate::app::widgets::name::Name;
use crate::app::widgets::{DOES_NOT_APPLY, command_button, dot_ui, empty_place, fit, focus_ring};

const ROW_HEIGHT: f32 = 13.0 * GRID;
const HEADER_HEIGHT: f32 = 8.0 * GRID;
/// SidePage of the decoded picture: twice the side shown, for screens with a scale of 2.
const THUMBNAIL_PIXELS: u32 = 96;
const THUMBNAIL_SIDE: f32 = 11.0 * GRID;
const TASK_WIDTH: f32 = 32.0 * GRID;
const PART_WIDTH: f32 = 20.0 * GRID;
const PATH_WIDTH: f32 = 50.0 * GRID;

impl DataView {
    pub(super) fn table_ui(&mut self, ui: &mut Ui, project: &Project, context: &mut ViewContext<'_>) {
        if self.shown().is_empty() && !self.shown.is_busy() && self.shown.latest().is_some() {
            no_rows_ui(ui, self.filter.is_empty(), context);
            return;
        }
        let tasks = project.dataset.tasks.len();
        let least = THUMBNAIL_SIDE + PATH_WIDTH + PART_WIDTH + tasks as f32 * TASK_WIDTH * 0.75;
        // Many tasks scroll sideways rather than crowd.
        ScrollArea::horizontal().auto_shrink(false).show(ui, |ui| {
            ui.set_min_width(least.max(ui.available_width()));
            self.columns_ui(ui, project, context);
        });
    }

    fn columns_ui(&mut self, ui: &mut Ui, project: &Project, context: &mut ViewContext<'_>) {
        let tokens = context.tokens;
        let dataset = &project.dataset;
        let flexible = ui.available_width() - THUMBNAIL_SIDE - PART_WIDTH - 8.0 * GRID;
        let task_width = (flexible * 0.6 / dataset.tasks.len().max(1) as f32).clamp(20.0 * GRID, TASK_WIDTH);
        ui.spacing_mut().item_spacing = Vec2::new(2.0 * GRID, 0.0);
        let mut table = TableBuilder::new(ui)
            .id_salt(("rows", project.config.file.as_os_str()))
            .striped(false)
            // The arrow keys go from row to row: a cell is no stop of the Tab key.
            .sense(Sense::CLICK)
            .auto_shrink(false)
            .cell_layout(Layout::left_to_right(Align::Center))
            .column(Column::exact(THUMBNAIL_SIDE + GRID))
            .column(Column::remainder().at_least(PATH_WIDTH * 0.6).clip(true))
            .column(Column::exact(PART_WIDTH))
            .columns(Column::initial(task_width).at_least(16.0 * GRID).clip(true), dataset.tasks.len());
        if std::mem::take(&mut self.scroll_to_selected) {
            match self.selected_row().map(|row| self.position_of(row)) {
                Some(Some(at)) => table = table.scroll_to_row(at, None).animate_scrolling(false),
                // The filter was changed for it: its row comes with the next search.
                Some(None) => self.scroll_to_selected = self.shown.is_busy(),
                None => {}
            }
        }
        let table = table.header(HEADER_HEIGHT, |mut header| {
            header.col(|_| {});
            for (name, column) in [("Image", SortColumn::Path), ("Split", SortColumn::Part)] {
                header.col(|ui| {
                    sort_ui(ui, tokens, name, None, column, &mut self.sort);
                    if column == SortColumn::Part {
                        let place = ui.available_rect_before_wrap();
                        mark_ui(ui, place.with_max_x(place.left() + 3.0 * GRID), Word::Split);
                    }
                });
            }
            for (index, task) in dataset.tasks.iter().enumerate() {
                let column = SortColumn::Label(index);
                header.col(|ui| sort_ui(ui, tokens, &task.name, Some(index), column, &mut self.sort));
            }
        });
        let selected = self.selected_row();
        let mut pressed = None;
        table.body(|body| {
            body.rows(ROW_HEIGHT, self.shown().len(), |mut row| {
                let Some(index) = self.shown().get(row.index()).copied() else { return };
                let at = row.index();
                row.set_selected(selected == Some(index) || self.several.contains(at));
                row_ui(&mut row, project, index, context);
                let response = row.response();
                if response.clicked() || response.secondary_clicked() || response.context_menu_opened() {
                    pressed = Some((at, response));
                }
            });
        });
        if let Some((at, response)) = pressed {
            self.row_pressed(&response, at, project, context);
        }
    }
}

/// The head of a column: a click sorts by it, another the other way round, a third one not at all.
fn sort_ui(
    ui: &mut Ui,
    tokens: &Tokens,
    name: &str,
    task: Option<usize>,
    column: SortColumn,
    sort: &mut Option<RowSort>,
) {
    let cell = ui.interact(ui.max_rect(), ui.scope_id().with("sort"), Sense::click());
    let descending = sort.filter(|sort| sort.column == column).map(|sort| sort.descending);
    let room = ui.available_width() - 9.0 * GRID;
    Name::caption(tokens, name).at_most(room.max(0.0)).ui(ui);
    if let Some(task) = task {
        dot_ui(ui, tokens, task);
    }
    if let Some(descending) = descending {
        let icon = if descending { icons::CARET_DOWN } else { icons::CARET_UP };
        ui.label(RichText::new(icon).size(theme::TEXT_SMALL).color(tokens.accent_text));
    }
    focus_ring(ui, &cell);
    let next = match descending {
        None => Some(RowSort { column, descending: false }),
        Some(false) => Some(RowSort { column, descending: true }),
        Some(true) => None,
    };
    cell.widget_info(|| {
        WidgetInfo::selected(Role::Button, true, descending.is_some(), format!("Sort by {name}"))
    });
    let hint = match descending {
        None => "Click to sort by this column",
        Some(false) => "Click to sort the other way round",
        Some(true) => "Click for the order of the file",
    };
    if cell.on_hover_text(hint).on_hover_cursor(egui::CursorIcon::PointingHand).clicked() {
        *sort = next;
    }
}

fn row_ui(row: &mut TableRow<'_, '_>, project: &Project, index: usize, context: &mut ViewContext<'_>) {
    let dataset = &project.dataset;
    let Some(data) = dataset.rows.get(index) else { return };
    let tokens = context.tokens;
    let path = dataset.table.cell(index, dataset.columns.path).into_owned();
    row.col(|ui| thumbnail_ui(ui, &data.image, context));
    row.col(|ui| {
        let color = if data.usable { tokens.text } else { tokens.text_weak };
        let text = if path.is_empty() { "no path" } else { path.as_str() };
        Name::new(text).path().color(color).ui(ui);
    });
    row.col(|ui| {
        let part = project.summary.parts.get(index).copied().flatten();
        let color = match part {
            Some(Part::Validation) => tokens.accent_text,
            Some(Part::Train | Part::Test) => tokens.text_weak,
            None => tokens.warning,
        };
        ui.label(RichText::new(part.map_or("not used", Part::name)).size(theme::TEXT_SMALL).color(color));
    });
    for (task, label) in dataset.tasks.iter().zip(&data.labels) {
        let name = label.class().and_then(|class| task.labels.get(class as usize));
        row.col(|ui| match (name, *label) {
            (Some(name), _) => {
                Name::new(name).ui(ui);
            }
            (None, RowLabel::DoesNotApply) => {
                ui.add(egui::Label::new(RichText::new(DOES_NOT_APPLY).color(tokens.text_weak)).truncate());
            }
            (None, _) => {
                let dash = ui.label(RichText::new("\u{2013}").color(tokens.text_weak));
                dash.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("no {}", task.name)));
            }
        });
    }
}

/// A small picture in its own shape, or what there is instead.
fn thumbnail_ui(ui: &mut Ui, path: &std::path::Path, context: &mut ViewContext<'_>) {
    let tokens = context.tokens;
    let space = Vec2::splat(THUMBNAIL_SIDE);
    let (rect, response) = ui.allocate_exact_size(space, Sense::hover());
    match context.thumbnails.get(path, THUMBNAIL_PIXELS) {
        Thumbnail::Ready(texture) => {
            let size = fit(texture.size_vec2(), space, f32::INFINITY);
            let rect = egui::Rect::from_center_size(rect.center(), size);
            egui::Image::new((texture.id(), size)).corner_radius(3).paint_at(ui, rect);
        }
        Thumbnail::Loading => {
            ui.painter().rect_filled(rect.shrink(GRID), 3.0, tokens.card);
        }
        Thumbnail::Failed(message) => {
            icon_ui(ui, rect, icons::WARNING, tokens.warning);
            response.on_hover_text(message);
        }
    }
}

fn icon_ui(ui: &Ui, rect: egui::Rect, icon: &str, color: Color32) {
    let font = egui::FontId::proportional(18.0);
    ui.painter().text(rect.center(), egui::Align2::CENTER_CENTER, icon, font, color);
}

fn no_rows_ui(ui: &mut Ui, all: bool, context: &ViewContext<'_>) {
    if all {
        empty_place(
            ui,
            icons::TABLE,
            "The CSV has no rows",
            "Add rows and reload, or open another CSV.",
            |ui| {
                command_button(ui, context.commands, UiCommand::ReloadProject);
            },
        );
    } else {
        empty_place(
            ui,
            icons::FUNNEL,
            "No row matches",
            "Shorten the search text, or choose other labels.",
            |ui| {
                command_button(ui, context.commands, UiCommand::ClearFilter);
            },
        );
    }
}
