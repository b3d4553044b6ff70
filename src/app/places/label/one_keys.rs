//! The keys of the place: one list for both modes, taken in the order in which they were pressed.

use egui::{Event, EventFilter, Id, Key, Modifiers, Ui};
use tasklens_data::dataset::edits::AnnotationSource;

use super::actions::GivenLabel;
use super::collect::Collection;
use super::{LabelView, Mode};
use crate::app::command::AppCommand;
use crate::app::context::ViewContext;
use crate::app::widgets::thumbnail_grid::keys_are_free;

/// What a key means while one image is shown.
const OWN: [Key; 22] = [
    Key::F6,
    Key::Tab,
    Key::Space,
    Key::Enter,
    Key::Backspace,
    Key::Delete,
    Key::ArrowLeft,
    Key::ArrowRight,
    Key::ArrowUp,
    Key::ArrowDown,
    Key::PageUp,
    Key::PageDown,
    Key::F,
    Key::G,
    Key::N,
    Key::Slash,
    Key::Menu,
    Key::Escape,
    Key::Plus,
    Key::Equals,
    Key::Minus,
    Key::Num0,
];
/// Images that Page Up and Page Down pass over.
const PAGE: isize = 10;

/// A key as it was pressed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pressed {
    pub key: Key,
    has_shift: bool,
    /// It is held down.
    pub repeats: bool,
}

impl LabelView {
    /// The image takes the keys whenever nothing else has them; Tab then goes from task to task. F6 leads to
    /// the buttons.
    pub(super) fn keep_focus(&self, ui: &Ui, id: Id) {
        if keys_are_free(ui, None) {
            ui.ctx().memory_mut(|memory| memory.request_focus(id));
        }
        let filter = EventFilter { tab: true, horizontal_arrows: true, vertical_arrows: true, escape: true };
        ui.ctx().memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
    }

    /// Does what the keys say, each in turn.
    pub(super) fn one_keys(&mut self, ui: &Ui, id: Id, context: &ViewContext<'_>) {
        if !has_keys(ui, id) || self.note.is_some() {
            return;
        }
        if self.take_assignment(ui, context) {
            return;
        }
        for pressed in take_keys(ui, |key| OWN.contains(&key) || super::keys::can_be_assigned(key)) {
            self.one_key(ui, pressed, context);
        }
    }

    fn one_key(&mut self, ui: &Ui, pressed: Pressed, context: &ViewContext<'_>) {
        let Some(row) = self.arrangement.queue.current() else { return };
        let prefix = if pressed.repeats { self.awaiting } else { self.awaiting.take() };
        // What changes labels is not repeated while a key is held.
        match pressed.key {
            Key::F6 => leave_images(ui),
            Key::ArrowRight => self.step(1, context),
            Key::ArrowLeft => self.step(-1, context),
            Key::PageDown => self.step(PAGE, context),
            Key::PageUp => self.step(-PAGE, context),
            Key::ArrowDown => self.step_task(true, context),
            Key::ArrowUp => self.step_task(false, context),
            Key::Tab => self.step_task(!pressed.has_shift, context),
            Key::Plus | Key::Equals => self.zoom.by(1.25, None),
            Key::Minus => self.zoom.by(0.8, None),
            Key::Num0 => self.zoom.reset(),
            _ if pressed.repeats => {}
            Key::Space => self.accept(context),
            Key::Enter => self.accept_all(context),
            Key::Backspace | Key::Delete => {
                self.give(&[row], self.task, GivenLabel::Nothing, AnnotationSource::Hand, context);
            }
            Key::F => self.toggle_flag(row, context),
            Key::G => self.set_mode(Mode::Many),
            Key::Slash => self.find_label(ui),
            Key::Menu => self.panel.wants_menu = true,
            Key::Escape => {}
            Key::N => {
                if self.give(&[row], self.task, GivenLabel::DoesNotApply, AnnotationSource::Hand, context) {
                    self.go_on(context);
                }
            }
            key => {
                if let Some(label) = self.pressed_label(prefix, key, context)
                    && self.give(&[row], self.task, GivenLabel::Label(label), AnnotationSource::Hand, context)
                {
                    self.go_on(context);
                }
            }
        }
    }

