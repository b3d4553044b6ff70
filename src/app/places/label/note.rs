//! The flag of an image, and the note that goes with it.

use egui::{Button, Key, RichText, Role, TextEdit, Ui, Vec2, WidgetInfo};
use tasklens_data::dataset::ImageRow;

use super::{LabelView, Mode};
use crate::app::command::Level;
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};

/// A note while it is typed.
pub struct NoteEditor {
    of: ImageRow,
    text: String,
    is_new: bool,
}

impl LabelView {
    /// The note of a flagged image, if it is flagged.
    fn flag_of<'a>(&self, row: usize, context: &ViewContext<'a>) -> Option<&'a str> {
        let (dataset, edits) = context.labels()?;
        edits.state().flag(&dataset.image_key(row))
    }

    /// F: flags and asks for a note; pressed again it takes the flag away.
    pub(super) fn toggle_flag(&mut self, row: usize, context: &ViewContext<'_>) {
        if self.flag_of(row, context).is_some() {
            self.set_flag(row, None, context);
            self.note = None;
        } else if self.mode == Mode::Many {
            // There is no room for a note below a small picture.
            self.set_flag(row, Some(""), context);
            let image = context.project.map(|project| project.dataset.image_key(row)).unwrap_or_default();
            let message = format!("{image} is flagged. To add a note, open it and press F");
            context.commands.toast(Level::Info, message);
        } else {
            self.set_flag(row, Some(""), context);
            self.edit_note(row, String::new(), context);
        }
    }

    fn edit_note(&mut self, row: usize, text: String, context: &ViewContext<'_>) {
        let of = context.project.map(|project| ImageRow::of(&project.dataset, row));
        self.note = of.map(|of| NoteEditor { of, text, is_new: true });
    }

    /// A note that is being typed is kept when something else is done before Enter, or when the CSV is read anew.
    pub(super) fn keep_note(&mut self, context: &ViewContext<'_>) {
        let Some(NoteEditor { of, text, .. }) = self.note.take() else { return };
        let row = context.project.and_then(|project| of.find(&project.dataset));
        // What is not changed is not sent: the flag may be being undone.
        if let Some(row) = row.filter(|row| self.flag_of(*row, context) != Some(text.trim())) {
            self.set_flag(row, Some(text.trim()), context);
        }
    }

    /// The flag's button with the note beside it, or the field to type it into.
    pub(super) fn flag_ui(&mut self, ui: &mut Ui, row: usize, context: &ViewContext<'_>) {
        let flag = self.flag_of(row, context).map(str::to_owned);
        let is_flagged = flag.is_some();
        let name = if is_flagged { "Remove the flag" } else { "Flag this image" };
        let color = if is_flagged { context.tokens.warning } else { context.tokens.text };
        let icon = RichText::new(icons::FLAG).size(16.0).color(color);
        let button = ui.add(Button::selectable(is_flagged, icon).min_size(Vec2::splat(7.0 * GRID)));
        button.widget_info(|| WidgetInfo::selected(Role::Switch, true, is_flagged, name));
        if button.on_hover_text(format!("{name} (F)")).clicked() {
            self.toggle_flag(row, context);
        }
        let is_of = |note: &NoteEditor| {
            context.project.is_some_and(|project| project.dataset.image_key(row) == note.of.image)
        };
        if self.note.as_ref().is_some_and(is_of) {
            self.note_ui(ui, context);
        } else if let Some(note) = flag {
            let text = if note.is_empty() { "Add a note\u{2026}" } else { &note };
            let button = Button::new(theme::caption(context.tokens, text)).truncate();
            let button = ui.add(button.frame_when_inactive(false));
            button.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Note: {text}")));
            if button.on_hover_text("Change the note").clicked() {
                self.edit_note(row, note, context);
            }
        }
    }

    fn note_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let Some(note) = &mut self.note else { return };
        let field = TextEdit::singleline(&mut note.text).hint_text("Why? Enter saves the note");
        let field = ui.add(field.desired_width(60.0 * GRID));
        let text = note.text.clone();
        field.widget_info(|| WidgetInfo::text_edit(true, "", text.as_str(), "Note of the flag"));
        if std::mem::take(&mut note.is_new) {
            field.request_focus();
        }
        let is_left = field.lost_focus();
        let is_dropped = is_left && ui.input(|input| input.key_pressed(Key::Escape));
        if is_dropped {
            self.note = None;
        } else if is_left {
            self.keep_note(context);
        }
    }
}
