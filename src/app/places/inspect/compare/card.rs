//! One task of two runs: what changes, whether that can be chance, and the scores side by side.

use egui::{Color32, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};
use tasklens_data::text::grouped;
use tasklens_net::evaluation::compare::{Comparison, FEWEST};
use tasklens_net::evaluation::intervals::Estimate;

use super::rows::{Change, ComparedTask};
use crate::app::places::inspect::wording::{Score, or_dash};
use crate::app::theme::{self, GRID, RADIUS, TEXT_HEADING, TEXT_SMALL, Tokens};
use crate::app::widgets::columns::{Columns, figure, heading_ui, text_left};
use crate::app::widgets::name::Name;

/// Differences that chance explains more rarely than this are called so.
const UNLIKELY: f64 = 0.05;
/// Below this width, the scores stand below the counts.
const WIDE: f32 = 760.0;
const TILE: egui::Vec2 = vec2(26.0 * GRID, 18.0 * GRID);
const ROW: f32 = 7.0 * GRID;
/// Name of the run, and four scores.
const COLUMNS: [(f32, f32); 5] = [(72.0, 3.0), (60.0, 1.0), (60.0, 1.0), (56.0, 1.0), (52.0, 1.0)];
const SHOWN: [Score; 4] = [Score::Accuracy, Score::MacroF1, Score::LogLoss, Score::Calibration];

/// A card for a task; `names` are those of the runs. See the module's docs.
#[must_use = "a card shows itself with `ui()`"]
pub struct TaskCard<'a> {
    /// The task in both runs.
    pub compared: &'a ComparedTask,
    /// The task's colour.
    pub color: Color32,
    /// Of the run under inspection and of the one that it is compared with.
    pub names: [&'a str; 2],
}

