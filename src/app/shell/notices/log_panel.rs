//! The log as a panel at the bottom: what happened, the newest at the end.

use egui::{Align, Button, Layout, Panel, RichText, Role, ScrollArea, Ui, WidgetInfo};
use tasklens_data::text::grouped;

use super::record::{Line, Record, name};
use super::{color, icon};
use crate::app::command::AppCommand;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_SMALL, Tokens};
use crate::app::widgets::sentence::selectable_sentence_ui;

/// So many lines are laid out at once, unless all are asked for.
const LATEST: usize = 200;

/// See the module's documentation.
#[derive(Default)]
pub struct LogPanel {
    shows_all: bool,
}

impl LogPanel {
    /// Shows the lines of `record`; returns what the user wants done about one.
    pub fn ui(&mut self, ui: &mut Ui, tokens: &Tokens, record: &mut Record) -> Option<AppCommand> {
        let mut wanted = None;
        let mut copied = false;
        Panel::bottom("log").default_size(40.0 * GRID).resizable(true).frame(tokens.panel_frame()).show(
            ui,
            |ui| {
                ui.horizontal(|ui| {
                    ui.label(theme::strong("Log"));
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let copy = Button::new(format!("{}  Copy all", icons::CLIPBOARD));
                        let is_enabled = record.lines().len() > 0;
                        let copy = ui.add_enabled(is_enabled, copy);
                        copy.widget_info(|| WidgetInfo::labeled(Role::Button, is_enabled, "Copy all"));
                        copied = copy.clicked();
                    });
                });
                ScrollArea::vertical().auto_shrink(false).stick_to_bottom(true).show(ui, |ui| {
                    wanted = self.lines_ui(ui, tokens, record);
                });
            },
        );
        match wanted {
            _ if copied => Some(AppCommand::CopyText(record.text())),
            Some(number) => record.take_remedy(number),
            None => None,
        }
    }

    /// Returns the number of the line that something is to be done about.
    fn lines_ui(&mut self, ui: &mut Ui, tokens: &Tokens, record: &Record) -> Option<u64> {
        let count = record.lines().len();
        if count == 0 {
            ui.label(theme::caption(tokens, "Nothing has happened yet."));
        }
        let earlier = if self.shows_all { 0 } else { count.saturating_sub(LATEST) };
        if earlier > 0 && ui.link(format!("{} earlier lines", grouped(earlier as u64))).clicked() {
            self.shows_all = true;
        }
        let mut wanted = None;
        for line in record.lines().skip(earlier) {
            if line_ui(ui, tokens, line) {
                wanted = Some(line.number);
            }
        }
        wanted
    }
}

/// Returns whether something is to be done about it.
fn line_ui(ui: &mut Ui, tokens: &Tokens, line: &Line) -> bool {
    let mut is_wanted = false;
    ui.horizontal_top(|ui| {
        ui.label(theme::caption(tokens, &line.time));
        let icon = RichText::new(icon(line.level)).color(color(tokens, line.level));
        let icon = ui.label(icon).on_hover_text(name(line.level));
        icon.widget_info(|| WidgetInfo::labeled(Role::Label, true, name(line.level)));
        if line.times > 1 {
            ui.label(theme::caption(tokens, format!("\u{d7}{}", line.times)));
        }
        if let Some(remedy) = &line.remedy {
            let text = RichText::new(remedy.button).size(TEXT_SMALL).color(tokens.accent_text);
            is_wanted = ui.add(Button::new(text).small()).clicked();
        }
        selectable_sentence_ui(ui, &line.message);
    });
    is_wanted
}
