//! The quiet place for notices, above the status bar: one at a time, small; and the log, which has all that was said.
//!
//! A notice is a real widget: a screen reader announces it, and it waits while the pointer or the keyboard is at it.

mod log_panel;
mod record;
mod words;

use std::sync::Arc;
use std::time::Duration;

use egui::text::LayoutJob;
use egui::{Align, Align2, Area, Button, Context, Id, Layout, Order, Rect, RichText, Role, Ui, WidgetInfo};

use crate::app::command::{AppCommand, Level, Notice, Subject, UiCommand};
use crate::app::theme::icons;
use crate::app::theme::{GRID, TEXT_BODY, TEXT_SMALL, Tokens};
use crate::app::widgets::sentence;
use record::{Line, Record};

const WIDTH: f32 = 88.0 * GRID;
/// The rest of a longer message is in the log.
const ROWS: usize = 2;
const ICON_WIDTH: f32 = 4.0 * GRID;
const MARGIN: f32 = 3.0 * GRID;

/// What happened: the notice that stands, those that wait, and the log.
#[derive(Default)]
pub struct Messages {
    record: Record,
    log: log_panel::LogPanel,
    /// The size of the notice in the frame before.
    size: egui::Vec2,
}

/// What the user does with a notice.
enum Answer {
    None,
    Dismiss,
    Remedy,
    ShowLog,
}

impl Messages {
    /// Tells the user something; `is_told`: the place that is open shows it already, so that it goes into the log
    /// alone.
    pub fn push(&mut self, notice: Notice, is_told: bool) {
        self.record.push(notice, is_told);
    }

    /// A line for the log: something happens as it should.
    pub fn note(&mut self, message: impl Into<String>) {
        self.record.note(Level::Info, message.into());
    }

    /// What was said about this is settled.
    pub fn settle(&mut self, subject: Subject) {
        self.record.settle(subject);
    }

    /// What notices offered has been done.
    pub fn settle_by(&mut self, done: &AppCommand) {
        self.record.settle_by(done);
    }

    /// How many errors and warnings nobody has seen, and the worst of them.
    pub fn unseen(&self) -> Option<(usize, Level)> {
        self.record.unseen()
    }

    /// How much of the place the notice covers that stands, from below, in points.
    pub fn height(&self) -> f32 {
        if self.record.shown().is_some() { self.size.y + 2.0 * MARGIN } else { 0.0 }
    }

    /// Shows the notice that stands in a lower corner of `within`; returns what the user wants done about it.
    pub fn notice_ui(&mut self, ctx: &Context, within: Rect, corner: Align2) -> Option<AppCommand> {
        let shown = self.record.shown()?;
        let number = shown.number;
        let waiting = self.record.waiting();
        let area = Area::new(Id::unique("notice"))
            .order(Order::Foreground)
            .pivot(corner)
            .fixed_pos(corner.pos_in_rect(&within.shrink(MARGIN)))
            .interactable(true);
        let width = WIDTH.min(within.width() - 2.0 * MARGIN);
        let shown = area.show(ctx, |ui| line_ui(ui, shown, waiting, width));
        let (answer, has_focus) = shown.inner;
        if std::mem::replace(&mut self.size, shown.response.rect.size()) != self.size {
            // It stands where it belongs once its size is known.
            ctx.request_repaint();
        }
        let is_held = shown.response.contains_pointer() || has_focus;
        // Not `stable_dt`: where frames are half a second apart, that is the length of one frame.
        self.record.pass(ctx.input(|input| input.unstable_dt).min(0.5), is_held);
        let wanted = match answer {
            Answer::None => None,
            Answer::Dismiss => {
                self.record.dismiss(number);
                None
            }
            Answer::Remedy => self.record.take_remedy(number),
            Answer::ShowLog => Some(AppCommand::Ui(UiCommand::ToggleLog)),
        };
        match self.record.shown().map(|line| line.number) {
            // Another comes forward.
            next if next != Some(number) => ctx.request_repaint(),
            _ => {
                if let Some(left) = self.record.left_secs() {
                    ctx.request_repaint_after(Duration::from_secs_f32(left.clamp(0.1, 0.5)));
                }
            }
        }
        wanted
    }

    /// Shows the log as a panel at the bottom; returns what the user wants done about one of its lines.
    pub fn log_ui(&mut self, ui: &mut Ui, tokens: &Tokens) -> Option<AppCommand> {
        self.record.see_all();
        self.log.ui(ui, tokens, &mut self.record)
    }
}

