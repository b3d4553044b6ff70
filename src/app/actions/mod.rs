//! What happens between frames: commands of the views, results of jobs.

pub(in crate::app) mod annotations;
mod first_network;
pub(in crate::app) mod image_check;
mod import;
pub(in crate::app) mod models;
mod outside;
mod project;
mod telling;
pub(in crate::app) mod training;
pub(in crate::app) mod unfinished;
pub(in crate::app) mod vocabulary;

use std::path::PathBuf;

use tasklens_net::training::events::Command;

use crate::app::command::{AppCommand, Level, Notice, Subject, UiCommand};
use crate::app::context::TrainingState;
use crate::app::dialogs::file_dialogs;
use crate::app::place::Place;
use crate::app::places::inspect::Tab;
use crate::app::services::jobs::{Outcome, take};
use crate::app::services::project::ImageSource;
use crate::app::services::settings::ThemeChoice;
use crate::app::{App, ToCopy};

/// Zoom goes in these steps, between half and three times.
const ZOOM_STEP: f32 = 0.1;

impl App {
    /// Applies everything that arrived since the last frame.
    pub(in crate::app) fn take_in(&mut self) {
        while let Ok(command) = self.inbox.try_recv() {
            self.apply(command);
        }
        // Before what came of them.
        self.note_jobs();
        self.take_in_jobs();
        self.take_in_new_project();
        self.take_in_imports();
        self.take_in_events();
        self.take_in_edits();
        self.take_in_left();
        self.take_in_vocabulary();
        self.follow_runs();
        self.close_when_hidden();
        self.settle_shown();
        self.follow_settings();
        let (views, mut context) = self.split();
        views.label.poll(&context);
        views.predict.poll(&mut context);
    }

    /// Shows a place. The runs may have changed since the last one was shown.
    pub(in crate::app) fn go_to(&mut self, place: Place) {
        self.messages.settle_by(&AppCommand::Ui(UiCommand::go_to(place)));
        if self.place != place {
            self.place = place;
            self.runs.read_again();
        }
    }

