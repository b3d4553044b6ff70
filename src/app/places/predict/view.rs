//! How Predict is laid out: the list at the left, the image in the middle, the answers at the right.

use egui::{Color32, Key, Modifiers, ScrollArea, Ui, vec2};
use tasklens_data::text::counted;

use super::list::ListAction;
use super::picker::{ModelState, Shown};
use super::{EntryState, ImageEntry, PredictView, answer, check, list, picker, tasks_of, tried};
use crate::app::command::{AppCommand, UiCommand};
use crate::app::context::ViewContext;
use crate::app::services::project::ImageSource;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::{command_button, empty_place};

/// Below this width, list, image and answers stand one below the other.
const WIDE: f32 = 720.0;
const LIST_WIDTH: f32 = 280.0;
const ANSWERS_WIDTH: f32 = 340.0;
/// The most that list and answers take of the width, so that the image between them can be looked at.
const LIST_SHARE: f32 = 0.35;
const ANSWERS_SHARE: f32 = 0.37;

impl PredictView {
    /// Shows the list, the image and the predictions side by side, or one below the other where there is no room.
    pub fn ui(&mut self, ui: &mut Ui, context: &mut ViewContext<'_>) {
        self.follow_current(context);
        self.keys(ui);
        self.ask_for_picture();
        let colors = self.colors(context);
        if ui.available_width() < WIDE {
            ScrollArea::vertical().id_salt("predict").show(ui, |ui| self.narrow_ui(ui, context, &colors));
            return;
        }
        let width = ui.available_width();
        let panel = |side: egui::Panel, width: f32| {
            side.exact_size(width)
                .resizable(false)
                .show_separator_line(false)
                .frame(context.tokens.card_frame())
        };
        panel(egui::Panel::left("predict list"), LIST_WIDTH.min(width * LIST_SHARE)).show(ui, |ui| {
            let model = egui::Panel::bottom("predict model").resizable(false).show_separator_line(false);
            model.frame(egui::Frame::NONE).show(ui, |ui| {
                ui.separator();
                self.model_ui(ui, context, &colors);
            });
            egui::CentralPanel::no_frame().show(ui, |ui| {
                self.add_ui(ui, context);
                self.list_ui(ui, context, &colors);
            });
        });
        if let Some(entry) = self.entries.get(self.selected) {
            panel(egui::Panel::right("predict answers"), ANSWERS_WIDTH.min(width * ANSWERS_SHARE)).show(
                ui,
                |ui| {
                    ScrollArea::vertical().id_salt("answers").auto_shrink(false).show(ui, |ui| {
                        ui.set_max_width(ui.available_width() - 2.0 * GRID);
                        answer::bars_ui(ui, context, entry, self.said_of(entry), &self.model, &colors);
                    });
                },
            );
        }
        let frame = egui::Frame::new().inner_margin(egui::Margin::symmetric(16, 0));
        egui::CentralPanel::no_frame()
            .frame(frame)
            .show(ui, |ui| self.picture_ui(ui, context, ui.available_size()));
    }

