//! The labels of a task as bars, sorted by probability: the answer first and with weight, the rest
//! quiet. Many labels end in a button that shows all of them.

use egui::{Align2, Color32, FontId, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use tasklens_data::text::percent;

use super::name::{Name, shortened};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_BODY, TEXT_SMALL, Tokens};

/// So many labels are shown before "more".
const TOP: usize = 10;
const ROW: f32 = 6.0 * GRID;
const PERCENT_WIDTH: f32 = 13.0 * GRID;

/// Bars of one task. See the module's docs.
#[must_use = "bars show themselves with `ui()`"]
pub struct ProbabilityBars<'a> {
    task: &'a str,
    labels: &'a [String],
    probabilities: &'a [f32],
    color: Color32,
    truth: Option<Option<usize>>,
    choice: Option<Choice<'a>>,
}

/// The label that is chosen among the bars, and where a press on another is written.
struct Choice<'a> {
    chosen: Option<usize>,
    pressed: &'a mut Option<usize>,
}

impl<'a> ProbabilityBars<'a> {
    /// Bars for `task`: one probability (0 to 1) per label.
    pub fn new(task: &'a str, labels: &'a [String], probabilities: &'a [f32], color: Color32) -> Self {
        Self { task, labels, probabilities, color, truth: None, choice: None }
    }

    /// Says beside the task whether the network is right, and marks the label that the image has.
    pub fn truth(mut self, label: Option<usize>) -> Self {
        self.truth = Some(label);
        self
    }

    /// Makes the bars a choice: `chosen` is marked, and the label that the user presses goes to `pressed`.
    pub fn choose(mut self, chosen: Option<usize>, pressed: &'a mut Option<usize>) -> Self {
        self.choice = Some(Choice { chosen, pressed });
        self
    }

    /// Shows them over the full width.
    pub fn ui(mut self, ui: &mut Ui) -> Response {
        let tokens = Tokens::of(ui.ctx());
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let order = sorted(self.probabilities);
            self.title_ui(ui, tokens, order.first().copied());
            let id = ui.make_persistent_id(("all labels", self.task));
            let shows_all = ui.data(|data| data.get_temp(id).unwrap_or(false));
            let shown = if shows_all { order.len() } else { order.len().min(TOP) };
            for (rank, &index) in order.iter().take(shown).enumerate() {
                self.row_ui(ui, tokens, index, rank == 0);
            }
            // The label that the image has is never folded away.
            let hidden = order.get(shown..).unwrap_or_default();
            if let Some(truth) = self.truth.flatten().filter(|truth| hidden.contains(truth)) {
                self.row_ui(ui, tokens, truth, false);
            }
            if order.len() > TOP {
                ui.add_space(GRID);
                let text = match shows_all {
                    true => "Show fewer".to_owned(),
                    false => format!("{} more\u{2026}", order.len() - TOP),
                };
                if ui.link(egui::RichText::new(text).size(TEXT_SMALL)).clicked() {
                    ui.data_mut(|data| data.insert_temp(id, !shows_all));
                }
            }
        })
        .response
    }

    fn title_ui(&self, ui: &mut Ui, tokens: &Tokens, answer: Option<usize>) {
        ui.horizontal(|ui| {
            super::chart::swatch(ui, self.color);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if let Some(truth) = self.truth {
                    self.verdict_ui(ui, tokens, truth, answer);
                }
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    Name::strong(self.task).ui(ui);
                });
            });
        });
        ui.add_space(0.5 * GRID);
    }

    fn verdict_ui(&self, ui: &mut Ui, tokens: &Tokens, truth: Option<usize>, answer: Option<usize>) {
        let name = |label: usize| self.labels.get(label).map_or("", String::as_str);
        let (text, color, meaning) = match truth {
            None => ("no label".to_owned(), tokens.text_weak, "no label".to_owned()),
            Some(truth) if Some(truth) == answer => {
                (format!("{}  right", icons::CHECK), tokens.success, format!("right, is {}", name(truth)))
            }
            Some(truth) => {
                (format!("{}  wrong", icons::X), tokens.error, format!("wrong, is {}", name(truth)))
            }
        };
        let verdict = ui.label(egui::RichText::new(text).size(TEXT_SMALL).color(color));
        verdict.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{}: {meaning}", self.task)));
    }

    fn row_ui(&mut self, ui: &mut Ui, tokens: &Tokens, index: usize, is_answer: bool) {
        let Some(label) = self.labels.get(index) else { return };
        let share = self.probabilities.get(index).copied().unwrap_or_default().clamp(0.0, 1.0);
        let percent = percent(share);
        let is_truth = self.truth.flatten() == Some(index);
        let chosen = self.choice.as_ref().map(|choice| choice.chosen == Some(index));
        let sense = if chosen.is_some() { Sense::click() } else { Sense::hover() };
        let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), sense);
        response.widget_info(|| {
            let role = if chosen.is_some() { Role::RadioButton } else { Role::ProgressIndicator };
            let mut info = WidgetInfo::labeled(role, true, format!("{}: {label}", self.task));
            info.current_text_value = Some(percent.clone());
            info.selected = chosen;
            info
        });
        let meaning = if is_truth { ", the label of the image" } else { "" };
        let response =
            response.on_hover_text(format!("{}: {share:.4}{meaning}", theme::in_visual_order(label)));
        if ui.is_rect_visible(row) {
            let back = row.expand2(vec2(GRID, 0.0));
            if chosen == Some(true) {
                ui.painter().rect_filled(back, 4.0, tokens.selected);
            } else if response.hovered() || response.has_focus() {
                ui.painter().rect_filled(back, 4.0, tokens.card);
            }
            super::focus_ring(ui, &response);
            paint_row(
                ui,
                row,
                self.color,
                ProbabilityRow { label, percent: &percent, share, is_answer, is_truth },
            );
        }
        if response.clicked()
            && let Some(choice) = &mut self.choice
        {
            *choice.pressed = Some(index);
        }
    }
}

