//! The command palette: type a part of an action's name, press Enter.

use egui::{Align2, Area, Id, Key, Order, Role, ScrollArea, TextEdit, Vec2, WidgetInfo};

use crate::app::App;
use crate::app::command::{CommandSender, UiCommand};
use crate::app::theme::{self, GRID, RADIUS, Tokens};

/// The palette: what is typed, and the action selected.
#[derive(Default)]
pub struct Palette {
    open: bool,
    text: String,
    chosen: usize,
    /// The one that was scrolled to last.
    seen: Option<usize>,
}

impl Palette {
    /// Shows or hides it.
    pub fn toggle(&mut self) {
        *self = Self { open: !self.open, ..Self::default() };
    }

    fn ui(&mut self, ctx: &egui::Context, commands: &CommandSender, enabled: impl Fn(UiCommand) -> bool) {
        if !self.open {
            return;
        }
        let found = matches(&self.text, enabled);
        self.keys(ctx, commands, &found);
        let width = (140.0 * GRID).min(ctx.content_rect().width() - 8.0 * GRID);
        let area = Area::new(Id::unique("command palette"))
            .order(Order::Foreground)
            .anchor(Align2::CENTER_TOP, [0.0, 20.0 * GRID])
            .show(ctx, |ui| {
                egui::Frame::window(ui.style()).inner_margin(8).show(ui, |ui| {
                    ui.set_width(width);
                    self.list_ui(ui, commands, &found);
                });
            });
        if area.response.clicked_elsewhere() {
            self.open = false;
        }
    }

    fn keys(&mut self, ctx: &egui::Context, commands: &CommandSender, found: &[UiCommand]) {
        let pressed = |key| ctx.input_mut(|input| input.consume_key(egui::Modifiers::NONE, key));
        if pressed(Key::ArrowDown) {
            self.chosen = (self.chosen + 1).min(found.len().saturating_sub(1));
        }
        if pressed(Key::ArrowUp) {
            self.chosen = self.chosen.saturating_sub(1);
        }
        if pressed(Key::Enter)
            && let Some(command) = found.get(self.chosen)
        {
            commands.ui(*command);
            self.open = false;
        }
        if pressed(Key::Escape) {
            self.open = false;
        }
    }

    fn list_ui(&mut self, ui: &mut egui::Ui, commands: &CommandSender, found: &[UiCommand]) {
        let field = TextEdit::singleline(&mut self.text)
            .hint_text("What do you want to do?")
            .margin(Vec2::new(8.0, 8.0))
            .desired_width(f32::INFINITY);
        let field = ui.add(field);
        let text = self.text.clone();
        field.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::TextInput, true, "Find an action");
            info.current_text_value = Some(text.clone());
            info
        });
        if !field.has_focus() {
            field.request_focus();
        }
        if field.changed() {
            self.chosen = 0;
        }
        // Not in every frame: that would ask for the next one.
        let has_moved = self.seen.replace(self.chosen) != Some(self.chosen);
        ui.add_space(GRID);
        ScrollArea::vertical().max_height(90.0 * GRID).auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for (index, command) in found.iter().enumerate() {
                let is_chosen = index == self.chosen;
                if item_ui(ui, *command, is_chosen, is_chosen && has_moved) {
                    commands.ui(*command);
                    self.open = false;
                }
            }
            if found.is_empty() {
                ui.label(theme::caption(Tokens::of(ui.ctx()), "No action has this name."));
            }
        });
    }
}

impl App {
    pub(super) fn palette_ui(&mut self, ctx: &egui::Context) {
        let mut palette = std::mem::take(&mut self.overlays.palette);
        palette.ui(ctx, &self.commands, |command| self.is_enabled(command));
        self.overlays.palette = palette;
    }
}

