//! The name and the note of a run.

use std::path::PathBuf;

use egui::{Context, Id, Key, Label, Modal, TextEdit};
use tasklens_net::training::run_folder;
use tasklens_net::training::run_note::RunNote;

use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::{accent_button, field_info};

/// What the user wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunNoteAnswer {
    /// Nothing yet.
    Stay,
    /// Nothing at all.
    Leave,
    /// The run in this folder is called that.
    Keep(PathBuf, RunNote),
}

/// The form.
pub struct RunNoteForm {
    run: PathBuf,
    said: RunNote,
    was_focused: bool,
}

impl RunNoteForm {
    /// For the run in a folder, of which this was said before.
    pub fn new(run: PathBuf, said: RunNote) -> Self {
        Self { run, said, was_focused: false }
    }

    /// Shows it over everything.
    pub fn ask(&mut self, ctx: &Context) -> RunNoteAnswer {
        let tokens = Tokens::of(ctx);
        let mut answer = RunNoteAnswer::Stay;
        let modal = Modal::new(Id::unique("run note")).show(ctx, |ui| {
            ui.set_width(110.0 * GRID);
            ui.label(theme::heading("Name and note"));
            let folder = run_folder::name(&self.run);
            ui.add(Label::new(theme::caption(tokens, format!("Run {folder}"))).truncate());
            ui.add_space(2.0 * GRID);
            ui.label(theme::caption(tokens, "Name"));
            let name = TextEdit::singleline(&mut self.said.name).hint_text(&folder).char_limit(80);
            let name = ui.add(name.desired_width(f32::INFINITY));
            name.widget_info(|| field_info(&self.said.name, "Name of the run"));
            if !self.was_focused {
                self.was_focused = true;
                name.request_focus();
            }
            let is_entered = name.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            ui.add_space(GRID);
            ui.label(theme::caption(tokens, "Note"));
            let hint = "What is special about it, such as the data or settings that you tried";
            let note = TextEdit::multiline(&mut self.said.note).hint_text(hint).char_limit(4000);
            let note = ui.add(note.desired_rows(4).desired_width(f32::INFINITY));
            note.widget_info(|| field_info(&self.said.note, "Note on the run"));
            ui.add_space(3.0 * GRID);
            ui.horizontal(|ui| {
                if accent_button(ui, icons::CHECK, "Save", true).clicked() || is_entered {
                    answer = RunNoteAnswer::Keep(self.run.clone(), self.said.clone());
                }
                if ui.button("Cancel").clicked() {
                    answer = RunNoteAnswer::Leave;
                }
            });
        });
        if answer == RunNoteAnswer::Stay && modal.should_close() {
            return RunNoteAnswer::Leave;
        }
        answer
    }
}