/// Shows a notice; returns what the user does with it, and whether the keyboard is at it.
fn line_ui(ui: &mut Ui, line: &Line, waiting: usize, width: f32) -> (Answer, bool) {
    let tokens = Tokens::of(ui.ctx());
    let frame = tokens.card_frame().inner_margin(egui::Margin::symmetric(10, 8)).fill(tokens.card);
    let mut answer = Answer::None;
    let mut has_focus = false;
    frame.shadow(ui.visuals().popup_shadow).show(ui, |ui| {
        ui.set_width(width - 20.0);
        ui.spacing_mut().item_spacing = egui::vec2(2.0 * GRID, GRID);
        let mut is_cut = false;
        ui.horizontal_top(|ui| {
            ui.label(RichText::new(icon(line.level)).size(ICON_WIDTH).color(color(tokens, line.level)));
            // Wide enough for the button with its padding.
            let room = ui.available_width() - 8.0 * GRID;
            is_cut = message_ui(ui, tokens, line, room);
            ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
                let close = ui.add(Button::new(icons::X).frame_when_inactive(false).small());
                close.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Dismiss"));
                has_focus |= close.has_focus();
                if close.clicked() {
                    answer = Answer::Dismiss;
                }
            });
        });
        let more = more(is_cut, waiting);
        if line.remedy.is_none() && more.is_none() {
            return;
        }
        ui.horizontal(|ui| {
            // The text of the buttons stands below the message.
            ui.add_space(ICON_WIDTH + 2.0 * GRID - ui.spacing().button_padding.x);
            if let Some(remedy) = &line.remedy {
                let button = ui.button(RichText::new(remedy.button).color(tokens.accent_text));
                has_focus |= button.has_focus();
                if button.clicked() {
                    answer = Answer::Remedy;
                }
            }
            if let Some(more) = more {
                let text = RichText::new(&more).size(TEXT_SMALL).color(tokens.text_weak);
                let button = ui.add(Button::new(text).frame_when_inactive(false));
                has_focus |= button.has_focus();
                if button.on_hover_text("Show the log").clicked() {
                    answer = Answer::ShowLog;
                }
            }
        });
    });
    (answer, has_focus)
}

/// What leads to the log, where it has more than is shown.
fn more(is_cut: bool, waiting: usize) -> Option<String> {
    match (is_cut, waiting) {
        (false, 0) => None,
        (true, 0) => Some("Show all".to_owned()),
        (false, waiting) => Some(format!("{waiting} more")),
        (true, waiting) => Some(format!("Show all, {waiting} more")),
    }
}

/// Shows the message of a notice on at most [`ROWS`] lines; returns whether that cuts it.
fn message_ui(ui: &mut Ui, tokens: &Tokens, line: &Line, room: f32) -> bool {
    let font = egui::FontId::proportional(TEXT_BODY);
    let mut job = LayoutJob::simple(line.message.clone(), font, tokens.text, room);
    job.wrap.max_rows = ROWS;
    let galley = sentence::galley(ui, job);
    let is_cut = galley.elided;
    let label = ui.add(egui::Label::new(Arc::clone(&galley)).show_tooltip_when_elided(false));
    let role = if line.level >= Level::Warning { Role::Alert } else { Role::Status };
    label.widget_info(|| WidgetInfo::labeled(role, true, &line.message));
    if is_cut {
        label.on_hover_text(crate::app::theme::in_visual_order(&line.message));
    }
    is_cut
}

fn icon(level: Level) -> &'static str {
    match level {
        Level::Success => icons::CHECK_CIRCLE,
        Level::Info => icons::INFO,
        Level::Warning => icons::WARNING,
        Level::Error => icons::WARNING_CIRCLE,
    }
}

pub(super) fn color(tokens: &Tokens, level: Level) -> egui::Color32 {
    match level {
        Level::Success => tokens.success,
        Level::Info => tokens.accent_text,
        Level::Warning => tokens.warning,
        Level::Error => tokens.error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::theme;

    /// Draws the notice twice a second until it is gone, with the pointer at `pointer`; returns after how long.
    fn drawn_for(messages: &mut Messages, pointer: Option<egui::Pos2>) -> f64 {
        let ctx = Context::default();
        theme::install(&ctx);
        let screen = Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1280.0, 800.0));
        let mut seconds = 0.0;
        while messages.record.shown().is_some() && seconds < 60.0 {
            let events = pointer.map(egui::Event::PointerMoved).into_iter().collect();
            let input = egui::RawInput {
                time: Some(seconds),
                screen_rect: Some(screen),
                events,
                ..Default::default()
            };
            let mut output = ctx.run_ui(input, |ui| {
                assert!(messages.notice_ui(ui.ctx(), screen, Align2::RIGHT_BOTTOM).is_none());
            });
            output.textures_delta.clear();
            seconds += 0.5;
        }
        seconds
    }

    #[test]
    fn a_notice_goes_after_8_s_in_a_window_that_is_seldom_drawn_and_waits_under_the_pointer() {
        let mut messages = Messages::default();
        messages.push(Notice::new(Level::Info, "it is done"), false);
        let seconds = drawn_for(&mut messages, None);
        assert!((8.0..9.5).contains(&seconds), "{seconds}");
        messages.push(Notice::new(Level::Info, "it is done"), false);
        assert_eq!(drawn_for(&mut messages, Some(egui::pos2(1200.0, 770.0))), 60.0);
    }

    #[test]
    fn the_log_is_offered_where_it_has_more() {
        let texts = [(false, 0), (true, 0), (false, 2), (true, 1)].map(|(cut, waiting)| more(cut, waiting));
        let texts: Vec<_> = texts.iter().map(Option::as_deref).collect();
        assert_eq!(texts, [None, Some("Show all"), Some("2 more"), Some("Show all, 1 more")]);
    }
}
