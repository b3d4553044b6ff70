//! Where not all tasks fit beside the image, those that are not asked now are one line each: name and answer.

use egui::{Align2, FontId, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};
use tasklens_data::config::Task;
use tasklens_data::dataset::RowLabel;
use tasklens_data::text::{counted_grouped, whole_percent};

use super::LabelView;
use super::panel::{LabelCounts, MOST_COUNTED, ROW, count_labels};
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, RADIUS, TEXT_BODY, TEXT_SMALL};
use crate::app::widgets::name::shortened;
use crate::app::widgets::{DOES_NOT_APPLY, focus_ring};

/// Of a card without its labels, and below it, in points.
const CARD: f32 = 9.0 * GRID;
const BELOW: f32 = 2.0 * GRID;
/// What the active card has beside its labels: that the task does not apply, and a button that adds a label.
const ACTIVE: f32 = 2.0 * ROW;
/// So many labels are found at a glance.
const FEW: usize = 9;
/// A narrower card has no room for two columns.
const TWO_COLUMNS: f32 = 60.0 * GRID;

/// How the tasks are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fold {
    /// The others are one line each.
    pub folds_others: bool,
    /// The labels of the active task stand in two columns, and above them what is chosen.
    pub is_tall: bool,
}

impl Fold {
    /// What fits into a height: `labels` has how many each task in question has, and `active` which of them is asked.
    pub fn new(labels: &[usize], active: usize, height: f32) -> Self {
        let card = |labels: usize| CARD + labels as f32 * ROW + BELOW;
        let all: f32 = labels.iter().map(|count| card(*count)).sum::<f32>() + ACTIVE;
        let folds_others = all > height && labels.len() > 1;
        let others = labels.len().saturating_sub(1) as f32 * (ROW + BELOW);
        let own = labels.get(active).map_or(0.0, |count| card(*count) + ACTIVE);
        let has_many = labels.get(active).is_some_and(|count| *count > FEW);
        Self { folds_others, is_tall: has_many && own + others > height }
    }

    /// In how many columns the labels of the active task stand.
    pub fn columns(self, width: f32) -> usize {
        if self.is_tall && width >= TWO_COLUMNS { 2 } else { 1 }
    }
}

/// What the rows have in a task, in a few words.
pub(super) struct Answer {
    pub text: String,
    /// It is what the model says.
    pub is_suggested: bool,
}

impl LabelView {
    /// What the rows have in a task; what the model says of a single row without a label.
    pub(super) fn answer(
        &self,
        (index, task): (usize, &Task),
        rows: &[usize],
        counted: &LabelCounts,
        context: &ViewContext<'_>,
    ) -> Answer {
        let said = |text: String| Answer { text, is_suggested: false };
        if let ([row], Some(project)) = (rows, context.project) {
            let dataset = &project.dataset;
            if *row >= dataset.rows.len() {
                return said(String::new());
            }
            if dataset.label(*row, index) == RowLabel::DoesNotApply {
                return said(DOES_NOT_APPLY.to_owned());
            }
            let suggested = || {
                let (label, probability) = self.suggestion(index, *row)?;
                let label = task.labels.get(label as usize)?;
                Some(format!("{label}  {}", whole_percent(probability)))
            };
            return match (dataset.label_text(*row, index), suggested()) {
                (Some(text), _) => said(text.into_owned()),
                (None, Some(text)) => Answer { text, is_suggested: true },
                (None, None) => said("no label".to_owned()),
            };
        }
        said(counted.in_words(task))
    }

