//! The tasks beside the image or the grid: each label with its key, what is chosen and what is suggested.

use egui::{
    Align2, FontId, Frame, Key, Margin, Rect, Response, RichText, Role, ScrollArea, Sense, Stroke,
    StrokeKind, Ui, Vec2, WidgetInfo, pos2,
    text::{LayoutJob, TextFormat},
    vec2,
};
use tasklens_data::config::Task;
use tasklens_data::dataset::RowLabel;
use tasklens_data::text::{grouped, whole_percent};

use super::LabelView;
use super::actions::GivenLabel;
use super::add_label::NewLabel;
use super::find_label::LabelSearch;
use super::folded::Fold;
use super::keys::LabelKey;
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_BODY, TEXT_SMALL, Tokens};
use crate::app::widgets::name::{Name, shortened};
use crate::app::widgets::{DOES_NOT_APPLY, focus_ring};

pub(super) const ROW: f32 = 7.0 * GRID;
const CHIP: f32 = 5.0 * GRID;
/// Labels of more rows than this are not counted in each frame.
pub(super) const MOST_COUNTED: usize = 500;

/// What the panel keeps between frames.
#[derive(Default)]
pub struct PanelState {
    /// The label that is being typed.
    pub(super) adding: Option<NewLabel>,
    /// The label that is looked for.
    pub(super) finding: Option<LabelSearch>,
    /// The menu key was pressed.
    pub(super) wants_menu: bool,
    /// The task that was scrolled to last.
    seen: Option<usize>,
}

/// A label that was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PressedLabel {
    /// Its task.
    pub task: usize,
    /// What is said of it.
    pub label: GivenLabel,
}

/// The labels of the shown rows in a task.
pub(super) struct LabelCounts {
    /// Per label, how many rows have it; empty where there are too many rows to count.
    pub counts: Vec<usize>,
    /// How many rows are shown.
    pub rows: usize,
    /// How many rows the task does not apply to.
    pub not_applicable: usize,
    /// A label that the config does not list.
    pub unknown: Option<String>,
}

impl LabelView {
    /// Shows all tasks for some rows; returns the label that was pressed.
    pub(super) fn panel_ui(
        &mut self,
        ui: &mut Ui,
        rows: &[usize],
        context: &ViewContext<'_>,
    ) -> Option<PressedLabel> {
        let tasks = &context.project?.dataset.tasks;
        self.forget_other_search();
        let asked = self.tasks_in_question(tasks);
        let counts: Vec<usize> = asked.iter().map(|task| tasks[*task].labels.len()).collect();
        let active = asked.iter().position(|task| *task == self.task).unwrap_or(0);
        let height = ui.available_height();
        let fold = Fold::new(&counts, active, height);
        let mut pressed = None;
        ScrollArea::vertical().id_salt("tasks to label").auto_shrink(false).show(ui, |ui| {
            ui.set_max_width(ui.available_width() - 2.0 * GRID);
            ui.spacing_mut().item_spacing.y = 2.0 * GRID;
            for task in asked {
                if fold.folds_others && task != self.task {
                    if self.folded_ui(ui, task, &tasks[task], rows, context) {
                        self.task = task;
                    }
                    continue;
                }
                let press = self.task_ui(ui, task, &tasks[task], rows, (fold, height), context);
                pressed = press.or(pressed);
            }
        });
        pressed
    }

