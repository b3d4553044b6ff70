//! Closing the window while something is unfinished: it waits, or asks where labels would be lost.

use egui::{Context, Id, Label, Modal, ViewportCommand};
use tasklens_data::text::{counted, is, plural};

use crate::app::App;
use crate::app::actions::unfinished::Unfinished;
use crate::app::theme::{self, GRID, Tokens};

/// Whether the window is to close.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Quitting {
    #[default]
    No,
    /// As soon as nothing is unfinished.
    WhenDone,
    /// At once, whatever is lost.
    Now,
}

impl App {
    /// Holds a window that is being closed open until nothing would be cut off.
    pub(super) fn quitting_ui(&mut self, ctx: &Context) {
        let unfinished = self.unfinished();
        if ctx.input(|input| input.viewport().close_requested()) && self.overlays.quitting != Quitting::Now {
            if unfinished.is_none() {
                return;
            }
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            self.overlays.quitting = Quitting::WhenDone;
        }
        if self.overlays.quitting != Quitting::WhenDone {
            return;
        }
        let Some(unfinished) = unfinished else {
            self.overlays.quitting = Quitting::Now;
            ctx.send_viewport_cmd(ViewportCommand::Close);
            return;
        };
        if let Some(answer) = question_ui(ctx, &unfinished) {
            self.overlays.quitting = answer;
            if answer == Quitting::Now {
                ctx.send_viewport_cmd(ViewportCommand::Close);
            }
        }
    }
}

fn question_ui(ctx: &Context, unfinished: &Unfinished) -> Option<Quitting> {
    let tokens = Tokens::of(ctx);
    let mut answer = None;
    Modal::new(Id::unique("quitting")).show(ctx, |ui| {
        ui.set_max_width(110.0 * GRID);
        match unfinished {
            Unfinished::Soon(what) => {
                ui.label(theme::heading("Closing when this is done"));
                ui.horizontal(|ui| {
                    ui.add(egui::Spinner::new().size(4.0 * GRID).color(tokens.accent_text));
                    ui.add(Label::new(*what).wrap());
                });
            }
            Unfinished::Refused(count, why) => {
                let (edits, them) = (counted(*count, "label edit"), plural(*count, "it", "them"));
                ui.label(theme::heading(format!("{edits} {} in memory only", is(*count))));
                let text =
                    format!("Tasklens cannot write {them} to disk: {why}. It tries again every two seconds.");
                ui.add(Label::new(text).wrap());
            }
        }
        ui.add_space(3.0 * GRID);
        ui.horizontal(|ui| {
            if ui.button("Keep Tasklens open").clicked() {
                answer = Some(Quitting::No);
            }
            if let Unfinished::Refused(..) = unfinished
                && ui.button("Close and lose these edits").clicked()
            {
                answer = Some(Quitting::Now);
            }
        });
    });
    answer
}
