//! Short messages over the window's corner, and the log that keeps them.
//!
//! A toast is a real widget: it wraps long messages, a screen reader announces it, and it waits while
//! the pointer is over it.

use std::time::Duration;

use egui::{Align2, Area, Id, Order, Panel, RichText, Role, ScrollArea, Ui, WidgetInfo};

use tasklens_data::text::capitalised;

use crate::app::command::{AppCommand, Level};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};

/// So many lines are kept.
const KEEP: usize = 1000;
/// Newer toasts push older ones out.
const VISIBLE: usize = 4;

struct LogLine {
    level: Level,
    message: String,
    time: String,
}

struct Toast {
    number: u64,
    level: Level,
    message: String,
    remedy: Option<Remedy>,
    left_secs: f32,
}

/// What can be done about a message, at once.
#[derive(Debug)]
pub struct Remedy {
    /// The text of the button.
    pub button: &'static str,
    /// What it sends.
    pub does: AppCommand,
}

/// What happened: now as toasts, before as the log.
#[derive(Default)]
pub struct Messages {
    lines: Vec<LogLine>,
    toasts: Vec<Toast>,
    number: u64,
}

impl Messages {
    /// Adds a message to toasts and log.
    pub fn push(&mut self, level: Level, message: String, remedy: Option<Remedy>) {
        let message = capitalised(message);
        let time = time::OffsetDateTime::now_local().unwrap_or_else(|_| time::OffsetDateTime::now_utc());
        let time = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
        // Errors stay until they are dismissed or a minute has passed.
        let left_secs = match level {
            Level::Success | Level::Info if remedy.is_none() => 5.0,
            // Long enough to be read and answered.
            Level::Success | Level::Info => 20.0,
            Level::Warning => 12.0,
            Level::Error => 60.0,
        };
        // What is said again takes the place of what is there.
        self.toasts.retain(|toast| toast.message != message);
        self.number += 1;
        self.toasts.push(Toast { number: self.number, level, message: message.clone(), remedy, left_secs });
        if self.toasts.len() > VISIBLE {
            self.toasts.remove(0);
        }
        self.lines.push(LogLine { level, message, time });
        if self.lines.len() > KEEP {
            self.lines.remove(0);
        }
    }

    /// Shows the toasts over everything, above the status bar; returns what the user wants done about one.
    pub fn toasts_ui(&mut self, ctx: &egui::Context) -> Option<AppCommand> {
        if self.toasts.is_empty() {
            return None;
        }
        let tokens = Tokens::of(ctx);
        let area = Area::new(Id::unique("toasts"))
            .order(Order::Foreground)
            .anchor(Align2::RIGHT_BOTTOM, [-4.0 * GRID, -11.0 * GRID])
            .interactable(true);
        let width = (90.0 * GRID).min(ctx.content_rect().width() - 8.0 * GRID);
        let (mut dismissed, mut answered) = (None, None);
        let held = area
            .show(ctx, |ui| {
                ui.set_width(width);
                for toast in &self.toasts {
                    match toast_ui(ui, tokens, toast) {
                        ToastAnswer::None => {}
                        ToastAnswer::Dismiss => dismissed = Some(toast.number),
                        ToastAnswer::Remedy => answered = Some(toast.number),
                    }
                    ui.add_space(GRID);
                }
            })
            .response
            .contains_pointer();
        let at = self.toasts.iter().position(|toast| Some(toast.number) == answered);
        let remedy = at.and_then(|at| self.toasts.remove(at).remedy);
        self.toasts.retain(|toast| Some(toast.number) != dismissed);
        if !held {
            // Not `stable_dt`: where frames are half a second apart, that is the length of one frame.
            let dt = ctx.input(|input| input.unstable_dt).min(0.5);
            for toast in &mut self.toasts {
                toast.left_secs -= dt;
            }
            self.toasts.retain(|toast| toast.left_secs > 0.0);
        }
        if let Some(next) = self.toasts.iter().map(|toast| toast.left_secs).reduce(f32::min) {
            ctx.request_repaint_after(Duration::from_secs_f32(next.clamp(0.1, 0.5)));
        }
        remedy.map(|remedy| remedy.does)
    }

