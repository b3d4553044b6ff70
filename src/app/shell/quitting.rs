//! Closing the window while something is unfinished: it waits, or asks what is to become of labels and training.
//!
//! A run that goes on without the window does so in this process, whose window is hidden: nothing of it is lost or
//! done again. The lock on the run's folder tells a new window of it, and label edits are left to that one.

use egui::{Button, Context, Id, Label, Modal, Ui, ViewportCommand};
use tasklens_data::text::{counted, counted_grouped, is, plural};
use tasklens_net::training::events::Command;

use crate::app::App;
use crate::app::actions::unfinished::{Answers, Unfinished};
use crate::app::context::TrainingState;
use crate::app::theme::{self, GRID, Tokens};

/// Whether the window is to close.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::app) enum Quitting {
    #[default]
    No,
    /// As soon as nothing is unfinished, and the user has answered what was asked.
    WhenDone(Answers),
    /// The window is hidden until its run has ended.
    Hidden,
    /// At once, whatever is lost.
    Now,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Stay,
    LoseEdits,
    SaveLabels,
    LeaveLabels,
    KeepTraining,
    StopTraining,
}

impl App {
    /// Holds a window that is being closed open until nothing would be cut off.
    pub(super) fn quitting_ui(&mut self, ctx: &Context) {
        if ctx.input(|input| input.viewport().close_requested()) && self.overlays.quitting != Quitting::Now {
            let answers = match self.overlays.quitting {
                Quitting::WhenDone(answers) => answers,
                Quitting::No | Quitting::Hidden | Quitting::Now => Answers::default(),
            };
            if self.unfinished(answers).is_none() && answers.keeps_training.is_none() {
                return;
            }
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            self.overlays.quitting = Quitting::WhenDone(answers);
        }
        let answers = match self.overlays.quitting {
            Quitting::WhenDone(answers) => answers,
            Quitting::Hidden => return self.hidden_ui(ctx),
            Quitting::No | Quitting::Now => return,
        };
        if self.edits.as_ref().is_some_and(|edits| !edits.conflicts().is_empty()) {
            // What was to be saved is asked about first.
            self.overlays.quitting = Quitting::No;
            return;
        }
        match self.unfinished(answers) {
            Some(unfinished) => {
                if matches!(unfinished, Unfinished::Refused(..)) {
                    // Whoever waits for the disk wants to close, and not to be asked again.
                    self.overlays.quitting = Quitting::WhenDone(Answers { labels: true, ..answers });
                }
                if let Some(answer) = question_ui(ctx, &unfinished) {
                    self.answer(ctx, answers, answer);
                }
            }
            None if answers.keeps_training == Some(true) && self.training.is_some() => self.hide(ctx),
            None => self.close_now(ctx),
        }
    }

    fn answer(&mut self, ctx: &Context, answers: Answers, answer: Answer) {
        match answer {
            Answer::Stay => self.overlays.quitting = Quitting::No,
            Answer::LoseEdits => self.close_now(ctx),
            Answer::SaveLabels | Answer::LeaveLabels => {
                if answer == Answer::SaveLabels {
                    self.save_labels();
                }
                self.overlays.quitting = Quitting::WhenDone(Answers { labels: true, ..answers });
            }
            Answer::KeepTraining | Answer::StopTraining => {
                let keeps = answer == Answer::KeepTraining;
                // One that is paused would wait for ever behind a hidden window.
                let is_paused = self.training_state() == TrainingState::Paused;
                match keeps {
                    true if is_paused => self.tell_training(Command::Resume),
                    true => {}
                    false => self.tell_training(Command::Stop),
                }
                let keeps_training = Some(keeps);
                self.overlays.quitting = Quitting::WhenDone(Answers { keeps_training, ..answers });
            }
        }
        ctx.request_repaint();
    }

    fn close_now(&mut self, ctx: &Context) {
        self.overlays.quitting = Quitting::Now;
        ctx.send_viewport_cmd(ViewportCommand::Close);
    }

    /// The window goes and the run stays. Label edits are another window's from now on.
    fn hide(&mut self, ctx: &Context) {
        self.save_settings();
        self.close_edits();
        self.overlays.quitting = Quitting::Hidden;
        ctx.send_viewport_cmd(ViewportCommand::Visible(false));
        if std::env::var_os("WAYLAND_DISPLAY").is_some() {
            // There, no window can be hidden.
            ctx.send_viewport_cmd(ViewportCommand::Minimized(true));
        }
        log::info!("the window is hidden until its run has ended");
    }