impl TaskCard<'_> {
    /// Shows it; returns the count that was pressed.
    pub fn ui(self, ui: &mut Ui) -> Option<Change> {
        let tokens = Tokens::of(ui.ctx());
        let mut pressed = None;
        tokens.card_frame().show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                crate::app::widgets::chart::swatch(ui, self.color);
                Name::strong(&self.compared.name).at_most(ui.available_width() - 20.0 * GRID).ui(ui);
                let rows = self.compared.comparison.rows();
                ui.label(theme::caption(tokens, super::images(rows)));
            });
            let comparison = &self.compared.comparison;
            let learnt = &self.compared.learnt;
            let chance = chance(comparison, self.names[0], learnt.rows() > 0);
            ui.add(egui::Label::new(chance).wrap()).on_hover_text(
                "p is the probability of numbers of fixed and broken images at least this uneven if both runs \
                 were equally good (McNemar's exact test).",
            );
            if let Some(difference) = &comparison.difference {
                ui.add(egui::Label::new(theme::caption(tokens, points(difference))).wrap()).on_hover_text(
                    "The difference in accuracy with its 95 % interval: 19 times in 20, such an interval \
                     contains the difference on all images of this kind.",
                );
            }
            if learnt.rows() > 0 {
                ui.add(egui::Label::new(theme::caption(tokens, apart(learnt))).wrap());
            }
            ui.add_space(2.0 * GRID);
            if comparison.rows() == 0 {
                return;
            }
            if ui.available_width() >= WIDE {
                ui.horizontal_top(|ui| {
                    pressed = self.tiles_ui(ui, tokens);
                    ui.add_space(6.0 * GRID);
                    ui.vertical(|ui| self.scores_ui(ui, tokens));
                });
            } else {
                ui.horizontal_wrapped(|ui| pressed = self.tiles_ui(ui, tokens));
                ui.add_space(2.0 * GRID);
                self.scores_ui(ui, tokens);
            }
        });
        pressed
    }

    /// The four counts; a press on one shows its images.
    fn tiles_ui(&self, ui: &mut Ui, tokens: &Tokens) -> Option<Change> {
        let mut pressed = None;
        for change in Change::ALL {
            let count = self.compared.of(change).len();
            let sense = if count > 0 { Sense::click() } else { Sense::hover() };
            let (tile, response) = ui.allocate_exact_size(TILE, sense);
            let (name, color) = wording(change, tokens);
            response.widget_info(|| {
                let name = format!("{}: {count} {name}", self.compared.name);
                WidgetInfo::labeled(Role::Button, count > 0, name)
            });
            let fill = if count > 0 && response.hovered() { tokens.card_hovered } else { tokens.card };
            ui.painter().rect_filled(tile, RADIUS, fill);
            if response.has_focus() {
                let stroke = Stroke::new(2.0, tokens.accent_text);
                ui.painter().rect_stroke(tile, RADIUS, stroke, StrokeKind::Inside);
            }
            let left = tile.left() + 3.0 * GRID;
            let font = egui::FontId::new(TEXT_HEADING, theme::semibold());
            let color = if count > 0 { color } else { tokens.text_weak };
            let at = pos2(left, tile.top() + 6.5 * GRID);
            ui.painter().text(at, egui::Align2::LEFT_CENTER, grouped(count as u64), font, color);
            let small = egui::FontId::proportional(TEXT_SMALL);
            let at = pos2(left, tile.bottom() - 5.0 * GRID);
            ui.painter().text(at, egui::Align2::LEFT_CENTER, name, small, tokens.text_weak);
            if response.on_hover_text(self.meaning(change)).clicked() {
                pressed = Some(change);
            }
        }
        pressed
    }

    fn meaning(&self, change: Change) -> String {
        let [this, other] = self.names;
        match change {
            Change::Fixed => format!("Wrong in {other}, right in {this}"),
            Change::Broken => format!("Right in {other}, wrong in {this}"),
            Change::StillWrong => "Wrong in both runs, perhaps with different labels".to_owned(),
            Change::StillRight => "Right in both runs".to_owned(),
        }
    }

    fn scores_ui(&self, ui: &mut Ui, tokens: &Tokens) {
        ui.spacing_mut().item_spacing.y = 0.0;
        let columns = Columns::new(ui.available_rect_before_wrap().x_range(), &COLUMNS);
        let row_ui = |ui: &mut Ui, height: f32| {
            ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover()).0
        };
        ui.push_id(&self.compared.name, |ui| {
            let headings = row_ui(ui, 4.0 * GRID);
            heading_ui(ui, columns.cell(headings, 0), "Run", true);
            for (column, score) in (1..).zip(SHOWN) {
                heading_ui(ui, columns.cell(headings, column), score.name(), false)
                    .on_hover_text(score.meaning());
            }
            let both = [(self.names[0], &self.compared.this), (self.names[1], &self.compared.other)];
            for (run, (name, scores)) in both.into_iter().enumerate() {
                let row = row_ui(ui, ROW);
                text_left(ui, columns.cell(row, 0), name, tokens.text);
                for (column, score) in (1..).zip(SHOWN) {
                    let values = [&self.compared.this, &self.compared.other].map(|scores| score.of(scores));
                    let color = if is_better(score, values, run) { tokens.success } else { tokens.text };
                    let text = or_dash(score.of(scores).map(|value| score.text(value)));
                    score_ui(
                        ui,
                        columns.cell(row, column),
                        &format!("{} of {name}", score.name()),
                        &text,
                        color,
                    );
                }
                let line = Stroke::new(1.0, tokens.line);
                ui.painter().hline(row.x_range(), row.top().round() + 0.5, line);
            }
        });
    }
}

fn score_ui(ui: &Ui, cell: Rect, name: &str, text: &str, color: Color32) {
    figure(ui, cell, text, color);
    let response = ui.interact(cell, ui.scope_id().with(name), Sense::hover());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ProgressIndicator, true, name);
        info.current_text_value = Some(text.to_owned());
        info
    });
}

/// Whether the score of `run` (0 or 1) is the better one, as far as it is written.
fn is_better(score: Score, values: [Option<f64>; 2], run: usize) -> bool {
    let (Some(own), Some(other)) = (values[run], values[1 - run]) else { return false };
    score.text(own) != score.text(other) && (own > other) == score.is_gain()
}

fn wording(change: Change, tokens: &Tokens) -> (&'static str, Color32) {
    match change {
        Change::Fixed => ("fixed", tokens.success),
        Change::Broken => ("broken", tokens.error),
        Change::StillWrong => ("still wrong", tokens.text),
        Change::StillRight => ("still right", tokens.text),
    }
}

/// `+4.2`, `−0.8`, `0.0`.
fn signed(points: f64) -> String {
    let text = format!("{:.1}", (points * 100.0).abs());
    match text.as_str() {
        "0.0" => text,
        _ if points < 0.0 => format!("\u{2212}{text}"),
        _ => format!("+{text}"),
    }
}

