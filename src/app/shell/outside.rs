//! Places outside of the project's folder that its config would have written to: the user sees them and decides,
//! before anything is.

use egui::{Label, RichText, ScrollArea};
use tasklens_data::config::Outside;
use tasklens_data::dataset::sample;
use tasklens_net::study::StudyRequest;
use tasklens_net::training::{Request, outputs};

use crate::app::App;
use crate::app::command::{AppCommand, AskedOutside, ImportCommand, Then};
use crate::app::theme::{self, GRID, Tokens};

impl App {
    /// Looks in the background at where a run writes; it begins, or the user is asked.
    pub(in crate::app) fn look_before_training(&mut self, request: Box<Request>) {
        if self.is_training_refused() || self.overlays.starting.is_some() || self.overlays.outside.is_some() {
            return;
        }
        self.overlays.starting = Some(self.jobs.start_quietly("Looking where the run writes", move |_| {
            outputs::check(&request.config)?;
            let outside = outputs::outside(&request);
            Ok(if outside.is_empty() {
                AppCommand::BeginTraining(request)
            } else {
                AppCommand::AskOutside(Box::new(AskedOutside::to_train(request, outside)))
            })
        }));
    }

    /// As [`App::look_before_training`], of a study.
    pub(in crate::app) fn look_before_study(&mut self, request: Box<StudyRequest>) {
        if self.is_training_refused() || self.overlays.starting.is_some() || self.overlays.outside.is_some() {
            return;
        }
        self.overlays.starting = Some(self.jobs.start_quietly("Looking where the study writes", move |_| {
            let outside = request.plan.outside();
            Ok(if outside.is_empty() {
                AppCommand::BeginStudy(request)
            } else {
                AppCommand::AskOutside(Box::new(AskedOutside::to_study(request, outside)))
            })
        }));
    }

    /// Asks, where there is something to ask.
    pub(super) fn outside_ui(&mut self, ctx: &egui::Context) {
        let Some(asked) = &self.overlays.outside else { return };
        let tokens = Tokens::of(ctx);
        let (what, yes) = match asked.then {
            Then::Train(_) | Then::Study(_) => ("train", "Train and write there"),
            Then::DrawSample(_) => ("open it", "Draw the sample there"),
            Then::ImportKeras(_) => ("import into it", "Import and write there"),
        };
        let (mut goes_on, mut is_left) = (false, false);
        let modal = egui::Modal::new(egui::Id::unique("outside of the project")).show(ctx, |ui| {
            ui.set_max_width(150.0 * GRID);
            ui.label(theme::heading("Write outside the project\u{2019}s folder?"));
            let text = format!(
                "The config in {} points to these places elsewhere. If it comes from somebody else, {what} \
                 only if you know why.",
                asked.folder.display()
            );
            ui.add(Label::new(theme::caption(tokens, text)).wrap());
            ui.add_space(2.0 * GRID);
            ScrollArea::vertical().max_height(60.0 * GRID).show(ui, |ui| {
                for Outside { key, path } in &asked.outside {
                    ui.label(theme::caption(tokens, *key));
                    ui.add(Label::new(RichText::new(path.display().to_string()).color(tokens.text)).wrap());
                    ui.add_space(GRID);
                }
            });
            ui.add_space(2.0 * GRID);
            ui.horizontal(|ui| {
                goes_on = ui.button(yes).clicked();
                is_left = ui.button("Cancel").clicked();
            });
        });
        if goes_on || is_left || modal.should_close() {
            let asked = self.overlays.outside.take();
            if let Some(asked) = asked.filter(|_| goes_on) {
                self.write_outside(*asked);
            }
        }
    }

    fn write_outside(&mut self, asked: AskedOutside) {
        match asked.then {
            Then::Train(request) => {
                let request = Request { allow_outside: true, ..*request };
                self.commands.send(AppCommand::BeginTraining(Box::new(request)));
            }
            Then::ImportKeras(model) => {
                self.commands.send(AppCommand::Import(ImportCommand::BeginKeras(model)));
            }
            Then::Study(request) => {
                let request = StudyRequest { allow_outside: true, ..*request };
                self.commands.send(AppCommand::BeginStudy(Box::new(request)));
            }
            Then::DrawSample(config) => {
                self.command_jobs.push(self.jobs.start("Drawing the sample", move |progress| {
                    sample::draw_for(&config, &mut |done, of| {
                        progress.set(done as u64, of as u64);
                        progress.keep_going()
                    })?;
                    Ok(Some(AppCommand::OpenPath(config.file)))
                }));
            }
        }
    }
}