fn paint_row(ui: &Ui, area: Rect, bar_color: Color32, row: ProbabilityRow<'_>) {
    let tokens = Tokens::of(ui.ctx());
    let painter = ui.painter();
    let (family, color) = match row.is_answer {
        true => (theme::semibold(), tokens.text),
        false => (egui::FontFamily::Proportional, tokens.text_weak),
    };
    let font = FontId::new(TEXT_BODY, family);
    let label_width = (area.width() * 0.42).clamp(18.0 * GRID, 48.0 * GRID);
    let mark = if row.is_truth { 5.0 * GRID } else { 0.0 };
    let galley = shortened(ui, row.label, font.clone(), color, label_width - 2.0 * GRID - mark);
    if row.is_truth {
        let at = pos2(area.left() + galley.size().x + 1.5 * GRID, area.center().y);
        painter.text(at, Align2::LEFT_CENTER, icons::TAG, FontId::proportional(TEXT_BODY), tokens.text);
    }
    painter.galley(pos2(area.left(), area.center().y - galley.size().y / 2.0), galley, color);
    let percent_right = area.left() + label_width + PERCENT_WIDTH - 2.0 * GRID;
    painter.text(pos2(percent_right, area.center().y), Align2::RIGHT_CENTER, row.percent, font, color);
    let track = Rect::from_min_max(
        pos2(area.left() + label_width + PERCENT_WIDTH, area.center().y - GRID),
        pos2(area.right(), area.center().y + GRID),
    );
    if track.width() > 0.0 {
        painter.rect_filled(track, 2.0, tokens.track);
        let bar = Rect::from_min_size(track.min, vec2(track.width() * row.share, track.height()));
        let fill = if row.is_answer { bar_color } else { bar_color.gamma_multiply(0.55) };
        painter.rect_filled(bar, 2.0, fill);
    }
}

#[derive(Clone, Copy)]
struct ProbabilityRow<'a> {
    label: &'a str,
    percent: &'a str,
    share: f32,
    is_answer: bool,
    is_truth: bool,
}

/// Indices of the labels, most probable first; equal ones in the order of the labels.
pub fn sorted(probabilities: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_probable_label_comes_first_and_nan_does_not_panic() {
        assert_eq!(sorted(&[0.1, 0.7, 0.2]), [1, 2, 0]);
        assert_eq!(sorted(&[0.5, 0.5]), [0, 1]);
        assert_eq!(sorted(&[f32::NAN, 0.5]).len(), 2);
    }
}