    /// The run behind a hidden window has ended, and so does the program.
    pub(in crate::app) fn close_when_hidden(&mut self) {
        if self.overlays.quitting == Quitting::Hidden && self.training.is_none() && self.leaving.is_none() {
            let ctx = self.ctx.clone();
            self.close_now(&ctx);
        }
    }

    /// Where the window cannot be hidden, says why it is there.
    fn hidden_ui(&mut self, ctx: &Context) {
        let mut shows_again = false;
        Modal::new(Id::unique("quitting")).show(ctx, |ui| {
            ui.set_max_width(110.0 * GRID);
            ui.label(theme::heading("Training in the background"));
            ui.add(Label::new("This window closes by itself when the training has ended.").wrap());
            ui.add_space(3.0 * GRID);
            shows_again = ui.button("Show the window again").clicked();
        });
        if shows_again {
            self.overlays.quitting = Quitting::No;
            self.open_edits();
        }
    }
}

fn question_ui(ctx: &Context, unfinished: &Unfinished) -> Option<Answer> {
    let mut answer = None;
    Modal::new(Id::unique("quitting")).show(ctx, |ui| {
        ui.set_max_width(120.0 * GRID);
        match unfinished {
            Unfinished::Soon(what) => soon_ui(ui, what),
            Unfinished::Refused(count, why) => refused_ui(ui, *count, why),
            Unfinished::Labels(count) => labels_ui(ui, *count),
            Unfinished::Training(how_far) => training_ui(ui, how_far),
        }
        ui.add_space(3.0 * GRID);
        ui.horizontal(|ui| answer = buttons_ui(ui, unfinished));
    });
    answer
}

fn soon_ui(ui: &mut Ui, what: &str) {
    let tokens = Tokens::of(ui.ctx());
    ui.label(theme::heading("Closing when this is done"));
    ui.horizontal(|ui| {
        ui.add(egui::Spinner::new().size(4.0 * GRID).color(tokens.accent_text));
        ui.add(Label::new(what).wrap());
    });
}

fn refused_ui(ui: &mut Ui, count: usize, why: &str) {
    let (edits, them) = (counted(count, "label edit"), plural(count, "it", "them"));
    ui.label(theme::heading(format!("{edits} {} in memory only", is(count))));
    let text = format!("Tasklens cannot write {them} to disk: {why}. It tries again every two seconds.");
    ui.add(Label::new(text).wrap());
}

fn labels_ui(ui: &mut Ui, count: usize) {
    let (edits, they) = (counted_grouped(count, "label edit"), plural(count, "It is", "They are"));
    ui.label(theme::heading(format!("{edits} {} not in the CSV yet", is(count))));
    let text = format!(
        "{they} safe on disk beside it, and there again the next time. Other programs see what is in the CSV alone."
    );
    ui.add(Label::new(text).wrap());
}

fn training_ui(ui: &mut Ui, how_far: &str) {
    let tokens = Tokens::of(ui.ctx());
    ui.label(theme::heading("A network is being trained"));
    ui.label(theme::caption(tokens, how_far));
    ui.add_space(GRID);
    let text = "It can go on without the window until it has ended. Opening the project again shows that it does, and \
                stops it if you like. Or it stops after its batch and keeps what it has learnt: you can resume it from \
                there.";
    ui.add(Label::new(text).wrap());
}

fn buttons_ui(ui: &mut Ui, unfinished: &Unfinished) -> Option<Answer> {
    let answers: &[(&str, Answer)] = match unfinished {
        Unfinished::Soon(_) => &[("Keep Tasklens open", Answer::Stay)],
        Unfinished::Refused(..) => {
            &[("Keep Tasklens open", Answer::Stay), ("Close and lose these edits", Answer::LoseEdits)]
        }
        Unfinished::Labels(_) => &[
            ("Save and close", Answer::SaveLabels),
            ("Close without saving", Answer::LeaveLabels),
            ("Cancel", Answer::Stay),
        ],
        Unfinished::Training(_) => &[
            ("Keep training", Answer::KeepTraining),
            ("Stop and save", Answer::StopTraining),
            ("Cancel", Answer::Stay),
        ],
    };
    let mut given = None;
    for (text, answer) in answers {
        if ui.add(Button::new(*text)).clicked() {
            given = Some(*answer);
        }
    }
    given
}
