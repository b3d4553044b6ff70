//! The labels of a task: all in one column or two, or those that fit what is typed.

use egui::Ui;
use tasklens_data::config::Task;

use super::LabelView;
use super::actions::GivenLabel;
use super::folded::Fold;
use super::panel::{LabelCounts, PressedLabel};
use crate::app::context::ViewContext;

impl LabelView {
    pub(super) fn labels_ui(
        &mut self,
        ui: &mut Ui,
        (index, task): (usize, &Task),
        rows: &[usize],
        counted: &LabelCounts,
        fold: Fold,
        context: &ViewContext<'_>,
    ) -> Option<PressedLabel> {
        if self.task == index && self.is_finding(index) {
            return self.find_ui(ui, (index, task), rows, counted, context);
        }
        let fold = if self.task == index { fold } else { Fold::default() };
        if fold.is_tall {
            self.find_button_ui(ui, (index, task), rows, counted, context);
        }
        let asked_by_key = if self.task == index { self.label_of_menu_key(rows, counted) } else { None };
        let columns = fold.columns(ui.available_width());
        let of_column = task.labels.len().div_ceil(columns).max(1);
        let mut pressed = None;
        ui.columns(columns, |columns| {
            for (label, text) in task.labels.iter().enumerate() {
                let column = &mut columns[label / of_column];
                column.spacing_mut().item_spacing.y = 0.0;
                let counts = (counted, asked_by_key == Some(label));
                if self.label_ui(column, (index, task), (label, text), rows, counts, context).clicked() {
                    let is_taken_away = counted.rows > 0 && counted.counts.get(label) == Some(&counted.rows);
                    let label = if is_taken_away { GivenLabel::Nothing } else { GivenLabel::Label(label) };
                    pressed = Some(PressedLabel { task: index, label });
                }
            }
        });
        pressed
    }
}
