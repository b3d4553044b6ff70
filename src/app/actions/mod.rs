//! What happens between frames: commands of the views, results of jobs.

pub(in crate::app) mod annotations;
pub(in crate::app) mod image_check;
pub(in crate::app) mod training;
pub(in crate::app) mod unfinished;
pub(in crate::app) mod vocabulary;

use std::path::PathBuf;
use std::sync::Arc;

use tasklens_data::config::Config;
use tasklens_data::dataset::{self, Dataset, ImageRow};
use tasklens_data::files::Output;
use tasklens_net::training::events::Command;

use crate::app::App;
use crate::app::command::{AppCommand, Level, Place, UiCommand};
use crate::app::context::TrainingState;
use crate::app::dialogs::new_project::NewProjectForm;
use crate::app::dialogs::proposal::ProposalForm;
use crate::app::places::train::{Remembered, Restored};
use crate::app::services::file_dialogs;
use crate::app::services::jobs::{Outcome, Progress, take};
use crate::app::services::open::{self, Opened, Opening};
use crate::app::services::project::{ImageSource, Project, Summary};
use crate::app::services::settings::ThemeChoice;
use crate::app::shell::AskedOutside;

/// Images and seed of the sample that the window writes.
const SAMPLE_IMAGES: usize = 1200;
const SAMPLE_SEED: u64 = 7;
/// Zoom goes in these steps, between half and three times.
const ZOOM_STEP: f32 = 0.1;

impl App {
    /// Applies everything that arrived since the last frame.
    pub(in crate::app) fn take_in(&mut self) {
        while let Ok(command) = self.inbox.try_recv() {
            self.apply(command);
        }
        self.take_in_jobs();
        self.take_in_new_project();
        self.take_in_events();
        self.take_in_edits();
        self.take_in_left();
        self.take_in_vocabulary();
        self.follow_runs();
        let (views, mut context) = self.split();
        views.label.poll(&context);
        views.predict.poll(&mut context);
    }

    /// Shows a place. The runs may have changed since the last one was shown.
    pub(in crate::app) fn go_to(&mut self, place: Place) {
        if self.place != place {
            self.place = place;
            self.runs.read_again();
        }
    }

    fn follow_runs(&mut self) {
        let folder = self.project.as_ref().map(|project| project.config.paths.runs.as_path());
        if let Some(message) = self.runs.follow(folder, &self.jobs) {
            self.toast(Level::Warning, message);
        }
    }

    fn take_in_jobs(&mut self) {
        match take(&mut self.opening) {
            Some(Outcome::Done(opening)) => self.on_opened(opening),
            Some(Outcome::Failed(message)) => self.toast(Level::Error, message),
            Some(Outcome::Cancelled) | None => {}
        }
        let mut ended = Vec::new();
        self.errands.retain_mut(|job| match job.poll() {
            Some(outcome) => {
                ended.push(outcome);
                false
            }
            None => true,
        });
        for outcome in ended {
            match outcome {
                Outcome::Done(Some(command)) => self.apply(command),
                Outcome::Failed(message) => self.toast(Level::Error, message),
                Outcome::Done(None) | Outcome::Cancelled => {}
            }
        }
        match take(&mut self.overlays.looking) {
            Some(Outcome::Done(command)) => self.apply(command),
            Some(Outcome::Failed(message)) => self.toast(Level::Error, message),
            Some(Outcome::Cancelled) | None => {}
        }
        if let Some(message) = self.device.poll() {
            self.toast(Level::Warning, message);
        }
        match take(&mut self.image_check) {
            Some(Outcome::Done(checked)) => self.on_images_checked(checked),
            Some(Outcome::Failed(message)) => self.toast(Level::Error, message),
            Some(Outcome::Cancelled) | None => {}
        }
    }

