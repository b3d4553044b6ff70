//! The labels of a task, one row each: how well each is found, and how seldom it is given wrongly.

use egui::{Color32, Rect, ScrollArea, Sense, Stroke, Ui, pos2, vec2};
use tasklens_data::text::grouped;
use tasklens_data::text::percent;
use tasklens_net::evaluation::intervals::Estimate;
use tasklens_net::evaluation::scores::LabelScores;

use crate::app::command::LabelAction;
use crate::app::places::inspect::wording::{from_to, images, or_dash, range};
use crate::app::theme::{GRID, Tokens, in_visual_order};
use crate::app::widgets::columns::{Columns, figure, heading_mark_ui, row_ui, sort_heading_ui, text_left};
use crate::app::widgets::glossary::Word;
use crate::app::widgets::label_menu::label_menu;

const ROW: f32 = 7.0 * GRID;
/// A label with fewer rows is told with its interval.
const FEW: usize = 30;
/// Room for a percentage beside its bar.
const PERCENT: f32 = 15.5 * GRID;
/// Shorter bars say nothing.
const LEAST_BAR: f32 = 6.0 * GRID;

/// A column, by which rows can be sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum LabelColumn {
    /// The name, in alphabetical order.
    Label,
    /// Rows that have the label.
    Images,
    /// Rows that were given it.
    Predicted,
    /// How seldom it is given wrongly.
    Precision,
    /// How many of its rows are found.
    Recall,
    /// Precision and recall as one number.
    #[default]
    F1,
}

impl LabelColumn {
    const ALL: [Self; 6] =
        [Self::Label, Self::Images, Self::Predicted, Self::Precision, Self::Recall, Self::F1];

    fn name(self) -> &'static str {
        match self {
            Self::Label => "Label",
            Self::Images => "Images",
            Self::Predicted => "Predicted",
            Self::Precision => "Precision",
            Self::Recall => "Recall",
            Self::F1 => "F1",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Label => "Click a row to see the images with this label that are predicted wrongly.",
            Self::Images => "Images that have this label (support).",
            Self::Predicted => "Images that the network gives this label.",
            Self::Precision => {
                "Precision: of the images that the network gives this label, how many have it."
            }
            Self::Recall => {
                "Recall: of the images that have this label, how many are found. Labels with few images show \
                 the 95 % interval beside it."
            }
            Self::F1 => "F1: precision and recall as one number (their harmonic mean).",
        }
    }

    /// What the glossary has of it.
    fn word(self) -> Option<Word> {
        match self {
            Self::Label | Self::Images | Self::Predicted => None,
            Self::Precision => Some(Word::Precision),
            Self::Recall => Some(Word::Recall),
            Self::F1 => Some(Word::F1),
        }
    }

    /// Place in the row: the interval stands between recall and F1.
    fn place(self) -> usize {
        match self {
            Self::Label => 0,
            Self::Images => 1,
            Self::Predicted => 2,
            Self::Precision => 3,
            Self::Recall => 4,
            Self::F1 => 6,
        }
    }
}

const INTERVAL: usize = 5;
/// Least widths and shares of the rest, by [`LabelColumn::place`].
const COLUMNS: [(f32, f32); 7] =
    [(84.0, 2.0), (44.0, 0.1), (56.0, 0.1), (PERCENT, 2.0), (PERCENT, 2.0), (64.0, 0.1), (52.0, 0.1)];

/// The table. It keeps how it is sorted.
#[derive(Default)]
pub struct LabelTable {
    column: LabelColumn,
    descending: bool,
}

/// The labels of a task with their scores.
pub struct LabelRows<'a> {
    pub names: &'a [String],
    /// One per label.
    pub scores: &'a [LabelScores],
    /// The task's colour.
    pub color: Color32,
    /// What the menu of a label offers.
    pub offers: &'a dyn Fn(usize) -> Vec<LabelAction>,
}

/// What is wanted of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelWish {
    /// Its images that are predicted wrongly.
    Mistakes(usize),
    /// What was chosen in its menu.
    Do(usize, LabelAction),
}

