//! A folder of images without labels: what shall be told about each image, to be written as a CSV and a
//! config. The images are shown, a card is a task, and nothing is written before the user says so.

mod card;
mod undo;

use std::sync::Arc;

use egui::{Button, Rect, RichText, Role, ScrollArea, Sense, Ui, Vec2, WidgetInfo};
use tasklens_data::dataset::create::{Created, DraftTask, FolderSplit, FoundImages, ProjectDraft};
use tasklens_data::text::{counted_grouped, grouped};
use tasklens_net::training;

use crate::app::command::{AppCommand, CommandSender, Level, UiCommand};
use crate::app::context::ViewContext;
use crate::app::services::jobs::{Job, Outcome, take};
use crate::app::services::open::{MOST_PREDICTED, to_predict};
use crate::app::services::thumbnails::{Thumbnail, side_for};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::name::Name;
use crate::app::widgets::{accent_button, fit, picture_ui, show_focused};
use card::{Card, CardAnswer, CardField, RemovedLabel};
use undo::Removed;

/// A task of the sub-folders is called this until the user says better.
const FOLDER_TASK: &str = "category";
/// Names of sub-folders that are shown.
const NAMED: usize = 4;

/// The form: the images of the folder, and a card per task.
pub struct NewProjectForm {
    found: Arc<FoundImages>,
    cards: Vec<Card>,
    /// The next card's number.
    next: u64,
    /// The field of a card that the keyboard goes to.
    focus: Option<(u64, CardField)>,
    /// What was removed, the last one last.
    removed: Vec<Removed>,
    /// For so many frames the keyboard goes to what brings back the last one: the button moves with the removal.
    frames_to_undo: u8,
    writing: Option<Job<Created>>,
}

/// What becomes of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewProjectAnswer {
    /// It stays open.
    Stay,
    /// Close the form.
    Leave,
}

impl NewProjectForm {
    /// A form with one empty task.
    pub fn new(found: FoundImages) -> Self {
        let mut form = Self {
            found: Arc::new(found),
            cards: Vec::new(),
            next: 0,
            focus: None,
            removed: Vec::new(),
            frames_to_undo: 0,
            writing: None,
        };
        form.add(DraftTask::default());
        form
    }

    fn add(&mut self, task: DraftTask) {
        self.focus = Some((self.next, CardField::Name));
        self.cards.push(Card::new(self.next, task));
        self.next += 1;
    }

    /// The names of the sub-folders as a task, in the place of one that nothing was typed into.
    fn add_folder_task(&mut self) {
        if let [card] = &self.cards[..]
            && card.is_empty()
        {
            self.cards.clear();
        }
        self.add(DraftTask::of_folders(FOLDER_TASK, &self.found));
    }

    /// What would be written now.
    fn draft(&self) -> ProjectDraft {
        ProjectDraft { found: Arc::clone(&self.found), tasks: self.cards.iter().map(Card::draft).collect() }
    }

    /// Takes in that it was written.
    pub fn poll(&mut self, commands: &CommandSender) -> NewProjectAnswer {
        match take(&mut self.writing) {
            Some(Outcome::Done(created)) => {
                commands.send(AppCommand::OpenToLabel(created.config));
                NewProjectAnswer::Leave
            }
            Some(Outcome::Failed(message)) => {
                commands.toast(Level::Error, message);
                NewProjectAnswer::Stay
            }
            Some(Outcome::Cancelled) | None => NewProjectAnswer::Stay,
        }
    }