    pub(in crate::app) fn apply(&mut self, command: AppCommand) {
        match command {
            AppCommand::Ui(command) => self.apply_ui(command),
            AppCommand::OpenPath(path) => self.open_paths(vec![path]),
            AppCommand::OpenPaths(paths) => self.open_paths(paths),
            AppCommand::OpenToLabel(config) => self.open_to_label(config),
            AppCommand::OpenImages(images) => {
                self.go_to(Place::Predict);
                self.views.predict.add_images(images);
            }
            AppCommand::FetchUrl(url) => self.apply(AppCommand::OpenImages(vec![ImageSource::Url(url)])),
            AppCommand::StartTraining(request) => self.look_before_training(request),
            AppCommand::BeginTraining(request) => self.start_training(&request),
            AppCommand::AskOutside(asked) => self.overlays.outside = Some(asked),
            AppCommand::TellTraining(command) => self.tell_training(command),
            AppCommand::UseModel(path) => {
                self.go_to(Place::Predict);
                self.views.predict.set_model(path);
            }
            AppCommand::InspectRun(run) => {
                self.go_to(Place::Inspect);
                self.views.inspect.set_run(run);
            }
            AppCommand::ReadRuns => self.runs.read_again(),
            AppCommand::RunSaved(run) => self.on_run_saved(run),
            AppCommand::Edit(step) => self.edit(step),
            AppCommand::LabelImages { images, title } => {
                self.go_to(Place::Label);
                self.views.label.label_these(images, title);
            }
            AppCommand::RememberKeys(assignments) => {
                self.settings.label_keys.clone_from(&assignments);
                self.views.label.set_assignments(assignments);
                self.save_settings();
            }
            AppCommand::RememberTraining { file, chosen } => {
                self.remember_training(file, chosen.map(|it| *it));
            }
            AppCommand::AskWhereToExport(form) => self.ask_where_to_export(form),
            AppCommand::ExportLabels(form, target) => self.export_labels(form, target),
            AppCommand::ChangeVocabulary(change) => self.change_vocabulary(change),
            AppCommand::SettleConflicts(on_conflict) => self.settle_conflicts(on_conflict),
            AppCommand::SaveConfig { file, text } => self.save_config(file, text),
            AppCommand::Toast { level, message } => self.toast(level, message),
            AppCommand::SelectPlace(place) => self.go_to(place),
            AppCommand::SelectRow(row) => {
                self.go_to(Place::Data);
                self.select_row(row);
            }
        }
    }

