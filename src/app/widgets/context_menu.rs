//! The menu of what is shown: under a right click, or under the menu key (Shift+F10) on what has the keyboard.

use egui::{Id, Key, Modifiers, Popup, Response, SetOpenCommand, Ui};

/// The menu under a right click or the menu key. One that a key opens begins at its first entry, and gives the keyboard
/// back. Returns what its content does while it is open.
pub fn context_menu<R>(response: &Response, content: impl FnOnce(&mut Ui) -> R) -> Option<R> {
    let by_key = response.has_focus() && response.ctx.input_mut(take_menu_key);
    menu_of(response, by_key, content)
}

/// As [`context_menu`], where somebody else has heard the key.
pub fn menu_of<R>(response: &Response, by_key: bool, content: impl FnOnce(&mut Ui) -> R) -> Option<R> {
    let ctx = &response.ctx;
    // A menu that a key opened stands below what it is about, wherever the pointer is.
    let stands_below = Popup::default_response_id(response).with("stands below");
    if by_key || response.secondary_clicked() {
        ctx.data_mut(|data| data.insert_temp(stands_below, by_key));
    }
    let is_below = ctx.data(|data| data.get_temp(stands_below).unwrap_or(false));
    let mut menu = Popup::context_menu(response);
    if is_below {
        menu = menu.anchor(response);
    }
    if by_key {
        menu = menu.open_memory(Some(SetOpenCommand::Bool(true)));
        ctx.data_mut(|data| data.insert_temp(first_entry(), true));
    }
    let shown = menu.show(content)?;
    let is_escaped = ctx.input(|input| input.key_pressed(Key::Escape));
    if is_below && is_escaped && response.sense.is_focusable() {
        response.request_focus();
    }
    Some(shown.inner)
}

/// Takes a press of the menu key.
fn take_menu_key(input: &mut egui::InputState) -> bool {
    input.consume_key(Modifiers::NONE, Key::Menu) || input.consume_key(Modifiers::SHIFT, Key::F10)
}

/// Gives the keyboard to an entry where it is the first of a menu that a key has opened.
pub(super) fn lead_keyboard_to(entry: &Response) {
    let is_first = entry.ctx.data_mut(|data| data.remove_temp::<bool>(first_entry())).is_some();
    if is_first {
        entry.request_focus();
    }
}

fn first_entry() -> Id {
    Id::unique("first entry of the menu that a key has opened")
}
