//! A label key that is pressed while the labels are being read: the label waits, and is given when they are there.

use egui::{Key, Ui};
use tasklens_data::dataset::ImageRow;
use tasklens_data::dataset::edits::AnnotationSource;

use super::actions::GivenLabel;
use super::one::image_id;
use super::one_keys::take_keys;
use super::{LabelView, Mode};
use crate::app::command::Level;
use crate::app::context::ViewContext;
use crate::app::widgets::thumbnail_grid::keys_are_free;

/// A label that waits, by name: after the reading, rows, tasks and labels may have other numbers.
pub(super) struct EarlyLabel {
    of: ImageRow,
    task: String,
    /// None takes the label away.
    label: Option<String>,
}

impl LabelView {
    /// Takes the keys while there are no labels yet. One label can wait, for the image that was shown; what else changes
    /// labels is refused, as the user does not see yet what it would change.
    pub(super) fn early_keys(&mut self, ui: &Ui, context: &ViewContext<'_>) {
        if !keys_are_free(ui, Some(image_id(ui))) || self.note.is_some() || self.assigning.is_some() {
            return;
        }
        let changes_labels = |key| {
            matches!(key, Key::Space | Key::Enter | Key::Backspace | Key::Delete | Key::F | Key::N)
                || super::keys::can_be_assigned(key)
        };
        for pressed in take_keys(ui, changes_labels).into_iter().filter(|pressed| !pressed.repeats) {
            if self.early.is_none() {
                self.early = self.early_label(pressed.key, context);
                if self.early.is_some() {
                    continue;
                }
            }
            let message = "The labels are still being read: press the key again when they are there";
            context.commands.toast(Level::Info, message);
        }
    }

    /// The label that a key stands for, of the image and task that were shown.
    fn early_label(&self, key: Key, context: &ViewContext<'_>) -> Option<EarlyLabel> {
        let dataset = &context.project.filter(|_| self.mode == Mode::One)?.dataset;
        let row = self.shown.filter(|row| Some(*row) == self.arrangement.queue.current())?;
        let (of_keys, _) = self.keys_of.as_ref()?;
        let task = of_keys.get(self.task)?;
        let label = match key {
            Key::Backspace | Key::Delete => None,
            Key::N => Some(dataset.not_applicable(self.task)?.to_owned()),
            key => Some(task.labels.get(self.keys.label(self.task, key)?)?.clone()),
        };
        let is_there = row < dataset.rows.len();
        is_there.then(|| EarlyLabel { of: ImageRow::of(dataset, row), task: task.name.clone(), label })
    }

    /// Gives the label that waited, once it can be given; says so where it cannot any more.
    pub(super) fn give_early(&mut self, context: &ViewContext<'_>) {
        let (Some((dataset, _)), true) = (context.labels(), self.early.is_some()) else { return };
        let Some(EarlyLabel { of, task, label }) = self.early.take() else { return };
        let place = dataset.tasks.iter().position(|known| known.name == task);
        let labels = place.map_or(&[][..], |place| &dataset.tasks[place].labels);
        let given = match &label {
            None => Some(GivenLabel::Nothing),
            Some(label) => match labels.iter().position(|known| known == label) {
                Some(known) => Some(GivenLabel::Label(known)),
                None => {
                    let word = place.and_then(|place| dataset.not_applicable(place));
                    (word == Some(label.as_str())).then_some(GivenLabel::DoesNotApply)
                }
            },
        };
        match (of.find(dataset), place, given) {
            (Some(row), Some(place), Some(given)) => {
                let is_given = self.give(&[row], place, given, AnnotationSource::Hand, context);
                let is_shown = self.arrangement.queue.current() == Some(row) && self.task == place;
                if is_given && label.is_some() && is_shown {
                    self.go_on(context);
                }
            }
            _ => {
                let what = label.map_or("no label".to_owned(), |label| format!("\u{201c}{label}\u{201d}"));
                let message = format!(
                    "{} did not get {what} for {task}: the CSV or the config changed after the key was pressed",
                    of.image
                );
                context.commands.toast(Level::Warning, message);
            }
        }
    }
}
