//! Above the images: one or many, which, in which order, and the model that helps.

use egui::{Align, Button, Layout, RichText, Role, Ui, WidgetInfo};
use tasklens_data::text::{age_of, counted_grouped};
use tasklens_net::labelling::order::{LabellingOrder, Uncertainty};

use super::session::LabelModel;
use super::{LabelView, Mode, Which};
use crate::app::command::UiCommand;
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::choice::{Choice, Segments, choice_ui, combo};
use crate::app::widgets::model_menu::model_menu_ui;
use crate::app::widgets::{command_button, icon_button, name, padded};

const MODES: [Choice<'static, Mode>; 2] = [
    Choice::new(Mode::One, "One image", "Large, with the keys for each label (G)"),
    Choice::new(Mode::Many, "Grid", "Many at once (G)"),
];
const ORDERS: [((LabellingOrder, Uncertainty), &str); 6] = [
    ((LabellingOrder::Unlabelled, Uncertainty::Margin), "Unlabelled first"),
    ((LabellingOrder::File, Uncertainty::Margin), "As in the file"),
    ((LabellingOrder::Uncertain, Uncertainty::Margin), "Most uncertain (margin)"),
    ((LabellingOrder::Uncertain, Uncertainty::Entropy), "Most uncertain (entropy)"),
    ((LabellingOrder::Diverse, Uncertainty::Margin), "Most diverse"),
    ((LabellingOrder::Disagreement, Uncertainty::Margin), "Label and model disagree"),
];
const WHICH: [(Which, &str); 3] =
    [(Which::All, "All images"), (Which::ToDo, "Not labelled yet"), (Which::Flagged, "Flagged")];
const WAITS: &str = "suggests after about ten labels";
/// Below this width the model stands in a line of its own.
const WIDE: f32 = 1060.0;

