//! A task in the making: its name, a field that takes labels, and the labels as chips.

use egui::{Event, Id, Key, Rect, Response, Role, Sense, TextEdit, Ui, UiBuilder, Vec2, WidgetInfo};
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
    /// This label was taken away, from this place.
    RemovedLabel(usize, String),
    /// The name is there: go on to its labels.
    ToLabels,
}

impl Card {
    pub fn new(number: u64, task: DraftTask) -> Self {
        Self { number, task, typed: String::new(), asks: Asks::No }
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
                self.labels_ui(ui, index, width, focus == Some(CardField::Labels));
                bin = ui.allocate_exact_size(Vec2::splat(7.0 * GRID), Sense::hover()).0;
            });
            if self.task.is_of_folders {
                let text = "Each image is already labelled with the name of its sub-folder.";
                ui.label(theme::caption(tokens, text));
            }
            if let Some((at, label)) = self.chips_ui(ui, tokens, index) {
                answer = CardAnswer::RemovedLabel(at, label);
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

    /// The field for labels: Enter, a comma or leaving the field ends one, a pasted list is many, and
    /// Backspace in the empty field takes the last one back.
    fn labels_ui(&mut self, ui: &mut Ui, index: usize, width: f32, is_wanted: bool) {
        let id = Id::unique(("labels of a new task", self.number));
        if ui.memory(|memory| memory.has_focus(id)) {
            self.before_typing(ui);
        }
        let field = TextEdit::singleline(&mut self.typed)
            .id(id)
            .hint_text("Labels, such as short, long")
            .margin(Vec2::new(8.0, 6.0))
            .desired_width(width);
        let field = ui.add(field);
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
    }

    /// Takes what the field itself would not understand.
    fn before_typing(&mut self, ui: &Ui) {
        if self.typed.is_empty() && ui.input(|input| input.key_pressed(Key::Backspace)) {
            self.task.labels.pop();
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
    }

    /// The labels; a press takes one away, which is returned with its place.
    fn chips_ui(&mut self, ui: &mut Ui, tokens: &Tokens, index: usize) -> Option<(usize, String)> {
        if self.task.labels.is_empty() {
            return None;
        }
        let name = self.task.name.trim();
        let of = if name.is_empty() { format!("task {}", index + 1) } else { name.to_owned() };
        let mut out = None;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(GRID);
            for (index, label) in self.task.labels.iter().take(CHIPS).enumerate() {
                let chip = name::button_ui(ui, label, &format!("  {}", icons::X));
                let name = format!("Remove {label} from {of}");
                chip.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
                show_focused(ui, &chip);
                if chip.on_hover_text("Remove this label").clicked() {
                    out = Some(index);
                }
            }
            if self.task.labels.len() > CHIPS {
                let more = format!("and {} more", self.task.labels.len() - CHIPS);
                ui.label(theme::caption(tokens, more));
            }
        });
        out.map(|at| (at, self.task.labels.remove(at)))
    }
}

fn name_field(ui: &Ui, field: &Response, name: &str, text: &str) {
    show_focused(ui, field);
    field.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::TextInput, true, name);
        info.current_text_value = Some(text.to_owned());
        info
    });
}
