//! The bar at the bottom: project, device, running job, log.

use egui::{Align, Layout, Margin, Panel, Rect, RichText, Role, Ui, UiBuilder, WidgetInfo};
use tasklens_data::text::{counted_grouped, duration, grouped};

use super::notices::color;
use crate::app::App;
use crate::app::command::{AppCommand, UiCommand};
use crate::app::context::TrainingState;
use crate::app::services::jobs::Progress;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_SMALL, Tokens};
use crate::app::widgets::icon_button;
use crate::app::widgets::name::Name;

/// The number in the mark on the log's button.
const MARK_TEXT: f32 = 9.0;

impl App {
    /// Keeps the space at the bottom free, which [`Self::status_bar_ui`] fills at the end: the keyboard comes to it last.
    pub(super) fn status_bar_space(ui: &mut Ui, tokens: &Tokens) -> Rect {
        let frame = egui::Frame::new().fill(tokens.panel).inner_margin(Margin::symmetric(12, 4));
        let panel = Panel::bottom("status bar").exact_size(9.0 * GRID).resizable(false).frame(frame);
        panel.show(ui, |ui| ui.max_rect()).inner
    }

    /// Shows it in the space that was kept.
    pub(super) fn status_bar_ui(&mut self, ui: &mut Ui, tokens: &Tokens, space: Rect) {
        let place = UiBuilder::new().id_salt("status bar").max_rect(space);
        ui.scope_builder(place, |ui| {
            ui.horizontal_centered(|ui| {
                ui.spacing_mut().item_spacing.x = 4.0 * GRID;
                self.project_ui(ui, tokens);
                self.device_ui(ui, tokens);
                self.model_chip_ui(ui, tokens);
                self.labels_ui(ui, tokens);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    self.log_button_ui(ui, tokens);
                    if let Some(job) = self.jobs.running().first() {
                        job_ui(ui, tokens, job);
                    } else if let Some((text, fraction)) =
                        self.views.train.doing().filter(|_| self.training.is_some())
                    {
                        let text = match self.training_state() {
                            TrainingState::Pausing => format!("{text}, pausing\u{2026}"),
                            TrainingState::Paused => format!("{text}, paused"),
                            TrainingState::Stopping => format!("{text}, stopping\u{2026}"),
                            _ => text,
                        };
                        bar_ui(ui, tokens, &text, Some(fraction));
                        ui.label(theme::caption(tokens, text));
                    } else {
                        self.elsewhere_ui(ui, tokens);
                    }
                });
            });
        });
    }

    /// The button of the log, with how many errors and warnings nobody has seen.
    fn log_button_ui(&self, ui: &mut Ui, tokens: &Tokens) {
        let button = icon_button(ui, &self.commands, UiCommand::ToggleLog);
        let Some((count, worst)) = self.messages.unseen() else { return };
        let name = format!("{}, {count} unseen", UiCommand::ToggleLog.text());
        button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        let text = if count > 9 { "9+".to_owned() } else { count.to_string() };
        // Beside the icon, within the bar.
        let at = button.rect.center() + egui::vec2(2.25 * GRID, -1.25 * GRID);
        let fill = color(tokens, worst);
        ui.painter().circle_filled(at, 1.75 * GRID, fill);
        let font = egui::FontId::new(MARK_TEXT, theme::semibold());
        ui.painter().text(at, egui::Align2::CENTER_CENTER, text, font, theme::text_on(fill));
    }

    /// The run that another process trains, with a button that stops it; in a right-to-left layout.
    fn elsewhere_ui(&self, ui: &mut Ui, tokens: &Tokens) {
        let Some(run) = self.trained_elsewhere() else { return };
        let stop = ui.add(egui::Button::new(RichText::new("Stop").size(TEXT_SMALL)).small());
        stop.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Stop the run in the background"));
        if stop.on_hover_text("It stops after its batch and can be resumed").clicked() {
            self.commands.send(AppCommand::StopElsewhere(run.record.folder.clone()));
        }
        let text = format!("{} in the background, {}", run.record.name, run.state());
        ui.add(egui::Label::new(theme::caption(tokens, text)).truncate());
    }

    fn project_ui(&self, ui: &mut Ui, tokens: &Tokens) {
        let name = self.project.as_ref().map_or_else(|| "No project".to_owned(), |project| project.name());
        let text = format!("{} {name}", icons::FOLDER_OPEN);
        let file = self.project.as_ref().map(|project| project.config.file.display().to_string());
        let room = ui.available_width() * 0.4;
        Name::caption(tokens, &text).hint(file.unwrap_or_default()).at_most(room).ui(ui);
    }

    /// Whether label edits are on the disk, and how many the CSV does not have.
    fn labels_ui(&self, ui: &mut Ui, tokens: &Tokens) {
        let Some(edits) = &self.edits else { return };
        let waiting = edits.error().map(|error| ("labels not on disk yet", error));
        let lost = edits.denied().filter(|_| !edits.is_kept()).map(|why| ("the last labels were lost", why));
        if let Some((what, why)) = waiting.or(lost) {
            let text = RichText::new(format!("{} {what}", icons::WARNING));
            ui.label(text.size(TEXT_SMALL).color(tokens.error)).on_hover_text(why);
            return;
        }
        let pending = edits.state().pending_count();
        if pending == 0 {
            return;
        }
        let text = counted_grouped(pending, "label edit");
        let (icon, hint) = if edits.is_kept() {
            (icons::CHECK, "Safe on disk, beside the CSV. Save labels writes them into the CSV.")
        } else {
            (icons::CLOCK, "Being written to disk")
        };
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = GRID;
            ui.label(theme::caption(tokens, format!("{icon} {text}"))).on_hover_text(hint);
            icon_button(ui, &self.commands, UiCommand::Undo);
            icon_button(ui, &self.commands, UiCommand::SaveLabels);
        });
    }

    fn device_ui(&self, ui: &mut Ui, tokens: &Tokens) {
        let Some(device) = self.device.found() else { return };
        ui.label(theme::caption(tokens, format!("{} {}", icons::CPU, device.name)))
            .on_hover_text(format!("{}\n{}", device.reason, self.device.predicts()).trim_end());
    }
}

