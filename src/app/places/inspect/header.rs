//! Above the tabs: the tabs themselves, the run, the task and the part that all of them are about.

use std::sync::Arc;

use egui::{Align, ComboBox, Layout, RichText, Role, Ui, WidgetInfo};
use tasklens_data::dataset::split::Part;
use tasklens_data::text::{grouped, plural};
use tasklens_net::evaluation::inspection::Inspection;

use super::{Focus, InspectView, Tab};
use crate::app::command::AppCommand;
use crate::app::context::ViewContext;
use crate::app::dialogs::file_dialogs;
use crate::app::services::report::ReportRequest;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::choice::combo;
use crate::app::widgets::glossary::{Word, term_ui};
use crate::app::widgets::model_menu::model_menu_ui;
use crate::app::widgets::{dot_ui, name, tab_ui, tab_width};

/// Below this width, the run stands below the tabs, beside the part.
const WIDE: f32 = 860.0;

impl InspectView {
    pub(super) fn header_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let is_wide = ui.available_width() >= WIDE;
        if is_wide {
            ui.horizontal(|ui| {
                self.tabs_ui(ui, context);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    self.run_menu_ui(ui, context);
                    self.another_ui(ui, context);
                    term_ui(ui, theme::caption(context.tokens, "Run"), Word::Run);
                });
            });
        } else {
            ui.horizontal_wrapped(|ui| {
                self.tabs_ui(ui, context);
                self.report_ui(ui, is_wide, context);
            });
        }
        let Some(loaded) = self.inspected.as_ref().and_then(|inspected| inspected.loaded.as_ref()) else {
            return;
        };
        let (inspection, missing) = (Arc::clone(&loaded.inspection), loaded.missing);
        ui.add_space(GRID);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = GRID;
            tasks_ui(ui, &inspection, &mut self.focus, context);
            // These two look at every part.
            if !matches!(self.tab, Tab::Issues | Tab::Duplicates) {
                ui.add_space(3.0 * GRID);
                part_ui(ui, &inspection, &mut self.focus);
            }
            if !is_wide {
                self.run_menu_ui(ui, context);
                self.another_ui(ui, context);
            }
            if is_wide {
                ui.add_space(2.0 * GRID);
                self.report_ui(ui, is_wide, context);
            }
            let Some(inspected) = &mut self.inspected else { return };
            if missing > 0 {
                let images = plural(missing, "image is", "images are");
                let text = format!("{} {images} not predicted yet", grouped(missing as u64));
                ui.add_space(2.0 * GRID);
                ui.label(theme::caption(context.tokens, text));
                if inspected.is_cancelled() && ui.button("Predict them").clicked() {
                    inspected.go_on();
                }
            }
        });
    }

    /// The page about this run, once all its images were seen to.
    fn report_ui(&self, ui: &mut Ui, is_wide: bool, context: &ViewContext<'_>) {
        let Some((inspected, loaded)) =
            self.inspected.as_ref().and_then(|it| Some((it, it.loaded.as_ref()?)))
        else {
            return;
        };
        let is_whole = loaded.missing == 0 && inspected.progress().is_none();
        let text = if is_wide { "  Save report\u{2026}" } else { "" };
        let button = egui::Button::new(format!("{}{text}", icons::FLOPPY_DISK));
        let button = ui.add_enabled(is_whole, button);
        button.widget_info(|| WidgetInfo::labeled(Role::Button, is_whole, "Save report\u{2026}"));
        let button = button
            .on_hover_text("Save scores, mistakes, label errors and duplicates as one web page")
            .on_disabled_hover_text("The report needs the predictions of all images");
        if let (true, Some(project)) = (button.clicked(), context.project) {
            let request = Box::new(ReportRequest {
                run: inspected.run.clone(),
                dataset: Arc::clone(&loaded.dataset),
                inspection: Arc::clone(&loaded.inspection),
                store: loaded.store.clone(),
                config: project.config.clone(),
                disagreements: loaded.disagreements.clone(),
            });
            let name = format!("{}.html", context.runs.name_of(&inspected.run));
            let question = file_dialogs::report(name, |file| AppCommand::SaveReport { file, request });
            context.commands.send(AppCommand::AskFile(Box::new(question)));
        }
    }

    fn tabs_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        ui.spacing_mut().item_spacing.x = GRID;
        for &tab in Tab::ALL {
            if tab_ui(ui, context.tokens, tab.name(), self.tab == tab) {
                self.tab = tab;
            }
        }
    }

    fn run_menu_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let shown = self.inspected.as_ref().map(|inspected| inspected.run.clone());
        let name = shown.as_ref().map(|run| context.runs.name_of(run)).unwrap_or_default();
        let menu = name::combo(ui, "inspected run", &name, 44.0 * GRID);
        let mut wanted = None;
        let menu = menu.show_ui(ui, |ui| {
            wanted = model_menu_ui(ui, context.runs, shown.as_deref(), None);
        });
        menu.response.widget_info(|| combo("Run to inspect", &name));
        if let Some(run) = wanted.filter(|run| Some(run) != shown.as_ref()) {
            self.set_run(run);
            ui.ctx().request_repaint();
        }
    }

    /// Says that the run is not the current model, with the way to that.
    fn another_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        if !self.looks_at_another || context.runs.current().is_none() {
            return;
        }
        let text = RichText::new("Not the current model").size(theme::TEXT_SMALL);
        let button = ui.add(egui::Button::new(text.color(context.tokens.warning)));
        button.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Inspect the current model"));
        if button.on_hover_text("Inspect the current model instead").clicked() {
            self.looks_at_another = false;
            ui.ctx().request_repaint();
        }
    }
}

fn tasks_ui(ui: &mut Ui, inspection: &Inspection, focus: &mut Focus, context: &ViewContext<'_>) {
    for (index, task) in inspection.tasks.iter().enumerate() {
        // The dot stays with its name where the line breaks.
        let width = tab_width(ui, &task.task.name) + 5.0 * GRID;
        if ui.available_size_before_wrap().x < width {
            ui.end_row();
        }
        dot_ui(ui, context.tokens, task.in_dataset.unwrap_or(index));
        if tab_ui(ui, context.tokens, &task.task.name, focus.task == index) {
            focus.task = index;
        }
    }
}

fn part_ui(ui: &mut Ui, inspection: &Inspection, focus: &mut Focus) {
    let name = |part: Option<Part>| part.map_or("All splits", Part::title);
    let menu = ComboBox::from_id_salt("inspected part").selected_text(name(focus.part)).width(26.0 * GRID);
    let menu = menu.show_ui(ui, |ui| {
        for part in [Some(Part::Validation), Some(Part::Train), Some(Part::Test), None] {
            if part.is_none_or(|part| inspection.parts.contains(&part)) {
                ui.selectable_value(&mut focus.part, part, name(part));
            }
        }
    });
    menu.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Split to inspect"));
}
