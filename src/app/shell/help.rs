//! The list of all shortcuts.

use egui::{Grid, Id, Modal, ScrollArea};

use crate::app::command::UiCommand;
use crate::app::theme::{self, GRID, Tokens};

/// Shows it while `open`.
pub fn shortcuts_ui(ctx: &egui::Context, open: &mut bool) {
    if !*open {
        return;
    }
    let tokens = Tokens::of(ctx);
    let frame = tokens.card_frame().inner_margin(20).corner_radius(theme::RADIUS + 4);
    let modal = Modal::new(Id::unique("shortcuts")).frame(frame).show(ctx, |ui| {
        ui.set_width((110.0 * GRID).min(ctx.content_rect().width() - 16.0 * GRID));
        ui.label(theme::heading("Keyboard shortcuts"));
        ui.add_space(2.0 * GRID);
        let height = ctx.content_rect().height() - 48.0 * GRID;
        ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
            Grid::new("shortcuts").num_columns(3).spacing([6.0 * GRID, GRID]).show(ui, |ui| {
                for &command in UiCommand::ALL {
                    let shortcut = command.shortcut_text(ctx);
                    if shortcut.is_empty() {
                        continue;
                    }
                    ui.label(theme::strong(shortcut));
                    ui.label(command.text());
                    ui.label(theme::caption(tokens, command.tooltip()));
                    ui.end_row();
                }
            });
        });
        ui.add_space(2.0 * GRID);
        ui.button("Close").clicked()
    });
    if modal.inner || modal.should_close() {
        *open = false;
    }
}