/// Title, bar, time left and Cancel; in a right-to-left layout.
fn job_ui(ui: &mut Ui, tokens: &Tokens, job: &Progress) {
    if job.can_cancel() {
        let cancel = ui.add(egui::Button::new(RichText::new("Cancel").size(TEXT_SMALL)).small());
        cancel.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Cancel: {}", job.title())));
        if cancel.clicked() {
            job.cancel();
        }
    }
    let (done, of) = job.counts();
    let text = match (of, job.time_left()) {
        _ if !job.keep_going() => "cancelling\u{2026}".to_owned(),
        (0, _) => job.text(),
        (_, Some(left)) => format!("{} of {}, {} left", grouped(done), grouped(of), duration(left)),
        (_, None) => format!("{} of {}", grouped(done), grouped(of)),
    };
    ui.label(theme::caption(tokens, text));
    bar_ui(ui, tokens, job.title(), job.fraction());
    // Of less than a word nobody learns anything.
    if ui.available_width() >= 12.0 * GRID {
        ui.add(egui::Label::new(theme::caption(tokens, job.title())).truncate());
    }
}

fn bar_ui(ui: &mut Ui, tokens: &Tokens, name: &str, fraction: Option<f32>) {
    if let Some(fraction) = fraction {
        let bar = egui::ProgressBar::new(fraction).desired_width(32.0 * GRID).desired_height(GRID * 1.5);
        let response = ui.add(bar.fill(tokens.accent));
        response.widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, name));
    } else {
        ui.add(egui::Spinner::new().size(3.0 * GRID).color(tokens.accent_text));
    }
}