impl LabelView {
    pub(super) fn header_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let is_wide = ui.available_width() >= WIDE;
        // Where there is no room beside the model for what it does, that stands below.
        let mut fits = true;
        let list = |view: &mut Self, ui: &mut Ui| {
            let mut mode = view.mode;
            if Segments::new("View", &MODES).ui(ui, &mut mode) {
                view.set_mode(mode);
            }
            view.which_ui(ui);
            view.order_ui(ui, context);
            view.tasks_ui(ui, context);
            view.filter_button_ui(ui);
        };
        let icons = |ui: &mut Ui| {
            // No higher than the menus beside them.
            let padding = egui::vec2(ui.spacing().button_padding.x, 0.0);
            padded(ui, padding, |ui| {
                icon_button(ui, context.commands, UiCommand::EditTasks);
                icon_button(ui, context.commands, UiCommand::ExportLabels);
            });
        };
        if is_wide {
            ui.horizontal(|ui| {
                list(self, ui);
                icons(ui);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    command_button(ui, context.commands, UiCommand::UpdateModel);
                    self.save_ui(ui, context);
                    self.model_ui(ui, context);
                    fits = self.state_width(ui) <= ui.available_width();
                    if fits {
                        self.state_ui(ui, context);
                    }
                });
            });
            if !fits {
                ui.horizontal(|ui| self.state_ui(ui, context));
            }
        } else {
            ui.horizontal_wrapped(|ui| list(self, ui));
            ui.horizontal_wrapped(|ui| {
                self.model_ui(ui, context);
                command_button(ui, context.commands, UiCommand::UpdateModel);
                icons(ui);
                self.save_ui(ui, context);
                self.state_ui(ui, context);
            });
        }
    }

    fn which_ui(&mut self, ui: &mut Ui) {
        let mut all: Vec<(Which, &str)> = WHICH.to_vec();
        let these = self.which.clone();
        if let Which::These(_, title) = &these {
            all.push((these.clone(), title));
        }
        if choice_ui(ui, "Images to label", 34.0 * GRID, &all, &mut self.which) {
            self.grid.leave();
        }
    }

    fn order_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let mut chosen = (self.order, self.uncertainty);
        if !matches!(self.order, LabellingOrder::Uncertain) {
            chosen.1 = Uncertainty::Margin;
        }
        if choice_ui(ui, "Order of the images", 44.0 * GRID, &ORDERS, &mut chosen) {
            (self.order, self.uncertainty) = chosen;
            self.grid.leave();
        }
        let needs_model = matches!(
            self.order,
            LabellingOrder::Uncertain | LabellingOrder::Diverse | LabellingOrder::Disagreement
        );
        if needs_model && self.session.suggestions().is_none() {
            let text = RichText::new(format!("{}  needs a model", icons::WARNING));
            ui.label(text.size(theme::TEXT_SMALL).color(context.tokens.warning))
                .on_hover_text("Without a model, unlabelled images come first. Update the model creates one");
        }
        let is_partial = self.session.suggestions().is_some_and(|said| said.knows_by_heart());
        if self.order == LabellingOrder::Disagreement && is_partial {
            ui.label(theme::caption(context.tokens, "without training images")).on_hover_text(
                "The network has memorised the labels that it was trained on, wrong ones too. Update the model \
                 to have these images judged by heads that have not seen their labels",
            );
        }
    }

    /// Which tasks are asked, and whether it goes on by itself.
    fn tasks_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let Some(project) = context.project else { return };
        let tasks = &project.dataset.tasks;
        let asked = self.tasks_in_question(tasks).len();
        let text = match asked {
            asked if asked == tasks.len() => "All tasks".to_owned(),
            1 => {
                self.tasks_in_question(tasks).first().map_or(String::new(), |task| tasks[*task].name.clone())
            }
            asked => format!("{asked} tasks"),
        };
        let menu = name::combo(ui, "tasks in question", &text, 24.0 * GRID);
        let menu = menu.close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside).show_ui(ui, |ui| {
            for task in tasks {
                let mut is_asked = !self.left_out.contains(&task.name);
                if name::checkbox_ui(ui, &mut is_asked, &task.name).clicked() {
                    match is_asked {
                        true => self.left_out.remove(&task.name),
                        false => self.left_out.insert(task.name.clone()),
                    };
                }
            }
            ui.separator();
            ui.checkbox(&mut self.goes_on, "Advance automatically")
                .on_hover_text("After a label, go to the next task, and then to the next image");
        });
        menu.response.widget_info(|| combo("Tasks to label", &text));
    }

    fn save_ui(&self, ui: &mut Ui, context: &ViewContext<'_>) {
        if self.session.can_save() {
            icon_button(ui, context.commands, UiCommand::SaveAsRun);
        }
    }

    fn model_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let name = self.model_name(context);
        let text = format!("{}  {name}", icons::LIGHTNING);
        let menu = name::combo(ui, "model that suggests", &text, 44.0 * GRID);
        let mut chosen = None;
        let menu = menu.close_behavior(egui::PopupCloseBehavior::CloseOnClick).show_ui(ui, |ui| {
            let here = self.session.model().clone();
            let follows = self.session.follows_current();
            let current = ui.selectable_label(follows, "The current model");
            if current.on_hover_text("The one in the status bar, also when it changes").clicked() {
                self.session.follow_current();
            }
            if ui.selectable_label(here == LabelModel::Off, "No suggestions").clicked() {
                chosen = Some(LabelModel::Off);
            }
            if ui
                .selectable_label(matches!(here, LabelModel::Base(_)), "ImageNet backbone")
                .on_hover_text("Its features, with heads that learn from your labels alone")
                .clicked()
                && !matches!(here, LabelModel::Base(_))
            {
                self.session.follow_no_more();
                self.session.prepare(context);
            }
            ui.separator();
            if context.runs.with_model().next().is_some() {
                let run = model_menu_ui(ui, context.runs, here.path().filter(|_| !follows), None);
                chosen = run.map(LabelModel::Run).or(chosen.take());
                ui.separator();
            }
            ui.checkbox(&mut self.session.updates_itself, "Update automatically")
                .on_hover_text("After about 20 new labels, as long as that takes less than 20 seconds");
        });
        menu.response.widget_info(|| combo("Suggestions from", &name));
        if let Some(model) = chosen {
            self.session.choose(model);
        }
    }

    /// The model in use, and whether it is another than the project's current one.
    fn model_name(&self, context: &ViewContext<'_>) -> String {
        let model = self.session.model();
        let name = model.name(context.runs);
        match model {
            LabelModel::Run(run) if !self.session.follows_current() && !context.runs.is_current(run) => {
                format!("{name} (not the current model)")
            }
            _ => name,
        }
    }

    /// How wide that which [`Self::state_ui`] shows is, in points.
    fn state_width(&self, ui: &Ui) -> f32 {
        let text = if self.session.is_updating() {
            "learning".to_owned()
        } else if self.session.is_halted() {
            self.halted_text()
        } else if let Some(text) = self.learnt_text() {
            text
        } else if self.session.waits_for_labels() {
            WAITS.to_owned()
        } else {
            return 0.0;
        };
        let font = egui::FontId::proportional(theme::TEXT_BODY);
        let text = ui.painter().layout_no_wrap(text, font, egui::Color32::PLACEHOLDER);
        text.size().x + 8.0 * GRID
    }

    /// What goes on with the images that have no suggestion.
    fn halted_text(&self) -> String {
        let verb = if self.session.waits_for_labels() { "Process" } else { "Predict" };
        format!("{verb} {}", counted_grouped(self.session.missing(), "image"))
    }

    fn learnt_text(&self) -> Option<String> {
        let learnt = self.session.learnt()?;
        Some(format!(
            "learnt from {} {}",
            counted_grouped(learnt.labels, "label"),
            age_of(learnt.at.elapsed())
        ))
    }

    /// What the model is doing, or has learnt.
    fn state_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let tokens = context.tokens;
        if self.session.is_updating() {
            ui.add(egui::Spinner::new().size(3.5 * GRID));
            ui.label(theme::caption(tokens, "learning"));
        } else if self.session.is_halted() {
            if ui.add(Button::new(self.halted_text())).on_hover_text("They have no suggestion yet").clicked()
            {
                self.session.go_on();
            }
        } else if let Some(text) = self.learnt_text() {
            let label = ui.add(egui::Label::new(theme::caption(tokens, &text)).truncate());
            label.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
        } else if self.session.waits_for_labels() {
            let label = ui.add(egui::Label::new(theme::caption(tokens, WAITS)).truncate());
            label.on_hover_text("A task needs ten labelled images, and two labels with two images each");
        }
    }
}