    /// The keys of the grid that are not the grid's own.
    pub(super) fn many_keys(&mut self, ui: &Ui, id: Id, context: &ViewContext<'_>) {
        if !has_keys(ui, id) || self.take_assignment(ui, context) {
            return;
        }
        let is_own = |key| {
            use Key::{Backspace, Delete, Escape, F, F6, G, Menu, N, Slash, Tab};
            matches!(key, F6 | Tab | G | F | N | Slash | Menu | Backspace | Delete | Escape)
        };
        // In a review, Enter is the answer; elsewhere the grid opens an image by it.
        let is_review = matches!(self.grid.collector.collection, Collection::Sure { .. });
        let is_taken = |key| is_own(key) || is_review && key == Key::Enter;
        for pressed in take_keys(ui, |key| is_taken(key) || super::keys::can_be_assigned(key)) {
            let prefix = if pressed.repeats { self.awaiting } else { self.awaiting.take() };
            match pressed.key {
                Key::F6 => leave_images(ui),
                Key::Escape if prefix.is_some() => {}
                Key::Enter if pressed.repeats || self.grid.grid.selection().is_empty() => {}
                Key::Enter => self.accept_chosen(context),
                Key::Tab => self.next_task(!pressed.has_shift, context),
                Key::Escape => self.grid.leave(),
                _ if pressed.repeats => {}
                Key::G => self.set_mode(Mode::One),
                Key::Slash => self.find_label(ui),
                Key::Menu => self.panel.wants_menu = true,
                Key::F => {
                    if let [row] = self.chosen_rows(2)[..] {
                        self.toggle_flag(row, context);
                    }
                }
                Key::Backspace | Key::Delete => self.give_many(self.task, GivenLabel::Nothing, context),
                Key::N => self.give_many(self.task, GivenLabel::DoesNotApply, context),
                key => {
                    if let Some(label) = self.pressed_label(prefix, key, context) {
                        self.give_many(self.task, GivenLabel::Label(label), context);
                    }
                }
            }
        }
    }

    /// Around the tasks in question, without another image.
    fn next_task(&mut self, forward: bool, context: &ViewContext<'_>) {
        let Some((dataset, _)) = context.labels() else { return };
        let tasks = self.tasks_in_question(&dataset.tasks);
        let count = tasks.len().max(1);
        let at = tasks.iter().position(|task| *task == self.task).unwrap_or(0);
        let next = if forward { at + 1 } else { at + count - 1 } % count;
        self.task = tasks.get(next).copied().unwrap_or(0);
    }

    /// The next key is a label's own from now on; Escape leaves it as it was.
    fn take_assignment(&mut self, ui: &Ui, context: &ViewContext<'_>) -> bool {
        let (Some((task, label)), Some(project)) = (self.assigning, context.project) else { return false };
        let pressed = take_keys(ui, |key| key == Key::Escape || super::keys::can_be_assigned(key));
        let Some(Pressed { key, .. }) = pressed.first() else { return true };
        let task = project.dataset.tasks.get(task);
        if let Some((task, label)) = task.and_then(|task| Some((task, task.labels.get(label)?)))
            && *key != Key::Escape
        {
            super::keys::assign(&mut self.assignments, &task.name, label, *key);
            context.commands.send(AppCommand::RememberKeys(self.assignments.clone()));
        }
        self.assigning = None;
        true
    }

    pub(super) fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
        if mode == Mode::Many {
            self.grid.show(self.arrangement.queue.at());
        }
    }
}

/// Gives the focus to the next button or menu; Escape brings it back.
fn leave_images(ui: &Ui) {
    ui.memory_mut(|memory| memory.move_focus(egui::FocusDirection::Next));
}

/// Whether the images have the focus. An Escape that leaves a field or slider is not for them, too.
fn has_keys(ui: &Ui, id: Id) -> bool {
    keys_are_free(ui, Some(id)) && ui.memory(|memory| memory.has_focus(id))
}

/// The wanted keys, without Control and Alt; they are used up.
pub(super) fn take_keys(ui: &Ui, is_wanted: impl Fn(Key) -> bool) -> Vec<Pressed> {
    let is_plain = |modifiers: &Modifiers| !modifiers.command && !modifiers.ctrl && !modifiers.alt;
    ui.input_mut(|input| {
        let mut taken = Vec::new();
        input.events.retain(|event| match event {
            Event::Key { key, pressed: true, repeat, modifiers, .. }
                if is_plain(modifiers) && is_wanted(*key) =>
            {
                taken.push(Pressed { key: *key, has_shift: modifiers.shift, repeats: *repeat });
                false
            }
            _ => true,
        });
        taken
    })
}
