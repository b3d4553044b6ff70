//! All tasks at a glance: a row each, and a press puts one in focus.

use egui::{Rect, ScrollArea, Ui, pos2, vec2};
use tasklens_data::dataset::split::Part;
use tasklens_data::text::grouped;
use tasklens_net::evaluation::scores::TaskScores;

use crate::app::context::ViewContext;
use crate::app::places::inspect::Focus;
use crate::app::places::inspect::inspected_run::Loaded;
use crate::app::places::inspect::wording::{Score, or_dash, part_name};
use crate::app::theme::{GRID, Tokens};
use crate::app::widgets::columns::{
    Columns, figure, heading_ui, row_ui, term_heading_ui, text_left, two_figures,
};
use crate::app::widgets::glossary::Word;

const ROW: f32 = 11.0 * GRID;
const HEADING: f32 = 7.0 * GRID;
/// So many tasks are in sight; more scroll.
const IN_SIGHT: f32 = 4.5;
/// Name, images, accuracy, accuracy beside it, and the other four scores: least widths and shares of the rest.
const COLUMNS: [(f32, f32); 8] =
    [(88.0, 3.0), (44.0, 1.0), (64.0, 1.0), (64.0, 1.0), (56.0, 1.0), (60.0, 1.0), (56.0, 1.0), (52.0, 1.0)];

/// The table, in `part`.
pub fn tasks_ui(ui: &mut Ui, loaded: &Loaded, focus: &mut Focus, part: Part, context: &ViewContext<'_>) {
    let least = Columns::least(&COLUMNS);
    ScrollArea::horizontal().id_salt("task scores").show(ui, |ui| {
        ui.set_min_width(least);
        ui.spacing_mut().item_spacing.y = 0.0;
        let table = TaskTable { part, beside: beside(part), columns: columns(ui) };
        table.headings_ui(ui);
        let tasks = loaded.inspection.tasks.len();
        let area = ScrollArea::vertical().id_salt("tasks").max_height(IN_SIGHT.min(tasks as f32) * ROW);
        area.show_rows(ui, ROW, tasks, |ui, shown| {
            for task in shown {
                if table.row_ui(ui, loaded, task, focus.task == task, context.tokens) {
                    focus.task = task;
                }
            }
        });
    });
}

fn columns(ui: &Ui) -> Columns {
    Columns::new(ui.available_rect_before_wrap().x_range(), &COLUMNS)
}

/// The part that the accuracy is to be compared with.
fn beside(part: Part) -> Part {
    if part == Part::Train { Part::Validation } else { Part::Train }
}

struct TaskTable {
    part: Part,
    beside: Part,
    columns: Columns,
}

impl TaskTable {
    fn headings_ui(&self, ui: &mut Ui) {
        let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEADING), egui::Sense::hover());
        let cell = |column| self.columns.cell(row, column);
        term_heading_ui(ui, cell(0), "Task", true, (Word::Task, "Click a task to see it in detail below."));
        heading_ui(ui, cell(1), "Images", false).on_hover_text("Images that have a label for the task.");
        let accuracy = "Below: the 95 % interval. 19 times in 20, such an interval contains the accuracy on all images \
                        of this kind.";
        term_heading_ui(ui, cell(2), Score::Accuracy.name(), false, (Word::Accuracy, accuracy));
        let on = format!("On {}", part_name(Some(self.beside)));
        let text = match self.beside {
            Part::Train => {
                "Accuracy on the images that the network was trained on. If it is much higher than the \
                 accuracy beside it, the network has memorised images."
            }
            _ => "Accuracy on images that the network was not trained on: this is what counts.",
        };
        term_heading_ui(ui, cell(3), &on, false, (Word::Overfitting, text));
        for (column, score) in (4..).zip(&Score::ALL[1..]) {
            let below = match score {
                Score::Calibration => "Below: the value that chance alone causes with this many images.",
                _ => "Below: the same for always predicting the most frequent label.",
            };
            term_heading_ui(ui, cell(column), score.name(), false, (score.word(), below));
        }
    }

    /// Whether it was pressed.
    fn row_ui(&self, ui: &mut Ui, loaded: &Loaded, task: usize, here: bool, tokens: &Tokens) -> bool {
        let (Some(items), Some(scores)) = (loaded.inspection.tasks.get(task), loaded.scores.get(task)) else {
            return false;
        };
        let name = &items.task.name;
        let (shown, beside) = (scores.of(self.part), scores.of(self.beside));
        let said = shown.map_or_else(|| "no scores".to_owned(), spoken);
        let response = row_ui(ui, ROW, here, &format!("Scores of {name}"), &said);
        let row = response.rect;
        if ui.is_rect_visible(row) {
            let dot = items.in_dataset.unwrap_or(task);
            self.paint_name(ui, tokens, row, name, dot);
            self.paint_figures(ui, tokens, row, shown, beside);
        }
        let text = shown.and_then(|scores| {
            let label = items.task.labels.get(scores.baseline.as_ref()?.label as usize)?;
            Some(format!("What to beat: always predicting `{label}`, the most frequent label."))
        });
        match text {
            Some(text) => response.on_hover_text(text).clicked(),
            None => response.clicked(),
        }
    }

    fn paint_name(&self, ui: &Ui, tokens: &Tokens, row: Rect, name: &str, color: usize) {
        let cell = self.columns.cell(row, 0);
        let dot = pos2(cell.left() + GRID, cell.center().y);
        ui.painter().circle_filled(dot, 3.5, tokens.task(color));
        text_left(ui, cell.with_min_x(cell.left() + 4.0 * GRID), name, tokens.text);
    }

    fn paint_figures(
        &self,
        ui: &Ui,
        tokens: &Tokens,
        row: Rect,
        shown: Option<&TaskScores>,
        beside: Option<&TaskScores>,
    ) {
        let cell = |column| self.columns.cell(row, column);
        let rows = grouped(shown.map_or(0, |scores| scores.rows) as u64);
        figure(ui, cell(1), &rows, tokens.text_weak);
        for (column, scores, color) in [(2, shown, tokens.text), (3, beside, tokens.text_weak)] {
            match scores.and_then(|scores| scores.accuracy) {
                Some(accuracy) => {
                    let (value, range) =
                        (Score::Accuracy.text(accuracy.value), Score::Accuracy.range(&accuracy));
                    two_figures(ui, cell(column), &value, &range, color);
                }
                None => figure(ui, cell(column), "\u{2013}", tokens.text_weak),
            }
        }
        for (column, score) in (4..).zip(&Score::ALL[1..]) {
            let text = |value: Option<f64>| or_dash(value.map(|value| score.text(value)));
            let value = text(shown.and_then(|scores| score.of(scores)));
            let below = text(shown.and_then(|scores| score.to_beat(scores)));
            two_figures(ui, cell(column), &value, &below, tokens.text);
        }
        // A hair line between the rows.
        let line = egui::Stroke::new(1.0, tokens.line);
        ui.painter().hline(row.x_range(), row.top().round() + 0.5, line);
    }
}

/// For screen readers and tests.
fn spoken(scores: &TaskScores) -> String {
    let of = |score: &Score| {
        let value = score.of(scores).map(|value| score.text(value));
        format!("{} {}", score.name().to_lowercase(), or_dash(value))
    };
    Score::ALL.iter().map(of).collect::<Vec<_>>().join(", ")
}
