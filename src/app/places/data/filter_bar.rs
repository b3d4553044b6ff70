//! The line above the table: search field, label and part filters, counts.

use egui::{ComboBox, Role, Ui, WidgetInfo};
use tasklens_data::dataset::filter::Filter;
use tasklens_data::dataset::split::Part;
use tasklens_data::text::{counted_grouped, grouped};

use super::{DataView, PANEL};
use crate::app::command::UiCommand;
use crate::app::context::ViewContext;
use crate::app::services::project::Project;
use crate::app::theme::{self, GRID};
use crate::app::widgets::icon_button;
use crate::app::widgets::label_filter::{filter_text_ui, labels_menu_ui};

impl DataView {
    pub(super) fn filter_bar_ui(
        &mut self,
        ui: &mut Ui,
        project: &Project,
        has_drawer: bool,
        context: &ViewContext<'_>,
    ) {
        ui.horizontal_wrapped(|ui| {
            self.text_ui(ui);
            labels_menu_ui(ui, project, &mut self.filter);
            part_menu_ui(ui, &mut self.filter);
            if !self.filter.is_empty() {
                icon_button(ui, context.commands, UiCommand::ClearFilter);
            }
            let (all, shown) = (counted_grouped(project.dataset.rows.len(), "row"), self.shown().len());
            let count =
                if self.filter.is_empty() { all } else { format!("{} of {all}", grouped(shown as u64)) };
            ui.add(egui::Label::new(theme::caption(context.tokens, count)).extend());
            if has_drawer {
                self.drawer.button_ui(ui, PANEL);
            }
        });
    }

    fn text_ui(&mut self, ui: &mut Ui) {
        let is_wanted = std::mem::take(&mut self.focus_filter);
        filter_text_ui(ui, "Filter rows by text", &mut self.filter.text, is_wanted);
    }
}

fn part_menu_ui(ui: &mut Ui, filter: &mut Filter) {
    let name = |part: Option<Part>| part.map_or("All splits", Part::title);
    let menu = ComboBox::from_id_salt("part filter").selected_text(name(filter.part)).width(36.0 * GRID);
    let menu = menu.show_ui(ui, |ui| {
        for part in [None, Some(Part::Train), Some(Part::Validation), Some(Part::Test)] {
            ui.selectable_value(&mut filter.part, part, name(part));
        }
    });
    menu.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Filter by split"));
}