impl LabelTable {
    /// Shows it within the space there is; returns what is wanted of a label.
    pub fn ui(&mut self, ui: &mut Ui, labels: &LabelRows<'_>) -> Option<LabelWish> {
        let tokens = Tokens::of(ui.ctx());
        let least = Columns::least(&COLUMNS);
        let order = self.order(labels);
        let area = ScrollArea::horizontal().id_salt("label columns").auto_shrink(false);
        let shown = area.show(ui, |ui| {
            ui.set_min_width(least);
            ui.spacing_mut().item_spacing.y = 0.0;
            let columns = Columns::new(ui.available_rect_before_wrap().x_range(), &COLUMNS);
            self.headings_ui(ui, &columns);
            let rows = ScrollArea::vertical().id_salt("labels").auto_shrink(false);
            let mut wish = None;
            rows.show_rows(ui, ROW, order.len(), |ui, shown| {
                for label in order.get(shown).unwrap_or_default() {
                    wish = label_ui(ui, tokens, &columns, labels, *label).or(wish);
                }
            });
            wish
        });
        shown.inner
    }

    fn headings_ui(&mut self, ui: &mut Ui, columns: &Columns) {
        let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
        for column in LabelColumn::ALL {
            let sorted = (self.column == column).then_some(self.descending);
            let cell = columns.cell(row, column.place());
            let heading = sort_heading_ui(ui, cell, column.name(), column == LabelColumn::Label, sorted);
            if heading.on_hover_text(column.meaning()).clicked() {
                self.sort_by(column);
            }
            if let Some(word) = column.word() {
                heading_mark_ui(ui, cell, column.name(), sorted.is_some(), word);
            }
        }
    }

    fn sort_by(&mut self, column: LabelColumn) {
        // Names begin with A; of counts, the largest are of interest, and of scores, the worst.
        let first = matches!(column, LabelColumn::Images | LabelColumn::Predicted);
        self.descending = if self.column == column { !self.descending } else { first };
        self.column = column;
    }

    /// The labels in order; those without the value last, either way.
    fn order(&self, labels: &LabelRows<'_>) -> Vec<usize> {
        let value = |label: usize| -> Option<f64> {
            let scores = labels.scores.get(label)?;
            match self.column {
                LabelColumn::Label => None,
                LabelColumn::Images => Some(scores.rows as f64),
                LabelColumn::Predicted => Some(scores.predicted as f64),
                LabelColumn::Precision => scores.precision.map(|precision| precision.value),
                LabelColumn::Recall => scores.recall.map(|recall| recall.value),
                LabelColumn::F1 => scores.f1,
            }
        };
        let mut order: Vec<usize> = (0..labels.names.len().min(labels.scores.len())).collect();
        order.sort_by(|&a, &b| {
            let ascending = match (value(a), value(b)) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                (None, None) if self.column == LabelColumn::Label => labels.names[a].cmp(&labels.names[b]),
                (a, b) => return b.is_some().cmp(&a.is_some()),
            };
            if self.descending { ascending.reverse() } else { ascending }
        });
        order
    }
}

/// A row; what is wanted of its label.
fn label_ui(
    ui: &mut Ui,
    tokens: &Tokens,
    columns: &Columns,
    labels: &LabelRows<'_>,
    label: usize,
) -> Option<LabelWish> {
    let (name, scores) = (&labels.names[label], &labels.scores[label]);
    let response = row_ui(ui, ROW, false, name, &spoken(scores));
    let row = response.rect;
    if ui.is_rect_visible(row) {
        let cell = |column: LabelColumn| columns.cell(row, column.place());
        let is_rare = scores.rows < FEW;
        text_left(ui, cell(LabelColumn::Label), name, tokens.text);
        let count = if is_rare { tokens.warning } else { tokens.text };
        figure(ui, cell(LabelColumn::Images), &grouped(scores.rows as u64), count);
        figure(ui, cell(LabelColumn::Predicted), &grouped(scores.predicted as u64), tokens.text_weak);
        let is_open = scores.predicted < FEW;
        share_ui(ui, tokens, cell(LabelColumn::Precision), scores.precision, is_open, labels.color);
        share_ui(ui, tokens, cell(LabelColumn::Recall), scores.recall, is_rare, labels.color);
        if let Some(recall) = scores.recall.filter(|_| is_rare) {
            let cell = columns.cell(row, INTERVAL);
            let font = egui::FontId::proportional(crate::app::theme::TEXT_SMALL);
            let at = cell.left_center();
            ui.painter().text(at, egui::Align2::LEFT_CENTER, range(&recall), font, tokens.text_weak);
        }
        let f1 = or_dash(scores.f1.map(percent));
        figure(ui, cell(LabelColumn::F1), &f1, tokens.text);
    }
    let chosen = label_menu(&response, || (labels.offers)(label));
    let is_clicked = response.on_hover_text(hint(name, scores)).clicked();
    let pressed = is_clicked.then_some(LabelWish::Mistakes(label));
    chosen.map(|action| LabelWish::Do(label, action)).or(pressed)
}