    fn task_ui(
        &mut self,
        ui: &mut Ui,
        index: usize,
        task: &Task,
        rows: &[usize],
        (fold, height): (Fold, f32),
        context: &ViewContext<'_>,
    ) -> Option<PressedLabel> {
        let tokens = context.tokens;
        let is_active = self.task == index;
        let counted = count_labels(rows, index, task, context);
        let mut pressed = None;
        let fill = if is_active { tokens.card_frame().fill } else { tokens.canvas };
        let line = if is_active { tokens.task(index) } else { tokens.line };
        let frame = Frame::new()
            .fill(fill)
            .stroke(Stroke::new(if is_active { 1.5 } else { 1.0 }, line))
            .corner_radius(theme::RADIUS)
            .inner_margin(Margin::symmetric(8, 6));
        let card = frame.show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 0.0;
            self.title_ui(ui, index, task, &counted, context);
            pressed = self.labels_ui(ui, (index, task), rows, &counted, fold, context);
            if let Some(label) = self.not_applicable_ui(ui, (index, task), &counted, context) {
                pressed = Some(PressedLabel { task: index, label });
            }
            if is_active {
                self.add_label_ui(ui, index, task, context);
            }
        });
        if is_active && self.panel.seen != Some(index) {
            self.panel.seen = Some(index);
            // Of what is higher than the panel, the top is shown.
            let is_high = card.response.rect.height() > height;
            ui.scroll_to_rect(card.response.rect, is_high.then_some(egui::Align::TOP));
        }
        pressed
    }

    fn title_ui(
        &mut self,
        ui: &mut Ui,
        index: usize,
        task: &Task,
        counted: &LabelCounts,
        context: &ViewContext<'_>,
    ) {
        let tokens = context.tokens;
        ui.horizontal(|ui| {
            ui.set_min_height(6.0 * GRID);
            ui.spacing_mut().item_spacing.x = 1.5 * GRID;
            ui.label(RichText::new("\u{25cf}").size(10.0).color(tokens.task(index)));
            let is_active = self.task == index;
            let name = Name::strong(&task.name).sense(Sense::click()).hint("Label this task (Tab)").ui(ui);
            name.widget_info(|| {
                WidgetInfo::selected(Role::Tab, true, is_active, format!("Task {}", task.name))
            });
            if name.clicked() {
                self.task = index;
            }
            if let Some(score) = self.session.score(index) {
                let (right, of) = (grouped(score.right as u64), grouped(score.of as u64));
                let text = format!("right on {right} of {of}");
                let label = ui.add(egui::Label::new(theme::caption(tokens, &text)).truncate());
                label
                    .widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{}: {text}", task.name)));
                label.on_hover_text(
                    "Labelled images that were predicted correctly, each by heads that were not fitted to its label",
                );
            }
            if let Some(unknown) = &counted.unknown {
                let text = format!("{}  {unknown}", icons::WARNING);
                let hint = format!("The config does not list the label `{unknown}` of this task");
                Name::caption(tokens, &text).color(tokens.warning).hint(hint).ui(ui);
            }
        });
    }

    pub(super) fn label_ui(
        &mut self,
        ui: &mut Ui,
        (index, task): (usize, &Task),
        (label, text): (usize, &str),
        rows: &[usize],
        (counted, is_asked_by_key): (&LabelCounts, bool),
        context: &ViewContext<'_>,
    ) -> Response {
        let (area, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::CLICK);
        let single = if let [row] = rows { Some(*row) } else { None };
        let said = single.and_then(|row| self.session.suggestions()?.probabilities(index, row));
        let probability = said.and_then(|said| said.get(label)).copied();
        let is_suggested =
            single.and_then(|row| self.suggestion(index, row)).is_some_and(|(top, _)| top as usize == label);
        let count = counted.counts.get(label).copied().unwrap_or(0);
        let is_chosen = count > 0 && count == counted.rows;
        let key = self.keys.key(index, label);
        let is_assigned = self.assigning == Some((index, label));
        response.widget_info(|| {
            let mut info =
                WidgetInfo::selected(Role::RadioButton, true, is_chosen, format!("{}: {text}", task.name));
            info.current_text_value = probability.map(whole_percent);
            info
        });
        if ui.is_rect_visible(area) {
            let value = match (count, counted.rows, probability) {
                (count, of, _) if of > 1 && count > 0 => format!("{count} of {of}"),
                (.., Some(probability)) => whole_percent(probability),
                _ => String::new(),
            };
            let row = LabelRow {
                key,
                text,
                value: &value,
                share: probability.unwrap_or(0.0),
                color: context.tokens.task(index),
                is_chosen,
                is_active: self.task == index,
                is_suggested: is_suggested
                    && counted.not_applicable == 0
                    && !counted.counts.iter().any(|count| *count > 0),
                is_assigned,
                is_awaited: self.task == index
                    && self.awaiting.is_some_and(|prefix| key.is_some_and(|key| key.prefix == Some(prefix))),
            };
            row.paint(ui, context.tokens, area, &response);
        }
        let shown = theme::in_visual_order(text);
        let hint = match key {
            Some(key) => format!("{shown} ({}). Right-click for more, such as another key", key.text()),
            None => format!("{shown}. Right-click for more, such as a key"),
        };
        self.label_menu(&response, (index, task), (label, text), is_asked_by_key, context);
        response.on_hover_text(hint)
    }
}

