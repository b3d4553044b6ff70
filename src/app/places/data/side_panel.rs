//! The pages of the side panel: bars of label counts, the problems, and the selected row.

use egui::{Align2, FontId, Grid, Rect, Response, RichText, Role, ScrollArea, Sense, Ui, Vec2, WidgetInfo};
use tasklens_data::dataset::filter::{Filter, TaskFilter};
use tasklens_data::dataset::problems::{Problem, Severity};
use tasklens_data::dataset::{LabelCount, RowLabel};
use tasklens_data::text::grouped;

use crate::app::command::{AppCommand, LabelAction, LabelName, UiCommand};
use crate::app::context::ViewContext;
use crate::app::services::project::{ImageSource, Project};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, RADIUS, TEXT_BODY, TEXT_SMALL, Tokens};
use crate::app::widgets::label_menu::label_menu;
use crate::app::widgets::large_image::large_image_ui;
use crate::app::widgets::name::{self, Name, shortened};
use crate::app::widgets::sentence::sentence_ui;
use crate::app::widgets::{DOES_NOT_APPLY, command_button, dot_ui, empty_place, focus_ring};

/// Bars per task and label, train and validation; a press filters by the label.
pub fn labels_ui(ui: &mut Ui, project: &Project, context: &ViewContext<'_>, filter: &mut Filter) {
    let tokens = context.tokens;
    let dataset = &project.dataset;
    let split = &dataset.split;
    ui.label(theme::caption(
        tokens,
        format!(
            "{} training and {} validation rows. Click a label to filter.",
            grouped(split.train.len() as u64),
            grouped(split.validation.len() as u64)
        ),
    ));
    filter.tasks.resize(dataset.tasks.len(), TaskFilter::Any);
    let mut wish = None;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (index, task) in dataset.tasks.iter().enumerate() {
            ui.add_space(4.0 * GRID);
            name::task_ui(ui, tokens, index, &task.name);
            ui.add_space(GRID);
            let largest =
                project.summary.largest(index).max(project.summary.missing.get(index).copied().unwrap_or(0));
            let counts = project.summary.labels.get(index).map_or(&[][..], Vec::as_slice);
            for (class, (label, count)) in task.labels.iter().zip(counts).enumerate() {
                let this = TaskFilter::Label(u32::try_from(class).unwrap_or(u32::MAX));
                let bar = LabelBar {
                    task: &task.name,
                    name: label,
                    color: tokens.task(index),
                    count: *count,
                    largest,
                };
                let response = bar.ui(ui, tokens, &mut filter.tasks[index], this);
                if let Some(action) = label_menu(&response, || label_offers(context)) {
                    wish = Some((action, index, this, label));
                }
            }
            for (name, counts, this) in [
                (DOES_NOT_APPLY, &project.summary.not_applicable, TaskFilter::DoesNotApply),
                ("no label", &project.summary.missing, TaskFilter::Missing),
            ] {
                let rows = counts.get(index).copied().unwrap_or(0);
                if rows > 0 {
                    let count = LabelCount { unused: rows, ..LabelCount::default() };
                    let bar = LabelBar { task: &task.name, name, color: tokens.text_weak, count, largest };
                    bar.ui(ui, tokens, &mut filter.tasks[index], this);
                }
            }
        }
        ui.add_space(4.0 * GRID);
    });
    match wish {
        Some((LabelAction::ShowImages, task, this, _)) => filter.tasks[task] = this,
        Some((action, task, _, label)) => {
            action.send(LabelName::new(&dataset.tasks[task].name, label), context.commands);
        }
        None => {}
    }
}

/// What the menu of a label offers.
fn label_offers(context: &ViewContext<'_>) -> Vec<LabelAction> {
    use LabelAction::{CopyName, Inspect, Rename, ShowImages, ShowInLabel};
    let all = [ShowImages, ShowInLabel, Inspect, Rename, CopyName];
    let has_model = context.runs.current().is_some();
    all.into_iter().filter(|action| *action != Inspect || has_model).collect()
}

/// One label's bar: train solid, validation lighter, then rows that are not used.
struct LabelBar<'a> {
    task: &'a str,
    name: &'a str,
    color: egui::Color32,
    count: LabelCount,
    largest: usize,
}

