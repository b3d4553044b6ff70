//! Several rows selected at once, and what can be done with them.

use std::ops::Range;

use egui::{Modifiers, Response, Ui};
use tasklens_data::dataset::ImageRow;
use tasklens_data::text::grouped;

use super::{DataView, SidePage};
use crate::app::command::ImageAction;
use crate::app::context::ViewContext;
use crate::app::services::project::Project;
use crate::app::theme;
use crate::app::widgets::image_menu::{image_buttons_ui, image_menu};
use crate::app::widgets::thumbnail_grid::Selection;

const OFFERS: [ImageAction; 5] = [
    ImageAction::Open,
    ImageAction::Label,
    ImageAction::Predict,
    ImageAction::ShowInFolder,
    ImageAction::CopyPath,
];

/// Positions among the rows shown. One row alone is no selection of several.
#[derive(Default)]
pub struct Several {
    selection: Selection,
    /// Where a range begins.
    anchor: Option<usize>,
}

impl Several {
    /// Selects none.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Selects these, and no others.
    pub fn select(&mut self, positions: Range<usize>) {
        self.selection = Selection::range(positions);
    }

    /// Whether this position is one of several.
    pub fn contains(&self, position: usize) -> bool {
        self.selection.len() > 1 && self.selection.contains(position)
    }

    /// A click: alone it selects this one, with Shift all from the one before, with Ctrl this one, too.
    fn click(&mut self, position: usize, modifiers: Modifiers) {
        let anchor = self.anchor.unwrap_or(position);
        if modifiers.shift {
            self.select(anchor.min(position)..anchor.max(position) + 1);
            return;
        }
        if modifiers.command {
            self.selection.toggle(position);
        } else {
            self.selection = Selection::of(position);
        }
        self.anchor = Some(position);
    }
}

impl DataView {
    /// How many are selected, and what can be done with them; nothing where it is one.
    pub(super) fn several_ui(&mut self, ui: &mut Ui, project: &Project, context: &ViewContext<'_>) {
        let count = self.several.selection.len();
        if count < 2 {
            return;
        }
        ui.horizontal_wrapped(|ui| {
            ui.label(theme::strong(format!("{} selected", grouped(count as u64))));
            if let Some(action) = image_buttons_ui(ui, count, &OFFERS) {
                action.on_rows(&project.dataset, self.several_rows(), context.commands);
            }
            if ui.button("Select none").clicked() {
                self.several.clear();
            }
        });
    }

    /// The rows that are selected, in the order in which they are shown.
    fn several_rows(&self) -> Vec<usize> {
        self.several.selection.iter().filter_map(|at| self.shown().get(at).copied()).collect()
    }

    /// What the mouse did to the row at a position.
    pub(super) fn row_pressed(
        &mut self,
        response: &Response,
        position: usize,
        project: &Project,
        context: &ViewContext<'_>,
    ) {
        let Some(row) = self.shown().get(position).copied() else { return };
        if response.clicked() {
            let modifiers = response.ctx.input(|input| input.modifiers);
            self.several.click(position, modifiers);
            self.show_row(project, row);
        }
        if response.double_clicked() {
            ImageAction::Label.on_rows(&project.dataset, vec![row], context.commands);
        }
        let is_of_several = self.several.contains(position);
        let count = if is_of_several { self.several.selection.len() } else { 1 };
        match image_menu(response, count, &OFFERS) {
            Some(ImageAction::Open) => self.show_row(project, row),
            Some(action) => {
                let rows = if is_of_several { self.several_rows() } else { vec![row] };
                action.on_rows(&project.dataset, rows, context.commands);
            }
            None => {}
        }
    }

    fn show_row(&mut self, project: &Project, row: usize) {
        self.selected = Some(ImageRow::of(&project.dataset, row));
        self.side = SidePage::Image;
        self.drawer.open();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shift_selects_from_the_last_click_and_control_adds_and_takes_away() {
        let mut several = Several::default();
        several.click(4, Modifiers::NONE);
        assert!(!several.contains(4), "one alone is not several");
        several.click(2, Modifiers::SHIFT);
        assert_eq!(several.selection.iter().collect::<Vec<_>>(), [2, 3, 4]);
        several.click(7, Modifiers::COMMAND);
        several.click(3, Modifiers::COMMAND);
        assert_eq!(several.selection.iter().collect::<Vec<_>>(), [2, 4, 7]);
        several.click(5, Modifiers::SHIFT);
        assert_eq!(several.selection.iter().collect::<Vec<_>>(), [3, 4, 5]);
        several.click(9, Modifiers::NONE);
        assert_eq!(several.selection.iter().collect::<Vec<_>>(), [9]);
    }
}