impl LabelView {
    /// The row for images to which the task does not apply, in the active task and where it says so; returns what
    /// was pressed.
    fn not_applicable_ui(
        &self,
        ui: &mut Ui,
        (index, task): (usize, &Task),
        counted: &LabelCounts,
        context: &ViewContext<'_>,
    ) -> Option<GivenLabel> {
        let word = context.project?.dataset.not_applicable(index)?;
        let (count, of) = (counted.not_applicable, counted.rows);
        let is_active = self.task == index;
        if !is_active && count == 0 {
            return None;
        }
        let is_chosen = count > 0 && count == of;
        let (area, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::CLICK);
        response.widget_info(|| {
            let name = format!("{}: {DOES_NOT_APPLY}", task.name);
            WidgetInfo::selected(Role::RadioButton, true, is_chosen, name)
        });
        if ui.is_rect_visible(area) {
            let value = if of > 1 && count > 0 { format!("{count} of {of}") } else { String::new() };
            let row = LabelRow {
                key: Some(LabelKey::single(Key::N)),
                text: DOES_NOT_APPLY,
                value: &value,
                share: 0.0,
                color: context.tokens.text_weak,
                is_chosen,
                is_active,
                is_suggested: false,
                is_assigned: false,
                is_awaited: false,
            };
            row.paint(ui, context.tokens, area, &response);
        }
        let hint = format!(
            "{} makes no sense for this image (N). It counts as done, nothing is learnt from it, and the CSV gets \
             `{word}`",
            task.name
        );
        let is_clicked = response.on_hover_text(hint).clicked();
        is_clicked.then_some(if is_chosen { GivenLabel::Nothing } else { GivenLabel::DoesNotApply })
    }
}

pub(super) fn count_labels(
    rows: &[usize],
    index: usize,
    task: &Task,
    context: &ViewContext<'_>,
) -> LabelCounts {
    let mut counted = LabelCounts { counts: Vec::new(), rows: rows.len(), not_applicable: 0, unknown: None };
    let Some(project) = context.project.filter(|_| rows.len() <= MOST_COUNTED) else { return counted };
    let dataset = &project.dataset;
    counted.counts = vec![0; task.labels.len()];
    for row in rows.iter().copied().filter(|row| *row < dataset.rows.len()) {
        match dataset.label(row, index) {
            RowLabel::Class(class) => {
                if let Some(count) = counted.counts.get_mut(class as usize) {
                    *count += 1;
                }
            }
            RowLabel::DoesNotApply => counted.not_applicable += 1,
            RowLabel::Missing => {
                let unknown = dataset.label_text(row, index);
                counted.unknown = unknown.map(|text| text.into_owned()).or(counted.unknown);
            }
        }
    }
    counted
}

/// How one label is painted.
struct LabelRow<'a> {
    key: Option<LabelKey>,
    text: &'a str,
    value: &'a str,
    share: f32,
    color: egui::Color32,
    is_chosen: bool,
    is_active: bool,
    is_suggested: bool,
    is_assigned: bool,
    /// The second of its keys is awaited.
    is_awaited: bool,
}

