//! Keys that are pressed one after the other, in tasks with more labels than keys.

use egui::Key;

use super::LabelView;
use super::keys::LabelKey;
use crate::app::command::Level;
use crate::app::context::ViewContext;

impl LabelView {
    /// The label that a key stands for, `prefix` being the key before it where that waits for another. The first of two
    /// is kept until the next.
    pub(super) fn pressed_label(
        &mut self,
        prefix: Option<Key>,
        key: Key,
        context: &ViewContext<'_>,
    ) -> Option<usize> {
        if let Some(first) = prefix.filter(|first| self.keys.is_prefix(self.task, *first)) {
            let pair = LabelKey { prefix, key };
            let label = self.keys.label_of(self.task, pair);
            if label.is_none() {
                let message = format!(
                    "No label has the keys {}: {} waits for the second of two",
                    pair.text(),
                    first.symbol_or_name()
                );
                context.commands.toast(Level::Info, message);
            }
            return label;
        }
        if self.keys.is_prefix(self.task, key) {
            self.awaiting = Some(key);
            return None;
        }
        self.keys.label(self.task, key)
    }
}