impl LabelBar<'_> {
    fn ui(&self, ui: &mut Ui, tokens: &Tokens, chosen: &mut TaskFilter, this: TaskFilter) -> Response {
        let LabelCount { train, validation, unused } = self.count;
        let size = Vec2::new(ui.available_width(), 6.5 * GRID);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let here = *chosen == this;
        response.widget_info(|| {
            let name = format!("{} {}: {train} train, {validation} validation", self.task, self.name);
            WidgetInfo::selected(Role::Button, true, here, name)
        });
        if here || response.hovered() || response.has_focus() {
            let fill = if here { tokens.selected } else { tokens.card };
            ui.painter().rect_filled(rect.expand2(Vec2::new(4.0, 0.0)), RADIUS, fill);
        }
        self.paint(ui, tokens, rect);
        focus_ring(ui, &response);
        let name = theme::in_visual_order(self.name);
        let mut text = format!("{name}: {train} training rows, {validation} validation rows");
        if unused > 0 {
            text.push_str(&format!(", {unused} not used"));
        }
        let response = response.on_hover_text(text);
        if response.clicked() {
            *chosen = if here { TaskFilter::Any } else { this };
        }
        response
    }

    fn paint(&self, ui: &Ui, tokens: &Tokens, rect: Rect) {
        let LabelCount { train, validation, unused } = self.count;
        let name_width = (rect.width() * 0.38).min(36.0 * GRID);
        let count_width = 14.0 * GRID;
        let painter = ui.painter();
        let name = rect.with_max_x(rect.left() + name_width - 2.0 * GRID);
        let galley = shortened(ui, self.name, FontId::proportional(TEXT_BODY), tokens.text, name.width());
        painter.galley(name.left_center() - Vec2::new(0.0, galley.size().y / 2.0), galley, tokens.text);
        let total = grouped((train + validation + unused) as u64);
        let font = FontId::proportional(TEXT_SMALL);
        painter.text(rect.right_center(), Align2::RIGHT_CENTER, total, font, tokens.text_weak);
        let track = Rect::from_x_y_ranges(
            rect.left() + name_width..=rect.right() - count_width,
            rect.center().y - 4.0..=rect.center().y + 4.0,
        );
        painter.rect_filled(track, 2.0, tokens.track);
        let mut left = track.left();
        for (count, alpha) in [(train, 1.0), (validation, 0.55), (unused, 0.25)] {
            let width = track.width() * count as f32 / self.largest.max(1) as f32;
            let right = (left + width).min(track.right());
            let part = Rect::from_x_y_ranges(left..=right, track.y_range());
            painter.rect_filled(part, 2.0, self.color.gamma_multiply(alpha));
            left = right;
        }
    }
}

/// The problems, the worst first; returns the row of the one that was pressed.
pub fn problems_ui(ui: &mut Ui, project: &Project, context: &ViewContext<'_>) -> Option<usize> {
    let problems = &project.dataset.problems;
    if problems.is_empty() {
        let text = "Every row has an image path, and the config lists every label.";
        empty_place(ui, icons::CHECK_CIRCLE, "No problems", text, |ui| {
            command_button(ui, context.commands, UiCommand::CheckImages);
        });
        return None;
    }
    let mut pressed = None;
    // Four lines of message: what to do stands at its end.
    let height = 22.0 * GRID;
    ScrollArea::vertical().auto_shrink(false).show_rows(ui, height, problems.len(), |ui, range| {
        for problem in problems.get(range).unwrap_or_default() {
            if problem_ui(ui, context.tokens, problem, height) {
                pressed = problem.row;
            }
        }
    });
    pressed
}

/// What is said of a problem, with the place of the window that solves it where there is one.
fn said(problem: &Problem, message: String) -> String {
    match &problem.merge {
        Some(_) => format!("{message}: see Tasks and labels"),
        None => message,
    }
}