/// A bar with its percentage; an open one has its interval laid over it.
fn share_ui(ui: &Ui, tokens: &Tokens, cell: Rect, share: Option<Estimate>, is_open: bool, color: Color32) {
    figure(ui, cell, &or_dash(share.map(|share| percent(share.value))), tokens.text);
    let bar = Rect::from_min_max(
        pos2(cell.left(), cell.center().y - GRID),
        pos2(cell.right() - PERCENT, cell.center().y + GRID),
    );
    let Some(share) = share.filter(|_| bar.width() >= LEAST_BAR) else { return };
    let x = |share: f64| bar.left() + bar.width() * share as f32;
    ui.painter().rect_filled(bar, 2.0, tokens.track);
    let alpha = if is_open { 0.5 } else { 1.0 };
    ui.painter().rect_filled(bar.with_max_x(x(share.value)), 2.0, color.gamma_multiply(alpha));
    if is_open {
        let line = Stroke::new(1.0, tokens.text);
        ui.painter().hline(x(share.low)..=x(share.high), bar.center().y.round() + 0.5, line);
        for end in [share.low, share.high] {
            ui.painter().vline(x(end).round() + 0.5, bar.shrink(1.0).y_range(), line);
        }
    }
}

fn hint(name: &str, scores: &LabelScores) -> String {
    let right = scores.recall.map_or(0, |recall| (recall.value * scores.rows as f64).round() as usize);
    let mut text = format!("{}: {right} of {} found", in_visual_order(name), images(scores.rows));
    if let Some(recall) = &scores.recall {
        text += &format!(" (95 % interval: {})", from_to(recall));
    }
    text += &format!("; {right} of {} predictions of it are right", scores.predicted);
    if let Some(precision) = &scores.precision {
        text += &format!(" ({})", from_to(precision));
    }
    text + ". Click to see those that are not found, right-click for more."
}

/// For screen readers and tests.
fn spoken(scores: &LabelScores) -> String {
    let share = |share: Option<f64>| or_dash(share.map(percent));
    format!(
        "{}, {} predicted, precision {}, recall {}, F1 {}",
        images(scores.rows),
        scores.predicted,
        share(scores.precision.map(|precision| precision.value)),
        share(scores.recall.map(|recall| recall.value)),
        share(scores.f1)
    )
}

#[cfg(test)]
mod tests {
    use tasklens_net::evaluation::intervals::proportion;

    use super::*;

    fn labels(rows: &[(usize, usize)]) -> Vec<LabelScores> {
        let one = |&(right, rows): &(usize, usize)| LabelScores {
            rows,
            predicted: rows + 1,
            precision: proportion(right, rows + 1),
            recall: proportion(right, rows),
            f1: (rows > 0).then(|| 2.0 * right as f64 / (2 * rows + 1) as f64),
        };
        rows.iter().map(one).collect()
    }

    #[test]
    fn what_has_no_score_comes_last_in_either_direction() {
        let names = ["b", "a", "d", "c"].map(str::to_owned);
        let scores = labels(&[(3, 10), (0, 0), (9, 10), (20, 40)]);
        let labels = LabelRows {
            names: &names,
            scores: &scores,
            color: Color32::TRANSPARENT,
            offers: &|_| Vec::new(),
        };
        let mut table = LabelTable::default();
        assert_eq!(table.order(&labels), [0, 3, 2, 1], "the worst first");
        table.sort_by(LabelColumn::F1);
        assert_eq!(table.order(&labels), [2, 3, 0, 1]);
        table.sort_by(LabelColumn::Images);
        assert_eq!(table.order(&labels), [3, 0, 2, 1], "the largest first, equals as in the config");
        table.sort_by(LabelColumn::Label);
        assert_eq!(table.order(&labels), [1, 0, 3, 2]);
    }
}