/// An entry; `comes_into_sight`: it is scrolled to. Returns whether it was pressed.
fn item_ui(ui: &mut egui::Ui, command: UiCommand, chosen: bool, comes_into_sight: bool) -> bool {
    let tokens = Tokens::of(ui.ctx());
    let (rect, response) =
        ui.allocate_exact_size(Vec2::new(ui.available_width(), 8.0 * GRID), egui::Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, command.text()));
    if comes_into_sight {
        response.scroll_to_me(None);
    }
    let fill = if chosen {
        tokens.selected
    } else if response.hovered() {
        tokens.card
    } else {
        tokens.panel
    };
    let painter = ui.painter();
    painter.rect_filled(rect, RADIUS, fill);
    let font = |size| egui::FontId::proportional(size);
    let left = rect.left_center() + Vec2::new(2.0 * GRID, 0.0);
    painter.text(left, Align2::LEFT_CENTER, command.icon(), font(16.0), tokens.text_weak);
    let text = left + Vec2::new(7.0 * GRID, 0.0);
    let drawn = painter.text(text, Align2::LEFT_CENTER, command.text(), font(theme::TEXT_BODY), tokens.text);
    let shortcut = command.shortcut_text(ui.ctx());
    let right = rect.right_center() - Vec2::new(2.0 * GRID, 0.0);
    let shortcut =
        painter.text(right, Align2::RIGHT_CENTER, shortcut, font(theme::TEXT_SMALL), tokens.text_weak);
    let between = egui::Rect::from_x_y_ranges(drawn.right() + 12.0..=shortcut.left() - 12.0, rect.y_range());
    painter.with_clip_rect(between).text(
        between.left_center(),
        Align2::LEFT_CENTER,
        command.tooltip(),
        font(theme::TEXT_SMALL),
        tokens.text_weak,
    );
    response.clicked()
}

/// The actions that what is typed finds, the best first; all, in the order of the menus, where nothing is typed.
fn matches(typed: &str, enabled: impl Fn(UiCommand) -> bool) -> Vec<UiCommand> {
    let all = UiCommand::ALL.iter().copied();
    let all = all.filter(|command| *command != UiCommand::CommandPalette && enabled(*command));
    if typed.trim().is_empty() {
        return all.collect();
    }
    let mut found: Vec<_> = all.filter_map(|command| Some((command.fit(typed)?, command))).collect();
    found.sort_by_key(|(fit, _)| std::cmp::Reverse(*fit));
    found.into_iter().map(|(_, command)| command).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_order_find_the_action_that_fits_best() {
        let best = |typed| matches(typed, |_| true).first().copied();
        assert_eq!(best("dark"), Some(UiCommand::ThemeDark));
        assert_eq!(best("start tr"), Some(UiCommand::StartTraining));
        assert_eq!(best("st"), Some(UiCommand::StartTraining));
        assert_eq!(best("from url"), Some(UiCommand::TypeUrl));
        assert_eq!(best("zo"), Some(UiCommand::ZoomIn));
        assert_eq!(best("qqq"), None);
        assert_eq!(matches("", |_| true).len(), UiCommand::ALL.len() - 1);
    }

    #[test]
    fn a_name_comes_before_another_word_for_it_and_that_before_a_tooltip() {
        let best = |typed| matches(typed, |_| true).first().copied();
        assert_eq!(best("help"), Some(UiCommand::ShowShortcuts));
        assert_eq!(best("delete"), Some(UiCommand::EditTasks));
        assert_eq!(best("report"), Some(UiCommand::ShowInspect));
        assert_eq!(best("label err"), Some(UiCommand::ShowLabelErrors));
        assert_eq!(best("confusion"), Some(UiCommand::ShowConfusion));
        assert_eq!(best("one network"), Some(UiCommand::CompareNetworks));
        assert_eq!(best("export"), Some(UiCommand::ExportLabels));
        // The tooltip of others has the word, too.
        assert_eq!(best("model"), Some(UiCommand::UpdateModel));
        let found = matches("labels", |_| true);
        let at = |command| found.iter().position(|other| *other == command);
        assert!(at(UiCommand::SaveLabels) < at(UiCommand::ShowData), "{found:?}");
    }

    #[test]
    fn what_cannot_be_done_now_is_not_offered() {
        let found = matches("training", |command| command != UiCommand::StopTraining);
        assert!(!found.contains(&UiCommand::StopTraining) && found.contains(&UiCommand::StartTraining));
    }
}