    /// Shows the form.
    pub fn ui(&mut self, ui: &mut Ui, context: &mut ViewContext<'_>) -> NewProjectAnswer {
        let footer = 19.0 * GRID;
        let height = (ui.available_height() - footer).max(20.0 * GRID);
        ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
            self.images_ui(ui, context);
            ui.add_space(3.0 * GRID);
            let text = "What do you want to know about each image? A task is a question, and its labels are \
                        the possible answers.";
            ui.label(RichText::new(text).color(context.tokens.text_weak));
            ui.add_space(GRID);
            let bins = self.cards_ui(ui, context.tokens);
            self.add_ui(ui, context.tokens);
            self.bins_ui(ui, &bins);
        });
        ui.add_space(2.0 * GRID);
        self.footer_ui(ui, context)
    }

    /// The first images, as many as fit in a row, each in its own shape.
    fn images_ui(&self, ui: &mut Ui, context: &mut ViewContext<'_>) {
        let found = &self.found;
        let name = found.folder.file_name().unwrap_or(found.folder.as_os_str()).to_string_lossy();
        Name::heading(&format!("Label the images of {name}")).hint(found.folder.display().to_string()).ui(ui);
        let mut text = counted_grouped(found.images.len(), "image");
        if !found.sub_folders.is_empty() {
            text += &format!(" in {} sub-folders", found.sub_folders.len());
        }
        ui.label(theme::caption(context.tokens, text));
        let is_of_folders = self.cards.iter().any(|card| card.task.is_of_folders);
        let split = found.split.as_ref().filter(|split| is_of_folders && split.is_useful());
        for notice in found.notices.iter().cloned().chain(split.map(FolderSplit::notice)) {
            ui.label(theme::caption(context.tokens, format!("{}  {notice}", icons::INFO)));
        }
        ui.add_space(GRID);
        let side = (ui.ctx().content_rect().height() * 0.15).clamp(15.0 * GRID, 28.0 * GRID);
        let pixels = side_for(side * ui.ctx().pixels_per_point());
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = GRID;
            for (image, name) in found.images.iter().enumerate() {
                let path = found.path(image);
                let width = match context.thumbnails.get(&path, pixels) {
                    Thumbnail::Ready(texture) => {
                        fit(texture.size_vec2(), Vec2::new(2.0 * side, side), 3.0).x.max(side / 3.0)
                    }
                    Thumbnail::Loading | Thumbnail::Failed(_) => side,
                };
                if width > ui.available_width() {
                    break;
                }
                let (rect, response) = ui.allocate_exact_size(Vec2::new(width, side), Sense::hover());
                response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
                picture_ui(ui, rect, &path, pixels, context);
                response.on_hover_text(theme::in_visual_order(name));
            }
        });
    }

    /// Whether something was removed that can come back.
    pub fn can_undo(&self) -> bool {
        !self.removed.is_empty()
    }

    /// Brings back what was removed last.
    pub fn undo(&mut self) {
        if let Some(removed) = self.removed.pop() {
            removed.put_back(&mut self.cards);
        }
    }

    fn remove(&mut self, at: usize) {
        let card = self.cards.remove(at);
        if !card.is_empty() {
            self.removed.push(Removed::Task { at, card });
            self.frames_to_undo = 2;
        }
    }

    /// The cards; returns the places of the buttons that remove them.
    fn cards_ui(&mut self, ui: &mut Ui, tokens: &Tokens) -> Vec<Rect> {
        let focus = self.focus.take();
        let (mut removed, mut bins) = (None, Vec::new());
        for (index, card) in self.cards.iter_mut().enumerate() {
            let focus = focus.filter(|(number, _)| *number == card.number).map(|(_, field)| field);
            let (answer, bin) = card.ui(ui, tokens, index, focus);
            bins.push(bin);
            match answer {
                CardAnswer::None => {}
                CardAnswer::Remove => removed = Some(index),
                CardAnswer::RemovedLabel(RemovedLabel { at, label, is_typing }) => {
                    self.removed.push(Removed::Label { card: card.number, at, label });
                    self.frames_to_undo = if is_typing { 0 } else { 2 };
                }
                CardAnswer::ToLabels => self.focus = Some((card.number, CardField::Labels)),
            }
            ui.add_space(GRID);
        }
        if let Some(index) = removed {
            self.remove(index);
            bins.remove(index);
        }
        bins
    }

    /// The buttons that remove cards: behind all else for the keyboard, so that Tab leads from the labels onwards.
    fn bins_ui(&mut self, ui: &mut Ui, bins: &[Rect]) {
        let mut removed = None;
        for (index, (card, bin)) in self.cards.iter_mut().zip(bins).enumerate() {
            if card.remove_ui(ui, index, *bin) {
                removed = Some(index);
            }
        }
        if let Some(index) = removed {
            self.remove(index);
        }
    }

    /// Brings back what was removed last.
    fn undo_ui(&mut self, ui: &mut Ui) {
        let Some(last) = self.removed.last() else { return };
        let text = format!("Bring back {}", last.name());
        let button = ui.button(format!("{}  {text}", icons::ARROW_U_UP_LEFT));
        button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &text));
        show_focused(ui, &button);
        if self.frames_to_undo > 0 {
            self.frames_to_undo -= 1;
            button.request_focus();
            ui.ctx().request_repaint();
        }
        let hint = format!("Undo what was removed last ({})", UiCommand::Undo.shortcut_text(ui.ctx()));
        if button.on_hover_text(hint).clicked() {
            self.undo();
        }
    }

    fn add_ui(&mut self, ui: &mut Ui, tokens: &Tokens) {
        ui.horizontal_wrapped(|ui| {
            let add = ui.button(format!("{}  Add task", icons::PLUS));
            add.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Add task"));
            show_focused(ui, &add);
            if add.on_hover_text("Another question about each image").clicked() {
                self.add(DraftTask::default());
            }
            self.undo_ui(ui);
            let folders = &self.found.sub_folders;
            if folders.is_empty() || self.cards.iter().any(|card| card.task.is_of_folders) {
                return;
            }
            let text = "Use the names of the sub-folders as labels";
            let button = ui.button(format!("{}  {text}", icons::FOLDER_OPEN));
            button.widget_info(|| WidgetInfo::labeled(Role::Button, true, text));
            show_focused(ui, &button);
            let mut names = folders.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            if folders.len() > NAMED {
                names += &format!(" and {} more", folders.len() - NAMED);
            }
            Name::caption(tokens, &names).ui(ui);
            let hint = "Adds a task in which each image is already labelled with the name of its folder";
            if button.on_hover_text(hint).clicked() {
                self.add_folder_task();
            }
        });
    }

    /// What stands in the way, and the ways to go on.
    fn footer_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) -> NewProjectAnswer {
        let tokens = context.tokens;
        let draft = self.draft();
        let obstacle = draft.obstacle();
        match &obstacle {
            Some(obstacle) => {
                ui.label(RichText::new(format!("{}  {obstacle}", icons::WARNING)).color(tokens.warning));
            }
            None => {
                let text = "Writes a CSV and a config into this folder; the images stay as they are.";
                ui.label(theme::caption(tokens, text));
            }
        }
        let mut answer = NewProjectAnswer::Stay;
        ui.horizontal_wrapped(|ui| {
            let is_ready = obstacle.is_none() && self.writing.is_none();
            if accent_button(ui, icons::TAG, "Create and label", is_ready).clicked() {
                let title = format!("Writing {}", self.found.folder.display());
                self.writing = Some(context.jobs.start(title, move |_| {
                    let (found, labelled) = (&draft.found, draft.labelled());
                    let training = training::propose(found.images.len(), labelled, found.aspect());
                    draft.write(&training)
                }));
            }
            let predict = ui.add(Button::new(format!("{}  Predict these images", icons::CROSSHAIR)));
            predict.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Predict these images"));
            if predict.on_hover_text("Ask a trained network about them; nothing is written").clicked() {
                self.predict(context.commands);
                answer = NewProjectAnswer::Leave;
            }
            if ui.button("Cancel").clicked() {
                answer = NewProjectAnswer::Leave;
            }
        });
        answer
    }

    fn predict(&self, commands: &CommandSender) {
        commands.send(AppCommand::OpenImages(to_predict(&self.found)));
        if self.found.images.len() > MOST_PREDICTED {
            let message = format!(
                "Only the first {} of {} images are listed. To predict others, open them in Predict",
                grouped(MOST_PREDICTED as u64),
                grouped(self.found.images.len() as u64)
            );
            commands.toast(Level::Info, message);
        }
    }
}