impl LabelRow<'_> {
    fn paint(&self, ui: &Ui, tokens: &Tokens, area: Rect, response: &Response) {
        let painter = ui.painter();
        let back = area.shrink2(vec2(0.0, 1.0));
        if self.is_chosen {
            painter.rect_filled(back, 4.0, tokens.selected);
        } else if response.hovered() || response.has_focus() {
            painter.rect_filled(back, 4.0, tokens.card_hovered);
        }
        focus_ring(ui, response);
        let chip = Rect::from_center_size(pos2(area.left() + 3.5 * GRID, area.center().y), Vec2::splat(CHIP));
        self.chip_paint(ui, tokens, chip);
        let font = match self.is_chosen {
            true => FontId::new(TEXT_BODY, theme::semibold()),
            false => FontId::proportional(TEXT_BODY),
        };
        let color = if self.is_active || self.is_chosen { tokens.text } else { tokens.text_weak };
        let small = FontId::proportional(TEXT_SMALL);
        let mut right = area.right() - 1.5 * GRID;
        if self.is_chosen {
            let at = pos2(right, area.center().y);
            right = painter
                .text(at, Align2::RIGHT_CENTER, icons::CHECK, small.clone(), tokens.accent_text)
                .left();
            right -= GRID;
        }
        if !self.value.is_empty() {
            let at = pos2(right, area.center().y);
            right =
                painter.text(at, Align2::RIGHT_CENTER, self.value, small.clone(), tokens.text_weak).left();
            right -= 1.5 * GRID;
        }
        let left = chip.right() + 2.0 * GRID;
        if self.is_suggested && self.is_active {
            let galley = painter.layout_no_wrap("Space".to_owned(), small, tokens.accent_text);
            let size = galley.size() + vec2(2.0 * GRID, 0.5 * GRID);
            let place = Rect::from_min_size(pos2(right - size.x, area.center().y - size.y / 2.0), size);
            let name_width = painter.layout_no_wrap(self.text.to_owned(), font.clone(), color).size().x;
            // The name matters more than the key, which stands below, too.
            if left + name_width <= place.left() - GRID {
                painter.rect_stroke(place, 3.0, Stroke::new(1.0, tokens.accent_text), StrokeKind::Inside);
                painter.galley(place.center() - galley.size() / 2.0, galley, tokens.accent_text);
                right = place.left() - GRID;
            }
        }
        let galley = shortened(ui, self.text, font, color, right - left);
        painter.galley(pos2(left, area.center().y - galley.size().y / 2.0), galley, color);
        if self.share > 0.005 {
            let full = area.right() - 1.5 * GRID - left;
            let bar = Rect::from_min_size(pos2(left, back.bottom() - 2.0), vec2(full * self.share, 2.0));
            painter.rect_filled(
                bar,
                1.0,
                self.color.gamma_multiply(if self.is_suggested { 0.9 } else { 0.5 }),
            );
        }
    }

    fn chip_paint(&self, ui: &Ui, tokens: &Tokens, chip: Rect) {
        let painter = ui.painter();
        let text = match (self.is_assigned, self.key) {
            (true, _) => "?".to_owned(),
            (false, Some(key)) => key.text(),
            (false, None) => return,
        };
        // Two letters need a little more room.
        let chip = chip.expand2(vec2(if text.chars().count() > 1 { 0.75 * GRID } else { 0.0 }, 0.0));
        let (fill, color) = match (self.is_assigned || self.is_awaited, self.is_active) {
            (true, _) => (tokens.accent, tokens.on_accent),
            (false, true) => (tokens.card, tokens.text),
            (false, false) => (tokens.canvas, tokens.text_weak),
        };
        painter.rect_filled(chip, 4.0, fill);
        painter.rect_stroke(chip, 4.0, Stroke::new(1.0, tokens.line), StrokeKind::Inside);
        painter.text(
            chip.center(),
            Align2::CENTER_CENTER,
            text,
            FontId::new(TEXT_SMALL, theme::medium()),
            color,
        );
    }
}

/// Keys and what they do, below the tasks.
pub(super) fn hints_ui(ui: &mut Ui, tokens: &Tokens, hints: &[(&str, &str)]) {
    ui.spacing_mut().item_spacing = vec2(3.0 * GRID, 0.5 * GRID);
    ui.spacing_mut().interact_size.y = 4.0 * GRID;
    ui.horizontal_wrapped(|ui| {
        for (key, meaning) in hints {
            let format = |family, color| TextFormat::simple(FontId::new(TEXT_SMALL, family), color);
            let mut text = LayoutJob::default();
            text.append(key, 0.0, format(theme::medium(), tokens.text));
            text.append(meaning, GRID, format(egui::FontFamily::Proportional, tokens.text_weak));
            ui.add(egui::Label::new(text).extend());
        }
    });
}
