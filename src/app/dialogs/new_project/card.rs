//! A task in the making: its name, a field that takes labels, and the labels as chips.

use egui::{
    Event, Id, Key, Rect, Response, Role, Sense, Stroke, StrokeKind, TextEdit, Ui, UiBuilder, Vec2,
    WidgetInfo,
};
use tasklens_data::dataset::create::{DraftTask, SEPARATORS};
use tasklens_data::text::counted_grouped;

use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::name;
use crate::app::widgets::{dot_ui, glyph_button, show_focused};

/// So many labels are shown as chips; the rest are counted.
const CHIPS: usize = 40;

/// A task, and what is being typed into its field for labels.
pub(super) struct Card {
    /// Tells it from the others, also when one is removed.
    pub number: u64,
    pub task: DraftTask,
    typed: String,
    /// The label that the next Delete or Backspace takes away: one key alone removes none.
    marked: Option<String>,
    /// Whether the user is asked if the task is to go.
    asks: Asks,
}

/// The question whether a task is to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asks {
    #[default]
    No,
    /// From this frame on: the keyboard goes to the answer that keeps the task.
    Begins,
    Yes,
}

/// A field of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CardField {
    Name,
    Labels,
}

/// What the user did with a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CardAnswer {
    /// Nothing, or something that the card has taken in.
    None,
    /// Remove the card.
    Remove,
    /// This label was taken away.
    RemovedLabel(RemovedLabel),
    /// The name is there: go on to its labels.
    ToLabels,
}

/// A label that was taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RemovedLabel {
    /// Where it was.
    pub at: usize,
    pub label: String,
    /// Whether the keyboard is in the field for labels, and stays there.
    pub is_typing: bool,
}

impl Card {
    pub fn new(number: u64, task: DraftTask) -> Self {
        Self { number, task, typed: String::new(), marked: None, asks: Asks::No }
    }

    /// Whether nothing was typed yet.
    pub fn is_empty(&self) -> bool {
        self.task == DraftTask::default() && self.typed.trim().is_empty()
    }

    /// The task, with a label that was typed but not ended with Enter or a comma.
    pub fn draft(&self) -> DraftTask {
        let mut task = self.task.clone();
        task.add_labels(&self.typed);
        task
    }