fn points(difference: &Estimate) -> String {
    let [value, low, high] = [difference.value, difference.low, difference.high].map(signed);
    format!("Accuracy {value} points (95 % interval: {low} to {high})")
}

/// What becomes of the images that a run learnt from.
fn apart(learnt: &Comparison) -> String {
    let counts = [&learnt.fixed, &learnt.broken, &learnt.still_wrong, &learnt.still_right];
    let [fixed, broken, wrong, right] = counts.map(|rows| grouped(rows.len() as u64));
    let of = super::images(learnt.rows());
    format!(
        "Not included, on {of} that a run was trained on: {fixed} fixed, {broken} broken, {wrong} still wrong, \
         {right} still right"
    )
}

/// Whether the difference can be chance, in words.
fn chance(comparison: &Comparison, this: &str, has_learnt: bool) -> String {
    let (Some(p), Some(difference)) = (comparison.p_value, comparison.difference) else {
        return match comparison.rows() {
            0 if has_learnt => "No image with a label for this task is new to both runs.".to_owned(),
            0 => "No image has a label for this task.".to_owned(),
            rows => format!(
                "{} are too few to tell which run is better: it takes {FEWEST} that neither was trained on.",
                super::images(rows)
            ),
        };
    };
    if comparison.fixed.is_empty() && comparison.broken.is_empty() {
        return "Both runs are right and wrong on the same images.".to_owned();
    }
    let p_text =
        if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.*}", if p < 0.1 { 3 } else { 2 }) };
    if p >= UNLIKELY {
        return format!("The difference may be due to chance ({p_text}).");
    }
    let what = if difference.value > 0.0 { "better" } else { "worse" };
    format!("{this} is {what}; the difference is unlikely to be due to chance ({p_text}).")
}

#[cfg(test)]
mod tests {
    use tasklens_net::evaluation::compare::{difference, mcnemar};

    use super::*;

    fn comparison(fixed: usize, broken: usize, same: usize) -> Comparison {
        let rows = fixed + broken + same;
        Comparison {
            fixed: (0..fixed).collect(),
            broken: (0..broken).collect(),
            still_right: (0..same).collect(),
            difference: difference(fixed, broken, rows).filter(|_| rows >= FEWEST),
            p_value: (rows >= FEWEST).then(|| mcnemar(fixed, broken)),
            ..Comparison::default()
        }
    }

    #[test]
    fn chance_is_told_in_words() {
        let said = |fixed, broken| chance(&comparison(fixed, broken, 40), "run b", false);
        assert_eq!(said(7, 4), "The difference may be due to chance (p = 0.55).");
        assert_eq!(
            said(14, 3),
            "run b is better; the difference is unlikely to be due to chance (p = 0.013)."
        );
        assert_eq!(
            said(0, 30),
            "run b is worse; the difference is unlikely to be due to chance (p < 0.001)."
        );
        assert_eq!(said(0, 0), "Both runs are right and wrong on the same images.");
        let none = |has_learnt| chance(&Comparison::default(), "b", has_learnt);
        assert_eq!(none(false), "No image has a label for this task.");
        assert_eq!(none(true), "No image with a label for this task is new to both runs.");
        assert_eq!(
            chance(&comparison(3, 0, 4), "b", true),
            "7 images are too few to tell which run is better: it takes 10 that neither was trained on."
        );
        assert_eq!(
            apart(&comparison(3, 0, 1200)),
            "Not included, on 1,203 images that a run was trained on: 3 fixed, 0 broken, 0 still wrong, 1,200 still \
             right"
        );
    }

    #[test]
    fn differences_have_a_sign_but_nothing_has_none() {
        assert_eq!([0.042, -0.0081, 0.000_2, -0.0].map(signed), ["+4.2", "\u{2212}0.8", "0.0", "0.0"]);
    }

    #[test]
    fn a_smaller_loss_is_better_and_equal_numbers_are_equal() {
        assert!(is_better(Score::LogLoss, [Some(0.4), Some(0.5)], 0));
        assert!(is_better(Score::Accuracy, [Some(0.4), Some(0.5)], 1));
        assert!(!is_better(Score::Accuracy, [Some(0.912_01), Some(0.912_02)], 1));
        assert!(!is_better(Score::Accuracy, [None, Some(0.9)], 1));
    }
}
