//! The left rail: the places above, what concerns the window below.

use egui::{
    Align, Align2, EventFilter, FontId, Key, Layout, Margin, Panel, Response, Role, Sense, Theme, Ui, Vec2,
    WidgetInfo,
};

use crate::app::App;
use crate::app::command::UiCommand;
use crate::app::place::Place;
use crate::app::theme::{GRID, RADIUS, TEXT_SMALL, Tokens, medium};
use crate::app::widgets::{focus_ring, icon_button};

const WIDTH: f32 = 19.0 * GRID;
/// Of the button of a place.
const HIGHEST: f32 = 14.0 * GRID;
/// Where it is lower than this, there is only the icon.
const WITH_NAME: f32 = 10.0 * GRID;

impl App {
    pub(super) fn rail_ui(&mut self, ui: &mut Ui, tokens: &Tokens) {
        let frame = egui::Frame::new().fill(tokens.panel).inner_margin(Margin::symmetric(6, 12));
        Panel::left("rail").exact_size(WIDTH).resizable(false).frame(frame).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = GRID;
            // Also in the lowest window, all places can be reached.
            let share = ui.available_height() / Place::ALL.len() as f32 - GRID;
            let height = share.clamp(5.0 * GRID, HIGHEST);
            let mut buttons = Vec::new();
            for &place in Place::ALL {
                let button = place_ui(ui, tokens, place, self.place == place, height);
                if button.clicked() {
                    self.commands.ui(UiCommand::go_to(place));
                }
                buttons.push(button);
            }
            arrow_keys(ui, &buttons);
            ui.with_layout(Layout::bottom_up(Align::Center), |ui| {
                let other =
                    if tokens.theme == Theme::Dark { UiCommand::ThemeLight } else { UiCommand::ThemeDark };
                // In a low window the last ones give way: the palette, which has them all, stays longest.
                let all =
                    [UiCommand::CommandPalette, other, UiCommand::ShowShortcuts, UiCommand::OpenProject];
                let fitting = (ui.available_height() / (ui.spacing().interact_size.y + GRID)) as usize;
                for command in all.into_iter().take(fitting) {
                    icon_button(ui, &self.commands, command);
                }
            });
        });
    }
}

/// Up and down go from place to place, and stay within the places.
fn arrow_keys(ui: &Ui, buttons: &[Response]) {
    let Some(at) = buttons.iter().position(Response::has_focus) else { return };
    let own = EventFilter { vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(buttons[at].id, own));
    let times = |key| ui.input(|input| input.num_presses(key)) as isize;
    let to = at as isize + times(Key::ArrowDown) - times(Key::ArrowUp);
    let to = to.clamp(0, buttons.len() as isize - 1) as usize;
    if to != at {
        buttons[to].request_focus();
    }
}

/// Icon above name, or the icon alone where there is no room for both.
fn place_ui(ui: &mut Ui, tokens: &Tokens, place: Place, here: bool, height: f32) -> Response {
    let size = Vec2::new(ui.available_width(), height);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, here, place.name()));
    let (fill, color) = if here {
        (tokens.selected, tokens.accent_text)
    } else if response.hovered() || response.has_focus() {
        (tokens.card, tokens.text)
    } else {
        (tokens.panel, tokens.text_weak)
    };
    let painter = ui.painter();
    painter.rect_filled(rect, RADIUS, fill);
    focus_ring(ui, &response);
    let command = UiCommand::go_to(place);
    let is_named = height >= WITH_NAME;
    let icon = rect.center() - Vec2::new(0.0, if is_named { 2.0 * GRID } else { 0.0 });
    let size = 22.0_f32.min(height - GRID);
    painter.text(icon, Align2::CENTER_CENTER, command.icon(), FontId::proportional(size), color);
    if is_named {
        let name = rect.center() + Vec2::new(0.0, (height / 2.0 - 2.0 * GRID).min(4.0 * GRID));
        painter.text(name, Align2::CENTER_CENTER, place.name(), FontId::new(TEXT_SMALL, medium()), color);
    }
    let tooltip = format!("{} ({})", command.tooltip(), command.shortcut_text(ui.ctx()));
    response.on_hover_text(tooltip)
}
