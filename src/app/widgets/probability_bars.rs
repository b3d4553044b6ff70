//! The labels of a task as bars, sorted by probability: the answer first and with weight, the rest
//! quiet. Many labels end in a button that shows all of them.

use egui::{Align2, Color32, FontId, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

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
}

impl<'a> ProbabilityBars<'a> {
    /// Bars for `task`: one probability (0 to 1) per label.
    pub fn new(task: &'a str, labels: &'a [String], probabilities: &'a [f32], color: Color32) -> Self {
        Self { task, labels, probabilities, color }
    }

    /// Shows them over the full width.
    pub fn ui(self, ui: &mut Ui) -> Response {
        let tokens = Tokens::of(ui.ctx());
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            self.title_ui(ui);
            let order = sorted(self.probabilities);
            let id = ui.make_persistent_id(("all labels", self.task));
            let shows_all = ui.data(|data| data.get_temp(id).unwrap_or(false));
            let shown = if shows_all { order.len() } else { order.len().min(TOP) };
            for (rank, &index) in order.iter().take(shown).enumerate() {
                self.row_ui(ui, tokens, index, rank == 0);
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

    fn title_ui(&self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            super::chart::swatch(ui, self.color);
            ui.label(theme::strong(self.task));
        });
        ui.add_space(0.5 * GRID);
    }

    fn row_ui(&self, ui: &mut Ui, tokens: &Tokens, index: usize, is_answer: bool) {
        let Some(label) = self.labels.get(index) else { return };
        let share = self.probabilities.get(index).copied().unwrap_or_default().clamp(0.0, 1.0);
        let percent = percent(share);
        let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
        response.widget_info(|| {
            let mut info =
                WidgetInfo::labeled(Role::ProgressIndicator, true, format!("{}: {label}", self.task));
            info.current_text_value = Some(percent.clone());
            info
        });
        let response = response.on_hover_text(format!("{label}: {share:.4}"));
        if ui.is_rect_visible(row) {
            if response.hovered() {
                ui.painter().rect_filled(row.expand2(vec2(GRID, 0.0)), 4.0, tokens.card);
            }
            self.paint_row(ui, tokens, row, Row { label, percent: &percent, share, is_answer });
        }
    }

    fn paint_row(&self, ui: &Ui, tokens: &Tokens, area: Rect, row: Row<'_>) {
        let painter = ui.painter();
        let (family, color) = match row.is_answer {
            true => (theme::semibold(), tokens.text),
            false => (egui::FontFamily::Proportional, tokens.text_weak),
        };
        let font = FontId::new(TEXT_BODY, family);
        let label_width = (area.width() * 0.42).clamp(18.0 * GRID, 48.0 * GRID);
        let galley = elided(ui, row.label, font.clone(), color, label_width - 2.0 * GRID);
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
            let fill = if row.is_answer { self.color } else { self.color.gamma_multiply(0.55) };
            painter.rect_filled(bar, 2.0, fill);
        }
    }
}

#[derive(Clone, Copy)]
struct Row<'a> {
    label: &'a str,
    percent: &'a str,
    share: f32,
    is_answer: bool,
}

/// One line of text that ends in an ellipsis where there is no room.
pub fn elided(ui: &Ui, text: &str, font: FontId, color: Color32, width: f32) -> std::sync::Arc<egui::Galley> {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(0.0));
    ui.painter().layout_job(job)
}

/// Indices of the labels, most probable first; equal ones in the order of the labels.
pub fn sorted(probabilities: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    order
}

/// A share as a percentage with one decimal, and never `100.0 %` or `0.0 %` for what is not exactly so.
pub fn percent(share: f32) -> String {
    match share {
        share if share > 0.0 && share < 0.000_5 => "<0.1 %".to_owned(),
        share if (0.999_5..1.0).contains(&share) => ">99.9 %".to_owned(),
        share => format!("{:.1} %", share * 100.0),
    }
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

    #[test]
    fn certainty_is_never_rounded_up() {
        assert_eq!(percent(0.931), "93.1 %");
        assert_eq!(percent(0.9997), ">99.9 %");
        assert_eq!(percent(1.0), "100.0 %");
        assert_eq!(percent(0.0001), "<0.1 %");
        assert_eq!(percent(0.0), "0.0 %");
    }
}
