//! Moving through a grid: what keys and clicks do to the cursor and the selection. No drawing.

use egui::{Key, Modifiers, Ui};

use super::selection::Selection;
use super::{GridState, Layout};

/// Whether keys are for the place rather than for a field, a button or an open menu. `own` is the widget of
/// the place that may have the focus.
pub fn keys_are_free(ui: &Ui, own: Option<egui::Id>) -> bool {
    let focused = ui.ctx().memory(|memory| memory.focused());
    (focused.is_none() || focused == own)
        && !egui::Popup::is_any_open(ui.ctx())
        && ui.ctx().memory(|memory| memory.top_modal_layer().is_none())
}

/// Whether a key was pressed, also together with Shift; it is then used up.
fn pressed(ui: &Ui, key: Key) -> bool {
    ui.input_mut(|input| input.consume_key(Modifiers::NONE, key))
}

impl GridState {
    /// What the keys do; returns the position to open.
    pub(super) fn keys(&mut self, ui: &Ui, layout: &Layout, has_many: bool) -> Option<usize> {
        if layout.count == 0 {
            return None;
        }
        let extends = has_many && ui.input(|input| input.modifiers.shift);
        let last = layout.count - 1;
        let page = layout.columns * layout.rows_in_sight().max(1);
        let from = self.cursor;
        let go = |forward: Key, back: Key, step: usize| {
            let at = from.unwrap_or(0);
            if pressed(ui, forward) {
                return Some(forward_to(at, step, last, layout.columns));
            }
            pressed(ui, back).then(|| back_to(at, step, layout.columns))
        };
        let target = go(Key::ArrowRight, Key::ArrowLeft, 1)
            .or_else(|| go(Key::ArrowDown, Key::ArrowUp, layout.columns))
            .or_else(|| go(Key::PageDown, Key::PageUp, page))
            .or_else(|| pressed(ui, Key::Home).then_some(0))
            .or_else(|| pressed(ui, Key::End).then_some(last));
        if let Some(target) = target {
            // The first key shows where the cursor is.
            let target = if from.is_none() && target != last { 0 } else { target };
            self.go_to(target, extends);
        }
        if has_many {
            self.selection_keys(ui, layout.count);
        }
        self.cursor.filter(|_| pressed(ui, Key::Enter))
    }

    fn selection_keys(&mut self, ui: &Ui, count: usize) {
        if ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::A)) {
            self.selection = Selection::range(0..count);
        }
        if pressed(ui, Key::Space)
            && let Some(cursor) = self.cursor
        {
            self.selection.toggle(cursor);
            self.anchor = Some(cursor);
        }
    }

    /// What a press on a cell does to the selection, where several may be chosen.
    pub(super) fn press(&mut self, position: usize, modifiers: Modifiers) {
        self.cursor = Some(position);
        if modifiers.shift {
            self.extend_to(position);
        } else if modifiers.command || self.toggles {
            self.selection.toggle(position);
            self.anchor = Some(position);
        } else {
            self.selection = Selection::of(position);
            self.anchor = Some(position);
        }
    }

    fn go_to(&mut self, position: usize, extends: bool) {
        if extends {
            self.anchor = self.anchor.or(self.cursor);
            self.extend_to(position);
        } else if !self.toggles {
            self.selection = Selection::of(position);
            self.anchor = Some(position);
        }
        self.cursor = Some(position);
        self.follows = true;
    }

    fn extend_to(&mut self, position: usize) {
        let anchor = *self.anchor.get_or_insert(position);
        self.selection = Selection::range(anchor.min(position)..anchor.max(position) + 1);
    }
}

/// Whole rows down end in the last row, in the last item where that row is too short.
fn forward_to(at: usize, step: usize, last: usize, columns: usize) -> usize {
    let target = at.saturating_add(step);
    if target <= last {
        return target;
    }
    if step == 1 || at / columns == last / columns {
        return if step == 1 { last } else { at };
    }
    (last / columns * columns + at % columns).min(last)
}

/// Whole rows up end in the first row.
fn back_to(at: usize, step: usize, columns: usize) -> usize {
    match at.checked_sub(step) {
        Some(target) => target,
        None if step == 1 => 0,
        None => at % columns,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stay_in_the_grid_and_in_their_column() {
        // Ten items in rows of four: the last row has two.
        let down = |at| forward_to(at, 4, 9, 4);
        assert_eq!([0, 3, 4, 5, 6, 7, 8, 9].map(down), [4, 7, 8, 9, 9, 9, 8, 9]);
        assert_eq!([0, 3, 4, 9].map(|at| back_to(at, 4, 4)), [0, 3, 0, 5]);
        assert_eq!((forward_to(9, 1, 9, 4), back_to(0, 1, 4)), (9, 0));
        assert_eq!(back_to(9, 12, 4), 1);
        let page = |at| forward_to(at, 12, 9, 4);
        assert_eq!([0, 2, 8].map(page), [8, 9, 8]);
    }

    #[test]
    fn shift_chooses_a_range_and_control_single_ones() {
        let mut state = GridState::default();
        state.press(3, Modifiers::NONE);
        state.press(6, Modifiers::SHIFT);
        assert_eq!(state.selection().iter().collect::<Vec<_>>(), [3, 4, 5, 6]);
        state.press(5, Modifiers::COMMAND);
        state.press(1, Modifiers::COMMAND);
        assert_eq!(state.selection().iter().collect::<Vec<_>>(), [1, 3, 4, 6]);
        state.go_to(2, true);
        assert_eq!(state.selection().iter().collect::<Vec<_>>(), [1, 2]);
        state.press(7, Modifiers::NONE);
        assert_eq!((state.selection().len(), state.cursor()), (1, Some(7)));
    }

    #[test]
    fn where_all_are_chosen_a_press_takes_out_and_the_cursor_changes_nothing() {
        let mut state = GridState { toggles: true, ..GridState::default() };
        state.set_selection(Selection::range(0..5));
        state.press(3, Modifiers::NONE);
        state.go_to(1, false);
        assert_eq!(state.selection().iter().collect::<Vec<_>>(), [0, 1, 2, 4]);
        state.press(3, Modifiers::NONE);
        assert_eq!(state.selection().len(), 5);
    }
}