    /// A task in one line; returns whether it was pressed.
    pub(super) fn folded_ui(
        &self,
        ui: &mut Ui,
        index: usize,
        task: &Task,
        rows: &[usize],
        context: &ViewContext<'_>,
    ) -> bool {
        let tokens = context.tokens;
        let counted = count_labels(rows, index, task, context);
        let answer = self.answer((index, task), rows, &counted, context);
        let (area, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::CLICK);
        response.widget_info(|| {
            let mut info = WidgetInfo::selected(Role::Tab, true, false, format!("Task {}", task.name));
            info.current_text_value = Some(answer.text.clone());
            info
        });
        if ui.is_rect_visible(area) {
            let painter = ui.painter();
            let fill = if response.hovered() { tokens.card_hovered } else { tokens.canvas };
            painter.rect(area, RADIUS, fill, Stroke::new(1.0, tokens.line), StrokeKind::Inside);
            let left = pos2(area.left() + 2.0 * GRID, area.center().y);
            painter.circle_filled(left + vec2(GRID, 0.0), 3.0, tokens.task(index));
            let half = area.width() / 2.0 - 6.0 * GRID;
            let font = FontId::new(TEXT_BODY, theme::semibold());
            let name = shortened(ui, &task.name, font, tokens.text, half);
            painter.galley(left + vec2(4.0 * GRID, -name.size().y / 2.0), name, tokens.text);
            let color = if answer.is_suggested { tokens.text_weak } else { tokens.text };
            let text = if answer.is_suggested {
                format!("{}  {}", icons::LIGHTNING, answer.text)
            } else {
                answer.text
            };
            let galley = shortened(ui, &text, FontId::proportional(TEXT_SMALL), color, half);
            let right = area.right_center() - vec2(2.0 * GRID, 0.0);
            let place = Align2::RIGHT_CENTER.anchor_size(right, galley.size());
            painter.galley(place.min, galley, color);
            focus_ring(ui, &response);
        }
        response.on_hover_text(format!("Label {} (Tab)", task.name)).clicked()
    }
}

impl LabelCounts {
    /// What several rows have.
    fn in_words(&self, task: &Task) -> String {
        if self.rows == 0 || self.rows > MOST_COUNTED {
            return String::new();
        }
        let mut occurring = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        match (occurring.next(), occurring.count(), self.not_applicable) {
            (Some((label, count)), 0, 0) if *count == self.rows => {
                task.labels.get(label).cloned().unwrap_or_default()
            }
            (Some(_), others, _) => counted_grouped(1 + others, "label"),
            (None, _, count) if count == self.rows => DOES_NOT_APPLY.to_owned(),
            (None, ..) => "no label".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_folded_only_where_they_do_not_fit() {
        let open = Fold::default();
        assert_eq!(Fold::new(&[3, 3, 3], 0, 600.0), open);
        let folded = Fold { folds_others: true, is_tall: false };
        assert_eq!(Fold::new(&[3, 3, 12], 0, 500.0), folded);
        assert_eq!(Fold::new(&[3, 3, 12], 1, 500.0), folded, "whichever is asked");
        let tall = Fold::new(&[3, 3, 40], 2, 500.0);
        assert_eq!(
            (tall, tall.columns(300.0), tall.columns(200.0)),
            (Fold { is_tall: true, ..folded }, 2, 1)
        );
        assert_eq!(Fold::new(&[3, 3, 3], 0, 100.0), folded, "few labels are found without help");
        assert_eq!(Fold::new(&[40], 0, 500.0), Fold { folds_others: false, is_tall: true });
    }

    #[test]
    fn what_many_rows_have_is_said_in_a_few_words() {
        let task = Task { name: "print".to_owned(), labels: vec!["solid".to_owned(), "striped".to_owned()] };
        let words = |counts: [usize; 2], rows: usize, not_applicable: usize| {
            LabelCounts { counts: counts.to_vec(), rows, not_applicable, unknown: None }.in_words(&task)
        };
        assert_eq!(words([0, 4], 4, 0), "striped");
        assert_eq!(words([0, 3], 4, 0), "1 label");
        assert_eq!(words([1, 3], 4, 0), "2 labels");
        assert_eq!(words([0, 0], 4, 4), "does not apply");
        assert_eq!(words([0, 0], 4, 0), "no label");
    }
}
