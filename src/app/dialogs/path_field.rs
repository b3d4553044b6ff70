//! A path in a field of the window, with what there is to choose below it: for systems that show no file dialog.

mod listing;

use std::path::PathBuf;

use egui::{Button, Context, FontId, Frame, Id, Key, Modal, Role, ScrollArea, TextEdit, Ui, WidgetInfo};

use crate::app::command::{AskedFile, FileQuestion};
use crate::app::services::derived::Derived;
use crate::app::services::jobs::Jobs;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_BODY, Tokens, in_visual_order};
use crate::app::widgets::name::shortened_path;
use crate::app::widgets::{accent_button, field_info};
use listing::{Entry, Listing, TypedPath, as_folder, path_of};

/// The button for a file that is there.
const REPLACE: &str = "Replace this file";

/// See the module's documentation.
pub struct PathField {
    question: FileQuestion,
    text: String,
    listing: Derived<String, Listing>,
    is_new: bool,
    /// The text that Enter was pressed for before it was known what it names.
    entered: Option<String>,
}

/// What the user wants.
#[derive(Debug, PartialEq, Eq)]
pub enum PathAnswer {
    Stay,
    Leave,
    /// This path.
    Chosen(PathBuf),
}

impl PathField {
    /// Begins in a folder.
    pub fn new(question: FileQuestion, folder: &std::path::Path) -> Self {
        let mut text = as_folder(folder);
        if let AskedFile::NewFile { name } = &question.asked {
            text.push_str(name);
        }
        Self { question, text, listing: Derived::default(), is_new: true, entered: None }
    }

    /// What was asked.
    pub fn into_question(self) -> FileQuestion {
        self.question
    }

    /// Shows it.
    pub fn ui(&mut self, ctx: &Context, jobs: &Jobs) -> PathAnswer {
        let tokens = Tokens::of(ctx);
        self.look(jobs);
        let width = (130.0 * GRID).min(ctx.content_rect().width() - 12.0 * GRID);
        let frame = Frame::window(&ctx.global_style());
        let modal = Modal::new(Id::unique("path")).frame(frame).show(ctx, |ui| {
            ui.set_width(width);
            self.page_ui(ui, tokens)
        });
        if modal.should_close() { PathAnswer::Leave } else { modal.inner }
    }

    fn look(&mut self, jobs: &Jobs) {
        let text = self.text.clone();
        let endings = self.question.filter.as_ref().map(|(_, endings)| endings.clone());
        let folders_only = self.question.asked == AskedFile::Folder;
        self.listing.want(&text, || {
            let text = text.clone();
            jobs.start_quietly("Looking at a folder", move |_| {
                Ok(Listing::of(&text, endings.as_deref(), folders_only))
            })
        });
    }

    fn page_ui(&mut self, ui: &mut Ui, tokens: &Tokens) -> PathAnswer {
        ui.label(theme::heading(&self.question.title));
        let text = "This system shows no file dialog (xdg-desktop-portal or zenity would bring one): type or paste a \
                    path, or choose below.";
        ui.add(egui::Label::new(theme::caption(tokens, text)).wrap());
        ui.add_space(2.0 * GRID);
        let field = ui.add(TextEdit::singleline(&mut self.text).desired_width(f32::INFINITY));
        field.widget_info(|| field_info(&self.text, "Path"));
        if std::mem::take(&mut self.is_new) {
            field.request_focus();
        }
        let is_entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if is_entered {
            self.entered = Some(self.text.clone());
        }
        ui.add_space(GRID);
        let mut answer = PathAnswer::Stay;
        if let Some(text) = self.list_ui(ui, tokens) {
            self.text = text;
            move_cursor_to_end(ui.ctx(), field.id, &self.text);
            field.request_focus();
        }
        ui.add_space(2.0 * GRID);
        let (button, can_go_on) = self.verdict();
        // Whoever pressed Enter before has not seen that a file would be replaced.
        let was_entered = self.entered.as_ref() == Some(&self.text) && button != REPLACE;
        ui.horizontal(|ui| {
            let is_pressed = accent_button(ui, icons::CHECK, button, can_go_on).clicked();
            if ui.add(Button::new("Cancel")).clicked() {
                answer = PathAnswer::Leave;
            } else if can_go_on && (is_pressed || is_entered || was_entered) {
                answer = PathAnswer::Chosen(path_of(&self.text));
            } else if is_entered {
                field.request_focus();
            }
        });
        if self.listing.key() == Some(&self.text) {
            self.entered = None;
        }
        answer
    }

    /// Shows what there is; returns what was chosen, as text.
    fn list_ui(&self, ui: &mut Ui, tokens: &Tokens) -> Option<String> {
        let height = (ui.ctx().content_rect().height() - 70.0 * GRID).clamp(25.0 * GRID, 75.0 * GRID);
        let mut chosen = None;
        ScrollArea::vertical().max_height(height).min_scrolled_height(height).auto_shrink(false).show(
            ui,
            |ui| {
                let Some(listing) = self.listing.get() else { return };
                let Some(folder) = &listing.folder else {
                    ui.label(theme::caption(tokens, "There is no such folder, or it cannot be read."));
                    return;
                };
                if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty())
                    && entry_ui(ui, icons::ARROW_UP, "..", "Folder above").clicked()
                {
                    chosen = Some(as_folder(above));
                }
                for Entry { name, path, is_folder } in &listing.entries {
                    let (icon, what) =
                        if *is_folder { (icons::FOLDER, "Folder") } else { (icons::FILE, "File") };
                    if entry_ui(ui, icon, name, &format!("{what} {name}")).clicked() {
                        chosen = Some(if *is_folder { as_folder(path) } else { path.display().to_string() });
                    }
                }
                if listing.left_out > 0 {
                    let text = format!("and {} more: type the beginning of a name", listing.left_out);
                    ui.label(theme::caption(tokens, text));
                }
            },
        );
        chosen
    }

    /// The text of the button, and whether the path is what is asked for.
    fn verdict(&self) -> (&'static str, bool) {
        let typed = self.listing.get().filter(|_| self.listing.key() == Some(&self.text));
        let typed = typed.map_or(TypedPath::Nothing, |listing| listing.typed);
        match (&self.question.asked, typed) {
            (AskedFile::File | AskedFile::Files, typed) => ("Open", typed == TypedPath::File),
            (AskedFile::Folder, typed) => ("Choose this folder", typed == TypedPath::Folder),
            (AskedFile::NewFile { .. }, TypedPath::File) => (REPLACE, true),
            (AskedFile::NewFile { .. }, typed) => ("Save", typed == TypedPath::New),
        }
    }
}

fn entry_ui(ui: &mut Ui, icon: &str, name: &str, spoken: &str) -> egui::Response {
    let room = ui.available_width() - 2.0 * ui.spacing().button_padding.x - 6.0 * GRID;
    let color = ui.visuals().widgets.inactive.text_color();
    let text = shortened_path(ui, name, FontId::proportional(TEXT_BODY), color, room);
    let is_shortened = text.elided;
    let button = ui.add(Button::new((format!("{icon} "), text)).frame_when_inactive(false));
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, spoken));
    if is_shortened { button.on_hover_text(in_visual_order(name)) } else { button }
}

/// What is typed next goes on behind the text.
fn move_cursor_to_end(ctx: &Context, field: Id, text: &str) {
    let mut state = egui::text_edit::TextEditState::load(ctx, field).unwrap_or_default();
    let end = egui::text::CCursor::new(text.chars().count());
    state.cursor.set_char_range(Some(egui::text::CCursorRange::one(end)));
    state.store(ctx, field);
}