    /// What has to be known about the answer to an image that is tried.
    fn said_of(&self, entry: &ImageEntry) -> Option<&'static str> {
        self.standings()?.get(&entry.id)?.said()
    }

    fn narrow_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>, colors: &[Color32]) {
        self.model_ui(ui, context, colors);
        ui.separator();
        self.add_ui(ui, context);
        let width = ui.available_width();
        self.picture_ui(ui, context, vec2(width, 260.0));
        if let Some(entry) = self.entries.get(self.selected) {
            answer::bars_ui(ui, context, entry, self.said_of(entry), &self.model, colors);
        }
        if self.entries.len() > 1 {
            ui.allocate_ui(vec2(width, 240.0), |ui| self.list_ui(ui, context, colors));
        }
    }

    fn picture_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>, space: egui::Vec2) {
        match self.entries.get(self.selected) {
            Some(_) => self.selected_ui(ui, context, space),
            None if self.model == ModelState::None => empty_place(
                ui,
                icons::CROSSHAIR,
                "Ask a network about any image",
                "There is no network yet. Train one on your labelled images, or open a checkpoint from an \
                 earlier run; then drop images here.",
                |ui| answer::next_steps_ui(ui, context),
            ),
            None => empty_place(
                ui,
                icons::IMAGES,
                "Drop images here",
                "Or paste an image or a URL with Ctrl+V, open files, or type a URL.",
                |ui| {
                    command_button(ui, context.commands, UiCommand::OpenImages);
                    if context.project.is_some() {
                        ui.add_space(GRID);
                        command_button(ui, context.commands, UiCommand::TryValidationImages);
                    }
                },
            ),
        }
    }

    /// The ways to add images.
    fn add_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        ui.horizontal_wrapped(|ui| {
            command_button(ui, context.commands, UiCommand::OpenImages);
            let paste = ui.button(format!("{}  Paste", icons::CLIPBOARD));
            paste
                .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, UiCommand::Paste.text()));
            if paste.on_hover_text("Predict the image, file or URL on the clipboard (Ctrl+V)").clicked() {
                context.commands.ui(UiCommand::Paste);
            }
            if context.project.is_some() && !self.entries.is_empty() {
                command_button(ui, context.commands, UiCommand::TryValidationImages);
            }
        });
        let field = egui::TextEdit::singleline(&mut self.url)
            .hint_text("https:// URL of an image")
            .desired_width(f32::INFINITY)
            .margin(egui::Margin::symmetric(8, 6));
        let response = ui.add(field);
        response.widget_info(|| egui::WidgetInfo {
            label: Some("Image URL".to_owned()),
            ..egui::WidgetInfo::text_edit(true, "", &self.url, "")
        });
        if std::mem::take(&mut self.focuses_url) {
            response.request_focus();
        }
        let url = self.url.trim();
        if response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) && !url.is_empty() {
            context.commands.send(AppCommand::FetchUrl(url.to_owned()));
            self.url.clear();
        }
    }

    fn list_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>, colors: &[Color32]) {
        if self.entries.is_empty() {
            return;
        }
        ui.horizontal(|ui| {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if ui.button("Clear").on_hover_text("Empty the list; no file is touched").clicked() {
                    self.clear();
                }
                let has_answers =
                    self.entries.iter().any(|entry| matches!(entry.state, EntryState::Predicted(_)));
                let export = ui.add_enabled(has_answers, egui::Button::new("Export CSV\u{2026}"));
                if export.on_hover_text("Write all predictions and probabilities to a file").clicked() {
                    self.export(context);
                }
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    let text = counted(self.entries.len(), "image");
                    ui.add(egui::Label::new(theme::caption(context.tokens, text)).truncate());
                });
            });
        });
        self.verdict_ui(ui, context);
        let follow = std::mem::take(&mut self.follows_selection);
        let answers = list::TaskColors { tasks: tasks_of(&self.model), colors };
        match list::list_ui(ui, context.tokens, &self.entries, &answers, self.selected, follow) {
            Some(ListAction::Select(index)) => self.selected = index,
            Some(ListAction::Remove(index)) => self.remove(index),
            Some(ListAction::File(index, action)) => {
                if let Some(ImageSource::Path(file)) = self.entries.get(index).map(|entry| &entry.source) {
                    action.on_file(file, context.commands);
                }
            }
            None => {}
        }
    }

    /// How many of the images tried are answered rightly, and what has to be known about that.
    fn verdict_ui(&self, ui: &mut Ui, context: &ViewContext<'_>) {
        let Some(standings) = self.standings() else { return };
        let verdict = check::verdict(&self.entries, tasks_of(&self.model), standings);
        let predicted = self.entries.iter().filter(|entry| matches!(entry.state, EntryState::Predicted(_)));
        let caveats = tried::caveats(predicted.filter_map(|entry| standings.get(&entry.id).copied()));
        if let Some(verdict) = verdict {
            ui.add(egui::Label::new(theme::caption(context.tokens, verdict)).wrap());
        }
        for caveat in caveats {
            answer::caveat_ui(ui, context.tokens, &caveat);
        }
    }

    fn model_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>, colors: &[Color32]) {
        let newer = self.newer_weights.as_ref();
        let standing = Shown { newer, is_another: self.has_another(context) };
        if let Some(action) = picker::model_ui(ui, context, &self.model, colors, &standing) {
            self.act_on_model(context, action);
        }
        if self.wanted_model.is_some() {
            ui.ctx().request_repaint();
        }
    }

    /// Up, down, the heat map's key and delete, unless something is being typed.
    fn keys(&mut self, ui: &Ui) {
        if self.entries.is_empty() || ui.ctx().text_edit_focused() {
            return;
        }
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let before = self.selected;
        if pressed(Key::ArrowDown) {
            self.selected = (self.selected + 1).min(self.entries.len() - 1);
        }
        if pressed(Key::ArrowUp) {
            self.selected = self.selected.saturating_sub(1);
        }
        self.follows_selection |= self.selected != before;
        if pressed(Key::H) {
            self.look.heat.is_on = !self.look.heat.is_on;
        }
        if pressed(Key::Delete) {
            self.remove(self.selected);
        }
    }
}
