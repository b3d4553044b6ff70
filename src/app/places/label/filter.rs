//! The images of a list that are labelled: those with a text in their row, or with a label.

use egui::Ui;
use tasklens_data::dataset::filter::{Filter, TaskFilter};

use super::LabelView;
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::widgets::label_filter::{filter_text_ui, labels_menu_ui};
use crate::app::widgets::{glyph_button, toggle_glyph};

/// What narrows the list, and whether that is shown.
#[derive(Default)]
pub struct ListFilter {
    /// What images must have.
    pub chosen: Filter,
    is_shown: bool,
    /// The cursor goes into the field.
    wants_focus: bool,
}

impl ListFilter {
    /// Tasks have other numbers now.
    pub(super) fn on_tasks(&mut self) {
        self.chosen.tasks.fill(TaskFilter::Any);
    }
}

impl LabelView {
    /// Puts the cursor into the field for the filter.
    pub fn focus_filter(&mut self) {
        (self.filter.is_shown, self.filter.wants_focus) = (true, true);
    }

    /// Lets all images of the list pass again.
    pub fn clear_filter(&mut self) {
        self.filter.chosen = Filter::default();
        self.grid.leave();
    }

    /// Lets only these images of the list pass, and shows that.
    pub(super) fn show_filter(&mut self, filter: Filter) {
        (self.filter.chosen, self.filter.is_shown) = (filter, true);
        self.grid.leave();
    }

    /// The button in the header that shows the filter.
    pub(super) fn filter_button_ui(&mut self, ui: &mut Ui) {
        let hint = "Filter the images by name or label (Ctrl+F)";
        if toggle_glyph(ui, icons::FUNNEL, "Filter images", self.filter.is_shown)
            .on_hover_text(hint)
            .clicked()
        {
            match self.filter.is_shown {
                true => {
                    self.filter.is_shown = false;
                    self.clear_filter();
                }
                false => self.focus_filter(),
            }
        }
    }

    /// The line below the header, where it is shown.
    pub(super) fn filter_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let Some(project) = context.project.filter(|_| self.filter.is_shown) else { return };
        let before = self.filter.chosen.clone();
        ui.horizontal_wrapped(|ui| {
            let is_wanted = std::mem::take(&mut self.filter.wants_focus);
            filter_text_ui(ui, "Filter images by text", &mut self.filter.chosen.text, is_wanted);
            labels_menu_ui(ui, project, &mut self.filter.chosen);
            if !self.filter.chosen.is_empty()
                && glyph_button(ui, icons::X, "Clear the filter", true).clicked()
            {
                self.filter.chosen = Filter::default();
            }
        });
        if self.filter.chosen != before {
            self.grid.leave();
        }
    }
}
