//! The start page: what there is to do without a project.

use std::path::PathBuf;

use egui::{RichText, Role, ScrollArea, Ui, Vec2, WidgetInfo};

use crate::app::command::{AppCommand, CommandSender, UiCommand};
use crate::app::services::jobs::Progress;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::name::Name;
use crate::app::widgets::{command_button, focus_ring, primary_button};

/// Shows it; `opening` is what is being opened already.
pub fn ui(ui: &mut Ui, commands: &CommandSender, recent: &[PathBuf], opening: Option<&Progress>) {
    let tokens = Tokens::of(ui.ctx());
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let width = (144.0 * GRID).min(ui.available_width() - 8.0 * GRID);
        let left = (ui.available_width() - width) / 2.0;
        let top = (ui.available_height() * 0.2).max(4.0 * GRID);
        ui.add_space(top);
        ui.horizontal_top(|ui| {
            ui.add_space(left);
            ui.vertical(|ui| {
                ui.set_width(width);
                if let Some(opening) = opening {
                    opening_ui(ui, tokens, opening);
                } else {
                    begin_ui(ui, tokens, commands);
                    recent_ui(ui, tokens, commands, recent);
                }
            });
        });
    });
}

fn opening_ui(ui: &mut Ui, tokens: &Tokens, opening: &Progress) {
    ui.label(theme::heading(format!("{}\u{2026}", opening.title())));
    match opening.fraction() {
        Some(fraction) => {
            ui.add(egui::ProgressBar::new(fraction).desired_height(1.5 * GRID).fill(tokens.accent))
                .widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, opening.title()));
        }
        None => {
            ui.add(egui::Spinner::new().color(tokens.accent_text));
        }
    }
}

fn begin_ui(ui: &mut Ui, tokens: &Tokens, commands: &CommandSender) {
    ui.label(RichText::new("Tasklens").size(32.0).family(theme::semibold()));
    let text = "Train one network that answers several questions about an image at once. Open a CSV that lists \
                images and their labels, or a folder of images to label. You can also drop either anywhere on \
                this window.";
    ui.label(RichText::new(text).color(tokens.text_weak));
    ui.add_space(3.0 * GRID);
    ui.horizontal_wrapped(|ui| {
        primary_button(ui, commands, UiCommand::OpenProject);
        command_button(ui, commands, UiCommand::NewProject);
        command_button(ui, commands, UiCommand::OpenSample);
        command_button(ui, commands, UiCommand::OpenImages);
        command_button(ui, commands, UiCommand::ImportDeepFashion);
    });
    ui.add_space(6.0 * GRID);
}

fn recent_ui(ui: &mut Ui, tokens: &Tokens, commands: &CommandSender, recent: &[PathBuf]) {
    if recent.is_empty() {
        return;
    }
    ui.label(theme::strong("Recent"));
    ui.spacing_mut().item_spacing.y = 0.0;
    for path in recent {
        let name = path.parent().and_then(|folder| folder.file_name()).unwrap_or(path.as_os_str());
        let name = name.to_string_lossy();
        let size = Vec2::new(ui.available_width(), 11.0 * GRID);
        let (rect, response) = ui.allocate_exact_size(size, egui::Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Open {}", path.display())));
        if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(rect.expand2(Vec2::new(8.0, 0.0)), theme::RADIUS, tokens.card);
        }
        focus_ring(ui, &response);
        let mut row = ui.new_child(egui::UiBuilder::new().max_rect(rect));
        row.horizontal_centered(|ui| {
            ui.label(RichText::new(icons::FOLDER_OPEN).size(18.0).color(tokens.text_weak));
            ui.vertical(|ui| {
                ui.add_space(GRID);
                Name::strong(&name).ui(ui);
                Name::caption(tokens, &path.display().to_string()).path().ui(ui);
            });
        });
        if response.clicked() {
            commands.send(AppCommand::OpenPath(path.clone()));
        }
    }
}
