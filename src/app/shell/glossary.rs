//! The list of all words that are explained, to search in.

use egui::{Id, Modal, ScrollArea, TextEdit};

use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::field_info;
use crate::app::widgets::glossary::{Word, explained_ui, take_asked};

/// The dialog: whether it is shown, and what is searched for.
#[derive(Default)]
pub struct Glossary {
    is_open: bool,
    text: String,
    /// The word that was pressed, and whether the list has yet to scroll to it.
    pressed: Option<(Word, bool)>,
}

impl Glossary {
    /// Shows or hides it.
    pub fn toggle(&mut self) {
        *self = Self { is_open: !self.is_open, ..Self::default() };
    }

    /// Shows it while it is open.
    pub fn ui(&mut self, ctx: &egui::Context) {
        if let Some(word) = take_asked(ctx) {
            *self = Self { is_open: true, text: String::new(), pressed: Some((word, true)) };
        }
        if !self.is_open {
            return;
        }
        let tokens = Tokens::of(ctx);
        let frame = tokens.card_frame().inner_margin(20).corner_radius(theme::RADIUS + 4);
        let modal = Modal::new(Id::unique("glossary")).frame(frame).show(ctx, |ui| {
            ui.set_width((110.0 * GRID).min(ctx.content_rect().width() - 16.0 * GRID));
            ui.label(theme::heading("Words and what they mean"));
            ui.add_space(2.0 * GRID);
            let field =
                TextEdit::singleline(&mut self.text).hint_text("Find a word").desired_width(f32::INFINITY);
            ui.add(field).widget_info(|| field_info(&self.text, "Find a word"));
            ui.add_space(2.0 * GRID);
            self.list_ui(ui, ctx.content_rect().height() - 60.0 * GRID);
            ui.add_space(2.0 * GRID);
            ui.button("Close").clicked()
        });
        if modal.inner || modal.should_close() {
            self.is_open = false;
        }
    }

    fn list_ui(&mut self, ui: &mut egui::Ui, height: f32) {
        let text = self.text.trim().to_lowercase();
        let found: Vec<Word> = Word::ALL.iter().copied().filter(|word| word.is_found_by(&text)).collect();
        ScrollArea::vertical().max_height(height.max(20.0 * GRID)).auto_shrink([false, true]).show(
            ui,
            |ui| {
                for word in &found {
                    match &mut self.pressed {
                        Some((pressed, scrolls)) if pressed == word => {
                            let marked = Tokens::of(ui.ctx()).selected;
                            let frame = egui::Frame::new().fill(marked).corner_radius(theme::RADIUS);
                            let shown = frame.show(ui, |ui| {
                                ui.set_width(ui.available_width());
                                explained_ui(ui, *word);
                            });
                            if std::mem::take(scrolls) {
                                ui.scroll_to_rect(shown.response.rect, Some(egui::Align::Center));
                            }
                        }
                        _ => explained_ui(ui, *word),
                    }
                    ui.add_space(2.0 * GRID);
                }
                if found.is_empty() {
                    ui.label("No word has this in it");
                }
            },
        );
    }
}
