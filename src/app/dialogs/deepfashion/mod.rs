//! DeepFashion as a project: where it is, what was found there, the import with its progress, and what came of it.
//!
//! [`form`] is the first page, [`running`] the second, [`done`] the third. The dialog can be hidden while the import
//! goes on.

mod done;
mod form;
mod running;

use std::path::{Path, PathBuf};

use egui::{Context, Id, Modal};
use tasklens_data::dataset::import::deepfashion::{self, DeepFashionLayout, ImportStep, Imported, Survey};
use tasklens_net::training;

use crate::app::command::{AppCommand, CommandSender, ImportField, Level, Notice, UiCommand};
use crate::app::context::ViewContext;
use crate::app::services::derived::Derived;
use crate::app::services::jobs::{Job, Jobs, Outcome, Progress, take};
use crate::app::theme::{self, GRID};
use form::ImportForm;

/// See the module's documentation.
#[derive(Default)]
pub struct DeepFashionDialog {
    is_open: bool,
    form: ImportForm,
    survey: Derived<Source, Survey>,
    importing: Option<Job<Imported>>,
    end: Option<ImportEnd>,
}

/// How the last import ended.
enum ImportEnd {
    Done(Box<Imported>),
    Stopped,
    Failed(String),
}

/// Where a data set is, and where its project goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Source {
    data: Option<PathBuf>,
    config: Option<PathBuf>,
    out: Option<PathBuf>,
}

impl Source {
    fn is_named(&self) -> bool {
        self.data.is_some() || self.config.is_some()
    }

    fn layout(&self) -> anyhow::Result<DeepFashionLayout> {
        DeepFashionLayout::of(self.data.as_deref(), self.config.as_deref(), self.out.as_deref())
    }
}

/// What a page asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ImportAnswer {
    Stay,
    /// Close or hide the dialog.
    Leave,
    Start,
    /// Stop the import.
    Stop,
    /// Back to the form.
    Again,
}

impl DeepFashionDialog {
    /// Shows it; the end of the import that was shown before is seen.
    pub fn open(&mut self) {
        self.is_open = true;
        self.form.begin();
    }

    /// Shows the form with the folder of a download that was dropped or named. An import that goes on stays as it is.
    pub fn open_with(&mut self, folder: &Path) {
        self.open();
        if self.importing.is_none() {
            self.end = None;
            self.form.choose(ImportField::Data, folder);
        }
    }

    /// Takes a place that was chosen.
    pub fn choose(&mut self, field: ImportField, path: &Path) {
        self.form.choose(field, path);
    }

    /// Takes in that an import has ended.
    pub fn poll(&mut self, commands: &CommandSender) {
        let (end, level, told) = match take(&mut self.importing) {
            Some(Outcome::Done(imported)) => {
                let told = format!("DeepFashion is imported: {}", imported.images());
                (ImportEnd::Done(Box::new(imported)), Level::Success, told)
            }
            Some(Outcome::Failed(message)) => (ImportEnd::Failed(message.clone()), Level::Error, message),
            Some(Outcome::Cancelled) => {
                (ImportEnd::Stopped, Level::Info, "The import of DeepFashion was stopped".to_owned())
            }
            None => return,
        };
        if !self.is_open {
            let show = AppCommand::Ui(UiCommand::ImportDeepFashion);
            commands.notify(Notice::new(level, told).offering("Show more", show));
        }
        self.end = Some(end);
        // What is on the disk is another now.
        self.survey = Derived::default();
    }

    /// Shows it while it is open.
    pub fn ui(&mut self, ctx: &Context, context: &ViewContext<'_>) {
        if !self.is_open {
            return;
        }
        self.look(context.jobs);
        let space = ctx.content_rect().size();
        let frame = context.tokens.card_frame().inner_margin(20).corner_radius(theme::RADIUS + 4);
        let modal = Modal::new(Id::unique("import DeepFashion")).frame(frame).show(ctx, |ui| {
            ui.set_width((150.0 * GRID).min(space.x - 16.0 * GRID));
            self.page_ui(ui, context)
        });
        let is_left = modal.should_close();
        match modal.inner {
            ImportAnswer::Stay if is_left => self.is_open = false,
            ImportAnswer::Stay => {}
            ImportAnswer::Leave => self.is_open = false,
            ImportAnswer::Start => self.start(context.jobs),
            ImportAnswer::Stop => {
                if let Some(job) = &self.importing {
                    job.cancel();
                }
            }
            ImportAnswer::Again => self.end = None,
        }
    }

    fn page_ui(&mut self, ui: &mut egui::Ui, context: &ViewContext<'_>) -> ImportAnswer {
        if let Some(job) = &self.importing {
            return running::ui(ui, context.tokens, job.progress());
        }
        match &self.end {
            Some(ImportEnd::Done(imported)) => done::ui(ui, context, imported),
            end => {
                let told = match end {
                    Some(ImportEnd::Failed(message)) => Some(Err(message.as_str())),
                    Some(ImportEnd::Stopped) => Some(Ok("The import was stopped.")),
                    _ => None,
                };
                self.form.ui(ui, context, &self.survey, told)
            }
        }
    }

    /// Looks at what is chosen, in the background.
    fn look(&mut self, jobs: &Jobs) {
        let source = self.form.source();
        if !source.is_named() || self.importing.is_some() {
            self.survey.take_in();
            return;
        }
        self.survey.want(source, || {
            let source = source.clone();
            jobs.start_quietly("Looking at DeepFashion", move |_| Ok(Survey::of(&source.layout()?)))
        });
    }

    fn start(&mut self, jobs: &Jobs) {
        let (source, kept) = (self.form.source().clone(), self.form.kept_types());
        self.end = None;
        self.importing = Some(jobs.start("Importing DeepFashion", move |progress| {
            let propose = |images, aspect| training::propose(images, images, aspect);
            let layout = source.layout()?.keeping(kept);
            let imported = deepfashion::import(&layout, &propose, &mut |step, done, of| {
                tell(progress, step, done as u64, of as u64);
                progress.keep_going()
            });
            // The error of a cancel says what the form says.
            imported.map_err(|error| if progress.keep_going() { error } else { anyhow::anyhow!("cancelled") })
        }));
    }
}

fn tell(progress: &Progress, step: ImportStep, done: u64, of: u64) {
    progress.say(step.name());
    if step == ImportStep::Looking {
        progress.set_without_pace(done, of);
    } else {
        progress.set(done, of);
    }
}
