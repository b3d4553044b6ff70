//! How to train: the ways, saving to the project's config, and every setting under Advanced.

use std::path::Path;

use egui::{Button, RichText, Role, Ui, WidgetInfo};
use tasklens_data::config;
use tasklens_net::device;

use super::{TrainView, open_externally, settings, ways};
use crate::app::command::{AppCommand, Level};
use crate::app::context::{TrainingState, ViewContext};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::focus_ring;
use crate::app::widgets::sentence::sentence_ui;

impl TrainView {
    pub(super) fn settings_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let reason = self.device_reason(context);
        let Some(draft) = &mut self.draft else {
            ui.label(theme::caption(context.tokens, "Open a project to train."));
            return;
        };
        ui.spacing_mut().item_spacing.y = GRID;
        if context.training != TrainingState::Idle {
            ui.label(theme::caption(context.tokens, "Changes apply from the next run on."));
        }
        ways::ways_ui(ui, context, draft, &mut self.estimates);
        if let Some((_, message)) = draft.config.model.contradiction() {
            let text = format!("{}  {message}", icons::WARNING);
            ui.label(RichText::new(text).size(theme::TEXT_SMALL).color(context.tokens.warning));
        }
        ui.add_space(GRID);
        let file = draft.saved.file.clone();
        let (changed, mut save) = (draft.is_changed(), false);
        let name = name_of(&file);
        let caption = if changed { format!("Changed here, not in {name}") } else { format!("As in {name}") };
        sentence_ui(ui, theme::caption(context.tokens, caption)).on_hover_text(file.display().to_string());
        ui.horizontal_wrapped(|ui| {
            if changed {
                let text = format!("Save to {name}");
                let button = ui.add(Button::new(text.as_str()).truncate());
                button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &text));
                save = button.clicked();
                if ui.button("Undo changes").clicked() {
                    draft.revert();
                }
            }
            if ui.button("Open file").on_hover_text(file.display().to_string()).clicked() {
                self.jobs.push(open_externally(context, file));
            }
        });
        ui.add_space(GRID);
        ui.separator();
        let advanced = egui::CollapsingHeader::new("Advanced")
            .show_unindented(ui, |ui| settings::advanced_ui(ui, draft, &reason));
        focus_ring(ui, &advanced.header_response);
        if save {
            self.save(context);
        }
        self.remember(ui, context);
    }

    /// Has what was chosen remembered once it was: not each step of a value that is being dragged.
    fn remember(&mut self, ui: &Ui, context: &ViewContext<'_>) {
        let Some(draft) = &self.draft else { return };
        let is_remembered = self.remembered.as_ref() == Some(&draft.config.model);
        if is_remembered || ui.input(|input| input.pointer.any_down()) {
            return;
        }
        self.remembered = Some(draft.config.model.clone());
        let file = draft.saved.file.clone();
        context
            .commands
            .send(AppCommand::RememberTraining { file, chosen: draft.to_remember().map(Box::new) });
    }

    /// Edits the project's config in a job and asks the app to write it.
    fn save(&mut self, context: &ViewContext<'_>) {
        let Some(draft) = self.draft.clone() else { return };
        let commands = context.commands.clone();
        let title = format!("Saving {}", name_of(&draft.saved.file));
        self.jobs.push(context.jobs.start_whole(title, move |_| {
            let file = draft.saved.file.clone();
            let text = std::fs::read_to_string(&file)
                .map_err(|error| anyhow::anyhow!("{} cannot be read: {error}", file.display()))
                .and_then(|text| {
                    config::edit_settings(&text, &draft.saved, &draft.config).map_err(anyhow::Error::msg)
                });
            match text {
                Ok(text) => commands.send(AppCommand::SaveConfig { file, text }),
                Err(error) => commands.toast(Level::Error, tasklens_data::text::told(&error)),
            }
            Ok(())
        }));
    }

    /// Why the chosen device is what it is; looks it up where the settings differ from the project.
    fn device_reason(&mut self, context: &ViewContext<'_>) -> String {
        let Some(draft) = &self.draft else { return String::new() };
        let choice = draft.config.model.device;
        if choice == draft.saved.model.device {
            return context.device.map_or_else(String::new, |device| device.reason.clone());
        }
        self.device.want(&choice, || {
            context.jobs.start_quietly("Looking at the device", move |_| device::pick(choice))
        });
        match (self.device.failure(), self.device.get()) {
            _ if self.device.is_busy() => "Looking\u{2026}".to_owned(),
            (Some(message), _) => message.to_owned(),
            (None, Some(device)) => format!("{}: {}", device.name, device.reason),
            (None, None) => String::new(),
        }
    }
}

/// What the project's config is called.
fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}