    fn take_in_jobs(&mut self) {
        match take(&mut self.opening) {
            Some(Outcome::Done(opening)) => self.on_opened(opening),
            Some(Outcome::Failed(message)) => {
                self.tell(Notice::new(Level::Error, message).about(Subject::Opening));
            }
            Some(Outcome::Cancelled) | None => {}
        }
        let mut ended = Vec::new();
        self.command_jobs.retain_mut(|job| match job.poll() {
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
        for looked in [take(&mut self.overlays.looking), take(&mut self.overlays.starting)] {
            match looked {
                Some(Outcome::Done(command)) => self.apply(command),
                Some(Outcome::Failed(message)) => {
                    self.tell(Notice::new(Level::Error, message).about(Subject::Starting));
                }
                Some(Outcome::Cancelled) | None => {}
            }
        }
        if let Some(message) = self.device.poll() {
            self.toast(Level::Warning, message);
        }
        match take(&mut self.image_check) {
            Some(Outcome::Done(checked)) => self.on_images_checked(checked),
            Some(Outcome::Failed(message)) => self.toast(Level::Error, message),
            Some(Outcome::Cancelled) => self.on_image_check_cancelled(),
            None => {}
        }
    }

    fn apply(&mut self, command: AppCommand) {
        if !matches!(&command, AppCommand::Ui(command) if !self.is_enabled(*command)) {
            self.messages.settle_by(&command);
        }
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
            AppCommand::StartStudy(request) => self.look_before_study(request),
            AppCommand::BeginStudy(request) => self.start_study(*request),
            AppCommand::AskWhereToSavePage { name, page } => {
                self.questions.push(file_dialogs::page(name, page));
            }
            AppCommand::SavePage { file, page } => self.save_page(file, page),
            AppCommand::SaveReport { file, request } => self.save_report(file, *request),
            AppCommand::OfFigure { action, exhibit } => self.of_figure(action, exhibit),
            AppCommand::SaveFigure { file, form, exhibit } => self.save_figure(file, form, *exhibit),
            AppCommand::AskOutside(asked) => self.overlays.outside = Some(asked),
            AppCommand::UseModel(path) => {
                self.go_to(Place::Predict);
                self.views.predict.set_model(path);
            }
            AppCommand::InspectRun(run) => {
                self.go_to(Place::Inspect);
                self.views.inspect.set_run(run);
            }
            AppCommand::AskWhereToExportModel { model, name } => {
                self.questions.push(file_dialogs::model_export(model, &name));
            }
            AppCommand::ExportModel { model, file } => self.export_model(model, file),
            AppCommand::ChooseModel(run) => self.choose_model(run),
            AppCommand::AskAboutRun(run) => self.ask_about_run(&run),
            AppCommand::DescribeRun(run, said) => self.describe_run(run, said),
            AppCommand::DeleteRun(run) => self.delete_run(run),
            AppCommand::RestoreRun { thrown, run } => self.restore_run(thrown, run),
            AppCommand::StopElsewhere(run) => self.stop_elsewhere(run),
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
            AppCommand::Notify(notice) => self.tell(*notice),
            AppCommand::AskFile(question) => self.questions.push(*question),
            AppCommand::TypePath(question) => self.type_path(*question),
            AppCommand::Import(command) => self.import(command),
            AppCommand::OnImages { action, dataset, rows } => {
                let gather = move |_: &_| Ok(action.command(&dataset, &rows));
                self.command_jobs.push(self.jobs.start_quietly("Gathering images", gather));
            }
            AppCommand::OnLabel { action, name } => self.on_label(action, name),
            AppCommand::ShowInFolder(file) => self.show_in_folder(file),
            // A frame is needed for it: see `App::ui`.
            AppCommand::CopyText(text) => self.to_copy = Some(ToCopy::Text(text)),
            AppCommand::CopyImage(image) => self.to_copy = Some(ToCopy::Image(image)),
            AppCommand::SelectRow(row) => {
                self.go_to(Place::Data);
                self.select_row(row);
            }
            AppCommand::ShowProblems => {
                self.go_to(Place::Data);
                self.views.data.show_problems();
            }
        }
    }

    fn inspect(&mut self, tab: Tab) {
        self.go_to(Place::Inspect);
        self.views.inspect.open(tab);
    }

    fn apply_ui(&mut self, command: UiCommand) {
        if !self.is_enabled(command) {
            return;
        }
        match command {
            UiCommand::OpenProject => self.questions.push(file_dialogs::project()),
            UiCommand::NewProject => self.questions.push(file_dialogs::folder()),
            UiCommand::OpenImages => self.questions.push(file_dialogs::images()),
            UiCommand::TryValidationImages => {
                self.go_to(Place::Predict);
                let (views, context) = self.split();
                views.predict.try_validation_images(&context);
            }
            UiCommand::OpenModel => self.questions.push(file_dialogs::model()),
            UiCommand::OpenSample => self.open_sample(),
            UiCommand::ImportDeepFashion => self.overlays.deepfashion.open(),
            UiCommand::ImportKeras => self.questions.push(file_dialogs::keras()),
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
            UiCommand::ShowConfusion => self.inspect(Tab::Confusion),
            UiCommand::ShowErrors => self.inspect(Tab::Images),
            UiCommand::ShowLabelErrors => self.inspect(Tab::Issues),
            UiCommand::ShowDuplicates => self.inspect(Tab::Duplicates),
            UiCommand::ShowMap => self.inspect(Tab::Map),
            UiCommand::CompareRuns => self.inspect(Tab::Compare),
            UiCommand::CompareNetworks => {
                self.go_to(Place::Train);
                self.views.train.show_study();
            }
            UiCommand::Undo if self.form_undoes() => {
                if let Some(form) = &mut self.new_project {
                    form.undo();
                }
            }
            UiCommand::Undo => self.undo(true),
            UiCommand::Redo => self.undo(false),
            UiCommand::SaveLabels => self.save_labels(),
            UiCommand::ExportLabels => self.show_export(),
            UiCommand::UpdateModel => {
                self.messages.settle(Subject::Suggestions);
                self.go_to(Place::Label);
                let (views, context) = self.split();
                views.label.update_model(&context);
            }
            UiCommand::TrainFirst => self.train_first(),
            UiCommand::SaveAsRun => {
                self.go_to(Place::Label);
                self.views.label.save_as_run();
            }
            UiCommand::FocusFilter if self.place == Place::Label => self.views.label.focus_filter(),
            UiCommand::FocusFilter => {
                self.go_to(Place::Data);
                self.views.data.focus_filter();
            }
            UiCommand::ClearFilter if self.place == Place::Label => self.views.label.clear_filter(),
            UiCommand::ClearFilter => {
                self.go_to(Place::Data);
                self.views.data.clear_filter();
            }
            UiCommand::CheckImages => self.check_images_anyway(),
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
            UiCommand::ShowGlossary => self.overlays.glossary.toggle(),
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
            | UiCommand::ClearFilter
            | UiCommand::TryValidationImages
            | UiCommand::ShowConfusion
            | UiCommand::ShowErrors
            | UiCommand::ShowLabelErrors
            | UiCommand::ShowDuplicates
            | UiCommand::ShowMap
            | UiCommand::CompareRuns
            | UiCommand::ImportKeras => self.project.is_some(),
            // Of one task there is nothing to compare.
            UiCommand::CompareNetworks => {
                self.project.as_ref().is_some_and(|project| project.config.model.tasks.len() > 1)
            }
            UiCommand::Undo if self.form_undoes() => true,
            UiCommand::Undo => self.can_change_labels(|edits| edits.state().can_undo()),
            UiCommand::Redo => self.can_change_labels(|edits| edits.state().can_redo()),
            UiCommand::SaveLabels => {
                self.can_change_labels(|edits| edits.state().pending_count() > 0 && !edits.is_saving())
            }
            UiCommand::ExportLabels => self.edits.is_some(),
            UiCommand::SaveAsRun => self.project.is_some() && self.views.label.can_save_as_run(),
            UiCommand::CheckImages => self.project.is_some() && self.image_check.is_none(),
            UiCommand::StartTraining | UiCommand::TrainFirst => {
                self.project.is_some() && self.training_state() == TrainingState::Idle
            }
            UiCommand::PauseTraining if self.views.train.running_study().is_some() => false,
            UiCommand::PauseTraining | UiCommand::StopTraining => {
                let state = self.training_state();
                let can_pause = command == UiCommand::StopTraining || state != TrainingState::Pausing;
                matches!(state, TrainingState::Running | TrainingState::Pausing | TrainingState::Paused)
                    && can_pause
            }
            UiCommand::OpenProject
            | UiCommand::NewProject
            | UiCommand::OpenSample
            | UiCommand::ImportDeepFashion
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
            | UiCommand::ShowGlossary
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

    /// Whether the form of a new project is shown and has something to bring back.
    fn form_undoes(&self) -> bool {
        self.place == Place::Data && self.new_project.as_ref().is_some_and(|form| form.can_undo())
    }

    fn on_run_saved(&mut self, run: PathBuf) {
        self.runs.read_again();
        self.views.inspect.on_run_ended(Some(&run));
        self.views.label.on_run_saved(run);
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

    /// Has the settings written in the background, with how the open project is looked at.
    pub(in crate::app) fn save_settings(&mut self) {
        self.settings.place = self.place;
        self.remember_view();
        self.settings_writer.keep(&self.settings);
    }

    /// Whoever goes to another place may not come back to this one before the window closes, or the power fails.
    fn follow_settings(&mut self) {
        if self.settings.place != self.place {
            self.save_settings();
        }
        if let Some(message) = self.settings_writer.failure() {
            self.toast(Level::Warning, message);
        }
    }
}