    /// Shows the log as a panel at the bottom.
    pub fn log_ui(&self, ui: &mut Ui, tokens: &Tokens) {
        Panel::bottom("log").default_size(40.0 * GRID).resizable(true).frame(tokens.panel_frame()).show(
            ui,
            |ui| {
                ui.label(theme::strong("Log"));
                ScrollArea::vertical().auto_shrink(false).stick_to_bottom(true).show(ui, |ui| {
                    if self.lines.is_empty() {
                        ui.label(theme::caption(tokens, "Nothing has happened yet."));
                    }
                    for line in &self.lines {
                        ui.horizontal_top(|ui| {
                            ui.label(theme::caption(tokens, &line.time));
                            ui.label(RichText::new(icon(line.level)).color(color(tokens, line.level)));
                            ui.add(egui::Label::new(&line.message).wrap().selectable(true));
                        });
                    }
                });
            },
        );
    }
}

enum ToastAnswer {
    None,
    Dismiss,
    Remedy,
}

/// Shows one.
fn toast_ui(ui: &mut Ui, tokens: &Tokens, toast: &Toast) -> ToastAnswer {
    let frame = tokens.card_frame().fill(tokens.card).shadow(ui.visuals().popup_shadow);
    frame
        .show(ui, |ui| {
            ui.horizontal_top(|ui| {
                ui.label(RichText::new(icon(toast.level)).size(16.0).color(color(tokens, toast.level)));
                // Wide enough for the button with its padding: a toast must not outgrow the others.
                let close_width = 8.0 * GRID;
                let width = ui.available_width() - close_width - ui.spacing().item_spacing.x;
                let mut answer = ToastAnswer::None;
                ui.vertical(|ui| {
                    ui.set_width(width);
                    let message = ui.add(egui::Label::new(&toast.message).wrap());
                    message.widget_info(|| WidgetInfo::labeled(Role::Alert, true, &toast.message));
                    if let Some(remedy) = &toast.remedy
                        && ui.button(RichText::new(remedy.button).color(tokens.accent_text)).clicked()
                    {
                        answer = ToastAnswer::Remedy;
                    }
                });
                let close = ui.add(egui::Button::new(icons::X).frame_when_inactive(false).small());
                close.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Dismiss"));
                if close.clicked() { ToastAnswer::Dismiss } else { answer }
            })
            .inner
        })
        .inner
}

fn icon(level: Level) -> &'static str {
    match level {
        Level::Success => icons::CHECK_CIRCLE,
        Level::Info => icons::INFO,
        Level::Warning => icons::WARNING,
        Level::Error => icons::WARNING_CIRCLE,
    }
}

fn color(tokens: &Tokens, level: Level) -> egui::Color32 {
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

    #[test]
    fn a_message_goes_after_its_time_in_a_window_that_is_seldom_drawn() {
        let ctx = egui::Context::default();
        theme::install(&ctx);
        let mut messages = Messages::default();
        messages.push(Level::Info, "it is done".to_owned(), None);
        let mut seconds = 0.0;
        while !messages.toasts.is_empty() && seconds < 60.0 {
            let input = egui::RawInput { time: Some(seconds), ..Default::default() };
            let mut output = ctx.run_ui(input, |ui| assert!(messages.toasts_ui(ui.ctx()).is_none()));
            output.textures_delta.clear();
            seconds += 0.5;
        }
        assert!((4.0..8.0).contains(&seconds), "{seconds}");
    }

    #[test]
    fn what_is_said_again_is_shown_once() {
        let mut messages = Messages::default();
        for text in ["one", "two", "one"] {
            messages.push(Level::Info, text.to_owned(), None);
        }
        let shown: Vec<&str> = messages.toasts.iter().map(|toast| toast.message.as_str()).collect();
        assert_eq!((shown, messages.lines.len()), (vec!["Two", "One"], 3));
    }
}