fn problem_ui(ui: &mut Ui, tokens: &Tokens, problem: &Problem, height: f32) -> bool {
    let (icon, color) = match problem.severity {
        Severity::Error => (icons::X_CIRCLE, tokens.error),
        Severity::Warning => (icons::WARNING, tokens.warning),
        Severity::Note => (icons::INFO, tokens.accent_text),
    };
    let sense = if problem.row.is_some() { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), height), sense);
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Button, problem.row.is_some(), said(problem, problem.to_string()))
    });
    if problem.row.is_some() && (response.hovered() || response.has_focus()) {
        ui.painter().rect_filled(rect.expand2(Vec2::new(4.0, 0.0)), RADIUS, tokens.card);
    }
    let font = FontId::proportional(16.0);
    let at = rect.left_top() + Vec2::new(0.0, 1.5 * GRID);
    ui.painter().text(at, Align2::LEFT_TOP, icon, font, color);
    let text = rect.with_min_x(rect.left() + 6.0 * GRID).shrink2(Vec2::new(0.0, GRID));
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(text));
    child.set_clip_rect(text.intersect(ui.clip_rect()));
    child.spacing_mut().item_spacing.y = 0.0;
    let place = match (problem.line, &problem.column) {
        (Some(line), Some(column)) => format!("{} \u{b7} line {line}, {column}", problem.kind.name()),
        (Some(line), None) => format!("{} \u{b7} line {line}", problem.kind.name()),
        (None, Some(column)) => format!("{} \u{b7} {column}", problem.kind.name()),
        (None, None) => problem.kind.name().to_owned(),
    };
    child.add(egui::Label::new(theme::caption(tokens, place)).truncate());
    let message = said(problem, problem.message.clone());
    sentence_ui(&mut child, RichText::new(&message).size(TEXT_SMALL));
    focus_ring(ui, &response);
    response.on_hover_text(theme::in_visual_order(&message)).clicked()
}

/// The selected row: its image large, its labels and its problems; or how to select one.
pub fn row_ui(ui: &mut Ui, project: &Project, selected: Option<usize>, context: &mut ViewContext<'_>) {
    let dataset = &project.dataset;
    let Some((index, row)) = selected.and_then(|index| Some((index, dataset.rows.get(index)?))) else {
        let text = "Select a row, or move through the rows with the arrow keys.";
        empty_place(ui, icons::IMAGE, "No row selected", text, |_| {});
        return;
    };
    let tokens = context.tokens;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let height = (ui.clip_rect().height() * 0.55).clamp(40.0 * GRID, 140.0 * GRID);
        large_image_ui(ui, &row.image, height, context);
        ui.add_space(2.0 * GRID);
        let path = dataset.table.cell(index, dataset.columns.path);
        let shown = egui::Label::new(theme::strong(theme::in_visual_order(&path))).wrap().selectable(true);
        ui.add(shown).widget_info(|| WidgetInfo::labeled(Role::Label, true, path.as_ref()));
        ui.label(theme::caption(tokens, format!("line {} of the CSV", dataset.table.line_of_row(index))));
        ui.add_space(2.0 * GRID);
        let half = (ui.available_width() - 14.0 * GRID).max(0.0) / 2.0;
        Grid::new("labels of row").num_columns(2).spacing([6.0 * GRID, 2.0 * GRID]).show(ui, |ui| {
            for (position, (task, label)) in dataset.tasks.iter().zip(&row.labels).enumerate() {
                ui.horizontal(|ui| {
                    dot_ui(ui, tokens, position);
                    Name::new(&task.name).color(tokens.text_weak).at_most(half).ui(ui);
                });
                let name = label.class().and_then(|class| task.labels.get(class as usize));
                match (name, *label) {
                    (Some(name), _) => Name::strong(name).at_most(half).ui(ui),
                    (None, RowLabel::DoesNotApply) => ui.label(DOES_NOT_APPLY),
                    (None, _) => ui.label(RichText::new("no label").color(tokens.text_weak)),
                };
                ui.end_row();
            }
        });
        for problem in dataset.problems.iter().filter(|problem| problem.row == Some(index)) {
            ui.add_space(GRID);
            ui.horizontal_top(|ui| {
                ui.label(RichText::new(icons::WARNING).color(tokens.warning));
                let message = said(problem, problem.message.clone());
                sentence_ui(ui, RichText::new(message).size(TEXT_SMALL));
            });
        }
        ui.add_space(3.0 * GRID);
        if ui.button(format!("{}  Predict this image", icons::CROSSHAIR)).clicked() {
            context.commands.send(AppCommand::OpenImages(vec![ImageSource::Path(row.image.to_path_buf())]));
        }
    });
}