    /// Shows it; `focus` is the field that the keyboard shall go to. Also returns the place of the button that removes
    /// it, which [`Self::remove_ui`] draws: the keyboard shall come to it only after all fields.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        tokens: &Tokens,
        index: usize,
        focus: Option<CardField>,
    ) -> (CardAnswer, Rect) {
        let mut answer = CardAnswer::None;
        let mut bin = Rect::NOTHING;
        tokens.card_frame().show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                dot_ui(ui, tokens, index);
                let name = self.name_ui(ui, index, focus == Some(CardField::Name));
                if name.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
                    answer = CardAnswer::ToLabels;
                }
                let remove_width = 9.0 * GRID;
                let width = (ui.available_width() - remove_width).max(20.0 * GRID);
                if let Some(removed) = self.labels_ui(ui, index, width, focus == Some(CardField::Labels)) {
                    answer = CardAnswer::RemovedLabel(removed);
                }
                bin = ui.allocate_exact_size(Vec2::splat(7.0 * GRID), Sense::hover()).0;
            });
            if self.task.is_of_folders {
                let text = "Each image is already labelled with the name of its sub-folder.";
                ui.label(theme::caption(tokens, text));
            }
            if let Some(removed) = self.chips_ui(ui, tokens, index) {
                answer = CardAnswer::RemovedLabel(removed);
            }
            if self.asks != Asks::No && self.question_ui(ui, index) {
                answer = CardAnswer::Remove;
            }
        });
        (answer, bin)
    }

    /// The button that removes the card, at its place. Whether to remove it at once: what holds something asks first.
    pub fn remove_ui(&mut self, ui: &mut Ui, index: usize, place: Rect) -> bool {
        let mut child = ui.new_child(UiBuilder::new().id_salt(("remove", self.number)).max_rect(place));
        let remove = glyph_button(&mut child, icons::TRASH, &format!("Remove task {}", index + 1), true);
        show_focused(ui, &remove);
        if !remove.clicked() {
            return false;
        }
        if !self.is_empty() {
            self.asks = Asks::Begins;
        }
        self.is_empty()
    }

    /// Asks whether the task is to go; returns whether it is.
    fn question_ui(&mut self, ui: &mut Ui, index: usize) -> bool {
        let labels = match self.task.labels.len() {
            0 => String::new(),
            count => format!(" and {}", counted_grouped(count, "label")),
        };
        let mut is_removed = false;
        ui.horizontal_wrapped(|ui| {
            ui.label(format!("Remove this task{labels}?"));
            let keep = ui.button("Keep");
            keep.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Keep task {}", index + 1)));
            show_focused(ui, &keep);
            let remove = ui.button("Remove");
            let name = format!("Yes, remove task {}", index + 1);
            remove.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
            if std::mem::replace(&mut self.asks, Asks::Yes) == Asks::Begins {
                keep.request_focus();
            }
            is_removed = remove.clicked();
            if keep.clicked() || is_removed {
                self.asks = Asks::No;
            }
        });
        is_removed
    }

    fn name_ui(&mut self, ui: &mut Ui, index: usize, is_wanted: bool) -> Response {
        let width = (ui.available_width() * 0.35).clamp(24.0 * GRID, 56.0 * GRID);
        let field = TextEdit::singleline(&mut self.task.name)
            .id(Id::unique(("name of a new task", self.number)))
            .hint_text("Task, such as sleeves")
            .margin(Vec2::new(8.0, 6.0))
            .desired_width(width);
        let field = ui.add(field);
        if is_wanted {
            field.request_focus();
        }
        name_field(ui, &field, &format!("Name of task {}", index + 1), &self.task.name);
        field
    }

    fn labels_id(&self) -> Id {
        Id::unique(("labels of a new task", self.number))
    }

    /// The field for labels: Enter, a comma or leaving the field ends one, a pasted list is many, and
    /// Backspace in the empty field marks the last one, and then takes it back.
    fn labels_ui(&mut self, ui: &mut Ui, index: usize, width: f32, is_wanted: bool) -> Option<RemovedLabel> {
        let id = self.labels_id();
        let mut removed = None;
        if ui.memory(|memory| memory.has_focus(id)) {
            removed = self.before_typing(ui);
        }
        let field = TextEdit::singleline(&mut self.typed)
            .id(id)
            .hint_text("Labels, such as short, long")
            .margin(Vec2::new(8.0, 6.0))
            .desired_width(width);
        let field = ui.add(field);
        // Backspace in an empty field counts as a change, too.
        if field.changed() && !self.typed.is_empty() {
            self.marked = None;
        }
        if field.changed()
            && let Some((labels, rest)) = self.typed.rsplit_once(SEPARATORS)
        {
            self.task.add_labels(labels);
            self.typed = rest.trim_start().to_owned();
        }
        let mut is_wanted = is_wanted;
        if field.lost_focus() {
            self.task.add_labels(&std::mem::take(&mut self.typed));
            is_wanted |= ui.input(|input| input.key_pressed(Key::Enter));
        }
        if is_wanted {
            field.request_focus();
        }
        name_field(ui, &field, &format!("Labels of task {}", index + 1), &self.typed);
        removed
    }

    /// Takes what the field itself would not understand.
    fn before_typing(&mut self, ui: &Ui) -> Option<RemovedLabel> {
        let mut removed = None;
        if self.typed.is_empty()
            && is_pressed_anew(ui, &[Key::Backspace])
            && let Some(last) = self.task.labels.len().checked_sub(1)
        {
            removed = self.mark_or_remove(last, true);
        }
        let is_list = |event: &Event| matches!(event, Event::Paste(text) if text.contains(SEPARATORS));
        let lists: Vec<Event> =
            ui.input_mut(|input| input.events.extract_if(.., |event| is_list(event)).collect());
        for list in lists {
            let Event::Paste(text) = list else { continue };
            // What was typed before the cursor or not makes no difference to a list.
            self.task.add_labels(&std::mem::take(&mut self.typed));
            self.task.add_labels(&text);
        }
        removed
    }

    /// Marks the label at a place, or takes it away where it is marked.
    fn mark_or_remove(&mut self, at: usize, is_typing: bool) -> Option<RemovedLabel> {
        let label = self.task.labels.get(at)?.clone();
        if self.marked.as_deref() != Some(&label) {
            self.marked = Some(label);
            return None;
        }
        Some(self.remove_label(at, is_typing))
    }

    fn remove_label(&mut self, at: usize, is_typing: bool) -> RemovedLabel {
        self.marked = None;
        RemovedLabel { at, label: self.task.labels.remove(at), is_typing }
    }

    /// The labels; a press with the pointer takes one away. The keyboard marks one first.
    fn chips_ui(&mut self, ui: &mut Ui, tokens: &Tokens, index: usize) -> Option<RemovedLabel> {
        if self.task.labels.is_empty() {
            return None;
        }
        let name = self.task.name.trim();
        let of = if name.is_empty() { format!("task {}", index + 1) } else { name.to_owned() };
        let (mut pressed, mut keyed) = (None, None);
        let mut has_keyboard = ui.memory(|memory| memory.has_focus(self.labels_id()));
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(GRID);
            for (index, label) in self.task.labels.iter().take(CHIPS).enumerate() {
                let chip = name::button_ui(ui, label, &format!("  {}", icons::X));
                let name = format!("Remove {label} from {of}");
                chip.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
                show_focused(ui, &chip);
                let is_marked = self.marked.as_ref() == Some(label);
                if is_marked {
                    let line = Stroke::new(2.0, tokens.warning);
                    ui.painter().rect_stroke(chip.rect, theme::RADIUS, line, StrokeKind::Outside);
                }
                has_keyboard |= is_marked && chip.has_focus();
                match chip_key(ui, &chip) {
                    ChipKey::None if chip.clicked() => pressed = Some(index),
                    ChipKey::None => {}
                    // These press a button; one key alone removes nothing.
                    ChipKey::Press if is_marked => {}
                    ChipKey::Press | ChipKey::Delete => keyed = Some(index),
                }
                chip.on_hover_text("Remove this label");
            }
            if self.task.labels.len() > CHIPS {
                let more = format!("and {} more", self.task.labels.len() - CHIPS);
                ui.label(theme::caption(tokens, more));
            }
        });
        if let Some(at) = pressed {
            return Some(self.remove_label(at, false));
        }
        if let Some(at) = keyed {
            return self.mark_or_remove(at, false);
        }
        if !has_keyboard {
            self.marked = None;
        }
        if let Some(label) = &self.marked {
            let text = format!("Press Delete or Backspace to remove {label}");
            ui.label(theme::caption(tokens, theme::in_visual_order(&text)).color(tokens.warning));
        }
        None
    }
}

/// What the keyboard does to a chip.
enum ChipKey {
    None,
    /// Space or Enter.
    Press,
    /// Delete or Backspace, pressed anew.
    Delete,
}

fn chip_key(ui: &Ui, chip: &Response) -> ChipKey {
    let is_press = |key| ui.input(|input| input.key_pressed(key));
    if !chip.has_focus() {
        ChipKey::None
    } else if is_press(Key::Space) || is_press(Key::Enter) {
        ChipKey::Press
    } else if is_pressed_anew(ui, &[Key::Delete, Key::Backspace]) {
        ChipKey::Delete
    } else {
        ChipKey::None
    }
}

/// Whether one of these keys was pressed, not held.
fn is_pressed_anew(ui: &Ui, keys: &[Key]) -> bool {
    let is_new = |event: &Event| matches!(event, Event::Key { key, pressed: true, repeat: false, .. } if keys.contains(key));
    ui.input(|input| input.events.iter().any(is_new))
}

fn name_field(ui: &Ui, field: &Response, name: &str, text: &str) {
    show_focused(ui, field);
    field.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::TextInput, true, name);
        info.current_text_value = Some(text.to_owned());
        info
    });
}
