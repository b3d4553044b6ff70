//! The import while it goes on.

use egui::{Button, Label, ProgressBar, Role, Ui, WidgetInfo};
use tasklens_data::text::{capitalised, duration, grouped};

use super::ImportAnswer;
use crate::app::services::jobs::Progress;
use crate::app::theme::{self, GRID, Tokens};

pub(super) fn ui(ui: &mut Ui, tokens: &Tokens, progress: &Progress) -> ImportAnswer {
    ui.label(theme::heading("Importing DeepFashion"));
    ui.add_space(2.0 * GRID);
    let is_stopping = !progress.keep_going();
    let doing = if is_stopping { "stopping".to_owned() } else { progress.text() };
    ui.label(theme::strong(format!("{}\u{2026}", capitalised(doing))));
    match progress.fraction() {
        Some(fraction) => {
            let bar = ui.add(ProgressBar::new(fraction).desired_height(1.5 * GRID).fill(tokens.accent));
            bar.widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, "Progress of the import"));
            ui.label(theme::caption(tokens, how_far(progress)));
        }
        None => {
            ui.add(egui::Spinner::new().color(tokens.accent_text));
        }
    }
    ui.add_space(2.0 * GRID);
    let text = "You can go on working: the status bar shows how far it is. If you stop it, the crops that are made stay, \
                and the next import goes on from there.";
    ui.add(Label::new(theme::caption(tokens, text)).wrap());
    ui.add_space(2.0 * GRID);
    let mut answer = ImportAnswer::Stay;
    ui.horizontal(|ui| {
        if ui.add(Button::new("Hide")).clicked() {
            answer = ImportAnswer::Leave;
        }
        if ui.add_enabled(!is_stopping, Button::new("Stop the import")).clicked() {
            answer = ImportAnswer::Stop;
        }
    });
    answer
}

fn how_far(progress: &Progress) -> String {
    let (done, of) = progress.counts();
    let far = format!("{} of {} images", grouped(done), grouped(of));
    match progress.time_left() {
        Some(left) => format!("{far}, about {} left", duration(left)),
        None => far,
    }
}