    fn apply_ui(&mut self, command: UiCommand) {
        if !self.is_enabled(command) {
            return;
        }
        match command {
            UiCommand::OpenProject => self.errands.push(file_dialogs::ask_project(&self.jobs)),
            UiCommand::NewProject => self.errands.push(file_dialogs::ask_folder(&self.jobs)),
            UiCommand::OpenImages => self.errands.push(file_dialogs::ask_images(&self.jobs)),
            UiCommand::OpenModel => self.errands.push(file_dialogs::ask_model(&self.jobs)),
            UiCommand::OpenSample => self.open_sample(),
            UiCommand::ReloadProject => {
                if let Some(project) = &self.project {
                    let file = project.config.file.clone();
                    self.thumbnails.clear();
                    self.open_paths(vec![file]);
                }
            }
            UiCommand::CloseProject => self.close_project(),
            UiCommand::EditTasks => self.views.vocabulary.toggle(),
            UiCommand::ShowData => self.go_to(Place::Data),
            UiCommand::ShowLabel => self.go_to(Place::Label),
            UiCommand::ShowTrain => self.go_to(Place::Train),
            UiCommand::ShowPredict => self.go_to(Place::Predict),
            UiCommand::ShowInspect => self.go_to(Place::Inspect),
            UiCommand::Undo => self.undo(true),
            UiCommand::Redo => self.undo(false),
            UiCommand::SaveLabels => self.save_labels(),
            UiCommand::ExportLabels => self.show_export(),
            UiCommand::UpdateModel => {
                self.go_to(Place::Label);
                let (views, context) = self.split();
                views.label.update_model(&context);
            }
            UiCommand::SaveAsRun => {
                self.go_to(Place::Label);
                self.views.label.save_as_run();
            }
            UiCommand::FocusFilter => {
                self.go_to(Place::Data);
                self.views.data.focus_filter();
            }
            UiCommand::ClearFilter => {
                self.go_to(Place::Data);
                self.views.data.clear_filter();
            }
            UiCommand::CheckImages => self.check_images(),
            UiCommand::StartTraining => {
                self.go_to(Place::Train);
                let (views, context) = self.split();
                views.train.start(&context);
            }
            UiCommand::PauseTraining if self.training_state() == TrainingState::Paused => {
                self.tell_training(Command::Resume);
            }
            UiCommand::PauseTraining => self.tell_training(Command::Pause),
            UiCommand::StopTraining => self.tell_training(Command::Stop),
            UiCommand::Paste => self.ctx.send_viewport_cmd(egui::ViewportCommand::RequestPaste),
            UiCommand::TypeUrl => {
                self.go_to(Place::Predict);
                self.views.predict.type_url();
            }
            UiCommand::CommandPalette => self.overlays.palette.toggle(),
            UiCommand::ShowShortcuts => self.overlays.shortcuts = !self.overlays.shortcuts,
            UiCommand::ToggleLog => self.overlays.log = !self.overlays.log,
            UiCommand::ThemeLight => self.set_theme(ThemeChoice::Light),
            UiCommand::ThemeDark => self.set_theme(ThemeChoice::Dark),
            UiCommand::ThemeSystem => self.set_theme(ThemeChoice::System),
            UiCommand::ZoomIn => self.set_zoom(self.ctx.zoom_factor() + ZOOM_STEP),
            UiCommand::ZoomOut => self.set_zoom(self.ctx.zoom_factor() - ZOOM_STEP),
            UiCommand::ZoomReset => self.set_zoom(1.0),
            UiCommand::Quit => self.ctx.send_viewport_cmd(egui::ViewportCommand::Close),
        }
    }

    /// Whether an action can be done now: the palette offers no other, and shortcuts do no other.
    pub(in crate::app) fn is_enabled(&self, command: UiCommand) -> bool {
        match command {
            UiCommand::ReloadProject
            | UiCommand::CloseProject
            | UiCommand::UpdateModel
            | UiCommand::EditTasks
            | UiCommand::FocusFilter
            | UiCommand::ClearFilter => self.project.is_some(),
            UiCommand::Undo => self.can_change_labels(|edits| edits.state().can_undo()),
            UiCommand::Redo => self.can_change_labels(|edits| edits.state().can_redo()),
            UiCommand::SaveLabels => {
                self.can_change_labels(|edits| edits.state().pending_count() > 0 && !edits.is_saving())
            }
            UiCommand::ExportLabels => self.edits.is_some(),
            UiCommand::SaveAsRun => self.project.is_some() && self.views.label.can_save_as_run(),
            UiCommand::CheckImages => self.project.is_some() && self.image_check.is_none(),
            UiCommand::StartTraining => {
                self.project.is_some() && self.training_state() == TrainingState::Idle
            }
            UiCommand::PauseTraining | UiCommand::StopTraining => {
                matches!(self.training_state(), TrainingState::Running | TrainingState::Paused)
            }
            UiCommand::OpenProject
            | UiCommand::NewProject
            | UiCommand::OpenSample
            | UiCommand::ShowData
            | UiCommand::ShowLabel
            | UiCommand::ShowTrain
            | UiCommand::ShowPredict
            | UiCommand::ShowInspect
            | UiCommand::OpenImages
            | UiCommand::OpenModel
            | UiCommand::Paste
            | UiCommand::TypeUrl
            | UiCommand::CommandPalette
            | UiCommand::ShowShortcuts
            | UiCommand::ToggleLog
            | UiCommand::ThemeLight
            | UiCommand::ThemeDark
            | UiCommand::ThemeSystem
            | UiCommand::ZoomIn
            | UiCommand::ZoomOut
            | UiCommand::ZoomReset
            | UiCommand::Quit => true,
        }
    }

