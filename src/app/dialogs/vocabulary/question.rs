//! What a change would do: how many images, some of them, and Apply or Back.

use std::sync::Arc;

use egui::{Align, Grid, Key, Label, Layout, RichText, ScrollArea, Ui};
use tasklens_data::dataset::edits::State;
use tasklens_data::dataset::vocabulary::{self, Preview, VocabularyChange};
use tasklens_data::text::{counted_grouped, grouped, plural};

use super::VocabularyAnswer;
use crate::app::context::ViewContext;
use crate::app::services::derived::Derived;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::accent_button;
use crate::app::widgets::name::Name;
use crate::app::widgets::sentence::sentence_ui;

/// A change, and what is known of it.
pub(super) struct ChangeQuestion {
    change: VocabularyChange,
    /// What it does in a generation of the project, or why it cannot be made.
    preview: Derived<u64, Result<Preview, String>>,
    /// Whether Apply had the keyboard once.
    was_focused: bool,
}

impl ChangeQuestion {
    pub fn new(change: VocabularyChange) -> Self {
        Self { change, preview: Derived::default(), was_focused: false }
    }

    pub fn ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>, is_changing: bool) -> VocabularyAnswer {
        if !is_changing {
            self.work(context);
        }
        let tokens = Tokens::of(ui.ctx());
        sentence_ui(ui, theme::heading(format!("{}?", sentence(&self.change))));
        ui.add_space(GRID);
        let refused = self.preview.failure().map(|message| Err(message.to_owned()));
        match refused.as_ref().or(self.preview.get()) {
            None => {
                ui.horizontal(|ui| {
                    ui.spinner();
                    ui.label(theme::caption(tokens, "Finding what changes"));
                });
            }
            Some(Err(refusal)) => {
                let text = RichText::new(format!("{}  {refusal}", icons::WARNING)).color(tokens.warning);
                ui.add(Label::new(text).wrap());
            }
            Some(Ok(preview)) => preview_ui(ui, tokens, preview),
        }
        ui.add_space(3.0 * GRID);
        self.buttons_ui(ui, is_changing)
    }

    fn buttons_ui(&mut self, ui: &mut Ui, is_changing: bool) -> VocabularyAnswer {
        let can_apply = self.preview.failure().is_none() && matches!(self.preview.get(), Some(Ok(_)));
        let mut answer = VocabularyAnswer::None;
        ui.horizontal(|ui| {
            let apply = accent_button(ui, icons::CHECK, "Apply", can_apply);
            // Not while the Enter that asked is still down: it would apply unseen.
            if can_apply && !self.was_focused && !ui.input(|input| input.key_down(Key::Enter)) {
                self.was_focused = true;
                apply.request_focus();
            }
            if apply.clicked() {
                answer = VocabularyAnswer::Apply(self.change.clone());
            }
            if ui.button("Back").clicked() {
                answer = VocabularyAnswer::Back;
            }
            if is_changing {
                ui.spinner();
            }
        });
        answer
    }

    /// Looks at the rows in the background, and again when they are others.
    fn work(&mut self, context: &ViewContext<'_>) {
        let Some(project) = context.project else { return };
        self.preview.want(&project.generation, || {
            let (config, rows) = (project.config.clone(), Arc::clone(&project.dataset));
            let change = self.change.clone();
            context.jobs.start_quietly("Finding what changes", move |_| {
                // The project's rows have the edits in them.
                let checked = vocabulary::check(&config, &rows, &change);
                Ok(checked.map(|()| vocabulary::preview(&rows, &State::default(), &change)))
            })
        });
    }
}

/// What is asked, with quotes as in print.
fn sentence(change: &VocabularyChange) -> String {
    let mut sentence = String::new();
    for (at, part) in change.to_string().split('`').enumerate() {
        match at {
            0 => {}
            _ if at % 2 == 1 => sentence.push('\u{201c}'),
            _ => sentence.push('\u{201d}'),
        }
        sentence.push_str(part);
    }
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence
}

fn preview_ui(ui: &mut Ui, tokens: &Tokens, preview: &Preview) {
    let count = match preview.images {
        0 => "No image changes".to_owned(),
        images => format!("{} {}", counted_grouped(images, "image"), plural(images, "changes", "change")),
    };
    ui.label(theme::strong(count));
    for note in &preview.notes {
        sentence_ui(ui, RichText::new(note).color(tokens.text_weak));
    }
    if preview.rows.is_empty() {
        return;
    }
    ui.add_space(GRID);
    let height = (ui.ctx().content_rect().height() - 72.0 * GRID).clamp(14.0 * GRID, 75.0 * GRID);
    let area = ScrollArea::vertical().max_height(height).auto_shrink([false, true]);
    area.show(ui, |ui| {
        ui.spacing_mut().interact_size.y = 5.0 * GRID;
        let width = (ui.available_width() - 9.0 * GRID) / 2.0;
        let grid = Grid::new("what changes").num_columns(2).spacing([4.0 * GRID, GRID]);
        grid.max_col_width(width).min_col_width(width).show(ui, |ui| {
            for row in &preview.rows {
                Name::new(&row.image).path().ui(ui);
                let after = row.after.as_deref().unwrap_or("no label");
                let change = format!("{}  {}  {after}", row.before, icons::ARROW_RIGHT);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    Name::new(&change).ui(ui);
                });
                ui.end_row();
            }
        });
        if preview.images > preview.rows.len() {
            let more = grouped((preview.images - preview.rows.len()) as u64);
            ui.label(theme::caption(tokens, format!("and {more} more")));
        }
    });
}