    fn on_run_saved(&mut self, run: PathBuf) {
        self.runs.read_again();
        self.views.inspect.on_run_ended(Some(&run));
        self.views.predict.set_model(run);
    }

    fn set_theme(&mut self, choice: ThemeChoice) {
        self.settings.theme = choice;
        self.ctx.set_theme(choice);
        self.save_settings();
    }

    fn set_zoom(&mut self, zoom: f32) {
        let zoom = ((zoom / ZOOM_STEP).round() * ZOOM_STEP).clamp(0.5, 3.0);
        self.settings.zoom = Some(zoom);
        self.ctx.set_zoom_factor(zoom);
        self.save_settings();
    }

    pub(in crate::app) fn open_paths(&mut self, paths: Vec<PathBuf>) {
        let title = match &paths[..] {
            [] => return,
            [path] => format!("Opening {}", path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()),
            _ => format!("Opening {} files", paths.len()),
        };
        self.place_when_open = None;
        let before = self.project.as_ref().map(|project| Arc::clone(&project.dataset));
        let work = move |progress: &Progress| open::open_after(&paths, before.as_deref(), progress);
        self.opening = Some(self.jobs.start(title, work));
    }

    fn on_opened(&mut self, Opened { opening, has_same_rows }: Opened) {
        match opening {
            Opening::Project(opened) => {
                let (config, dataset, summary) = *opened;
                self.set_project(config, dataset, summary, has_same_rows);
            }
            Opening::Outside(config, outside) => {
                self.overlays.outside = Some(Box::new(AskedOutside::to_draw(config, outside)));
            }
            Opening::Bare(proposal, training) => {
                self.go_to(Place::Data);
                self.new_project = None;
                self.proposal = Some(ProposalForm::new(*proposal, *training));
            }
            Opening::Folder(found) => {
                self.go_to(Place::Data);
                self.proposal = None;
                self.new_project = Some(NewProjectForm::new(found));
            }
            Opening::Run(run) => {
                self.go_to(Place::Train);
                if let Some(best) = run.record.best.clone() {
                    self.views.predict.set_model(best);
                }
                self.views.train.open_run(*run);
            }
            Opening::Model(path) => self.apply(AppCommand::UseModel(path)),
            Opening::Predict(checkpoint, found) => {
                self.apply(AppCommand::UseModel(checkpoint));
                self.apply(AppCommand::OpenImages(open::to_predict(&found)));
                for notice in found.notices {
                    self.toast(Level::Info, notice);
                }
            }
            Opening::Images(images) => self.apply(AppCommand::OpenImages(images)),
        }
    }

    fn set_project(&mut self, config: Config, dataset: Dataset, summary: Summary, has_same_rows: bool) {
        if self.must_stay_open() {
            return;
        }
        let same_file = self.project.as_ref().is_some_and(|project| project.config.file == config.file);
        self.settings.remember(&config.file);
        if let Some(place) = self.place_when_open.take() {
            self.go_to(place);
        } else if !same_file {
            self.go_to(Place::Data);
        }
        self.proposal = None;
        self.new_project = None;
        self.overlays.outside = None;
        for notice in &config.notices {
            self.commands.toast(Level::Info, notice);
        }
        let choice = config.model.device;
        self.generation += 1;
        self.project = Some(Project {
            config,
            dataset: Arc::new(dataset),
            summary: Arc::new(summary),
            generation: self.generation,
        });
        self.device.look(choice, &self.jobs);
        self.open_edits();
        self.tell_of_project(same_file, has_same_rows);
        self.save_settings();
    }

    /// The rows of the open project were read anew, as the CSV had changed meanwhile.
    pub(in crate::app) fn on_reread(
        &mut self,
        config: Config,
        dataset: Arc<Dataset>,
        summary: Summary,
        has_same_rows: bool,
    ) {
        self.generation += 1;
        let summary = Arc::new(summary);
        self.project = Some(Project { config, dataset, summary, generation: self.generation });
        self.tell_of_project(true, has_same_rows);
    }

    fn tell_of_project(&mut self, same_file: bool, has_same_rows: bool) {
        self.views.on_project(same_file, has_same_rows);
        self.tell_train_of_project();
        self.check_images();
    }

    pub(in crate::app) fn tell_train_of_project(&mut self) {
        self.runs.read_again();
        let (views, mut context) = self.split();
        views.train.on_project(&mut context);
        self.restore_training();
    }

    /// Takes up how the open project was to be trained, unless its config has changed since.
    fn restore_training(&mut self) {
        let Some(file) = self.project.as_ref().map(|project| project.config.file.clone()) else { return };
        let Some(remembered) = self.settings.training.get(&file) else { return };
        let restored = self.views.train.restore(remembered);
        if restored != Restored::Yes {
            self.settings.training.remove(&file);
        }
        if restored == Restored::Outdated {
            let message = "What was chosen in Train before, and not saved, does not fit the config any more and is not used";
            self.toast(Level::Info, message);
        }
    }

    fn remember_training(&mut self, file: PathBuf, chosen: Option<Remembered>) {
        match chosen {
            Some(chosen) => self.settings.training.insert(file, chosen),
            None => self.settings.training.remove(&file),
        };
        self.save_settings();
    }

    fn close_project(&mut self) {
        if self.must_stay_open() {
            return;
        }
        self.project = None;
        self.proposal = None;
        self.new_project = None;
        self.image_check = None;
        self.close_edits();
        self.settings.open = None;
        self.go_to(Place::Data);
        self.views.on_project(false, false);
        self.tell_train_of_project();
        self.save_settings();
    }

    /// Selects the row of an image in Data, wherever it is by now.
    fn select_row(&mut self, row: ImageRow) {
        let Some(project) = &self.project else { return };
        match row.find(&project.dataset) {
            Some(found) => self.views.data.select(ImageRow { row: found, ..row }),
            None => {
                let csv = project.dataset.table.path.display();
                let message = format!("{} is not in {csv} any more", row.image);
                self.toast(Level::Warning, message);
            }
        }
    }

    fn open_sample(&mut self) {
        let folder = self.folders.data.join("sample");
        let config = folder.join("config.yml");
        if config.is_file() {
            self.open_paths(vec![config]);
            return;
        }
        self.errands.push(self.jobs.start("Drawing the sample", move |progress| {
            let mut said = |done: usize, of: usize| {
                progress.set(done as u64, of as u64);
                progress.keep_going()
            };
            let config = dataset::sample::write_sample(&folder, SAMPLE_IMAGES, SAMPLE_SEED, &mut said)?;
            Ok(Some(AppCommand::OpenPath(config)))
        }));
    }

    fn save_config(&mut self, file: PathBuf, text: String) {
        self.errands.push(self.jobs.start_whole("Saving", move |_| {
            Output::of(&file)
                .and_then(|output| output.write(text.as_bytes()))
                .map_err(|error| anyhow::anyhow!("{} cannot be written: {error}", file.display()))?;
            Ok(Some(AppCommand::OpenPath(file)))
        }));
    }

    /// Tells the user something, now and in the log.
    pub(in crate::app) fn toast(&mut self, level: Level, message: impl Into<String>) {
        let message = message.into();
        log::info!(target: "tasklens::window", "{level:?}: {message}");
        self.messages.push(level, message);
    }

    pub(in crate::app) fn save_settings(&mut self) {
        self.settings.place = self.place;
        if let Err(error) = self.settings.write(&self.folders.settings()) {
            let message = format!("The settings are not kept for the next time: {error:#}");
            self.toast(Level::Warning, message);
        }
    }
}
