//! Opening what a path is, and the project that is open: telling the views of it, keeping it, leaving it.

use std::path::PathBuf;
use std::sync::Arc;

use tasklens_data::config::Config;
use tasklens_data::dataset::{self, Dataset, ImageRow};
use tasklens_data::files::Output;
use tasklens_data::text::{counted_grouped, grouped};

use crate::app::App;
use crate::app::command::{AppCommand, AskedOutside, Level, Notice, Subject};
use crate::app::dialogs::new_project::{NewProjectAnswer, NewProjectForm};
use crate::app::dialogs::proposal::ProposalForm;
use crate::app::place::Place;
use crate::app::places::train::Restored;
use crate::app::services::current_model::RememberedModel;
use crate::app::services::jobs::Progress;
use crate::app::services::open::{self, Opened, OpenedProject, Opening};
use crate::app::services::project::{Project, Summary};
use crate::app::services::remembered_view::RememberedView;
use crate::app::services::settings::RememberedTraining;
use crate::app::services::settling::Settling;

/// Images and seed of the sample that the window writes.
const SAMPLE_IMAGES: usize = 1200;
const SAMPLE_SEED: u64 = 7;

impl App {
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

    /// Opens what was just made, to be labelled.
    pub(super) fn open_to_label(&mut self, config: PathBuf) {
        self.open_paths(vec![config]);
        self.place_when_open = Some(Place::Label);
    }

    /// Takes in that a new project was written.
    pub(super) fn take_in_new_project(&mut self) {
        if self.new_project.as_mut().is_some_and(|form| form.poll(&self.commands) == NewProjectAnswer::Leave)
        {
            self.new_project = None;
        }
    }

    pub(super) fn on_opened(&mut self, Opened { opening, has_same_rows }: Opened) {
        self.messages.settle(Subject::Opening);
        match opening {
            Opening::Project(opened) => {
                let OpenedProject { config, dataset, summary } = *opened;
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
            Opening::Keras(file) => self.overlays.keras.ask(file),
            Opening::DeepFashion(folder) => self.overlays.deepfashion.open_with(&folder),
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
        self.remember_view();
        self.settle_project(same_file);
        self.note(format!(
            "{} has {}: {} train and {} validate",
            config.file.display(),
            counted_grouped(dataset.rows.len(), "row"),
            grouped(dataset.split.train.len() as u64),
            grouped(dataset.split.validation.len() as u64)
        ));
        self.settings.remember(&config.file);
        if !same_file {
            self.runs.remember(self.settings.models.get(&config.file).cloned().unwrap_or_default());
        }
        if let Some(place) = self.place_when_open.take() {
            self.go_to(place);
        } else if !same_file {
            let view = self.settings.views.get(&config.file);
            self.go_to(view.and_then(|view| view.place).unwrap_or_default());
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
        (self.settling, self.image_check) = (Settling::default(), None);
        self.device.look(choice, &self.jobs);
        self.open_edits();
        self.tell_of_project(same_file, has_same_rows);
        if !same_file {
            self.restore_view();
        }
        self.save_settings();
    }

    /// What was said about the project that was open is settled.
    fn settle_project(&mut self, same_file: bool) {
        self.messages.settle(Subject::Rows);
        self.messages.settle(Subject::Labels);
        if !same_file {
            self.messages.settle(Subject::CurrentModel);
            self.messages.settle(Subject::Suggestions);
        }
    }

    /// Notes how the open project is looked at.
    pub(super) fn remember_view(&mut self) {
        let Some(project) = &self.project else { return };
        let view = self.settings.views.entry(project.config.file.clone()).or_default();
        *view = RememberedView {
            place: Some(self.place),
            rows: self.views.data.remembered(&project.dataset),
            inspect_tab: Some(self.views.inspect.tab_name().to_owned()),
            label_side: Some(self.views.label.image_side()),
            inspect_side: Some(self.views.inspect.image_side()),
            skips_image_check: view.skips_image_check,
        };
    }

    /// Has the open project looked at as it was the last time.
    fn restore_view(&mut self) {
        let Some(project) = &self.project else { return };
        let Some(view) = self.settings.views.get(&project.config.file) else { return };
        self.views.data.restore(&view.rows, &project.dataset);
        self.views.inspect.restore(view.inspect_tab.as_deref(), view.inspect_side);
        if let Some(side) = view.label_side {
            self.views.label.set_image_side(side);
        }
    }

    /// The project was opened, or its rows were read anew.
    pub(in crate::app) fn tell_of_project(&mut self, same_file: bool, has_same_rows: bool) {
        self.views.on_project(same_file, has_same_rows);
        self.tell_train_of_project();
    }

    fn tell_train_of_project(&mut self) {
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
            let message = "The unsaved training settings of the last session no longer fit the config and are \
                           not used";
            self.toast(Level::Info, message);
        }
    }

    pub(super) fn remember_training(&mut self, file: PathBuf, chosen: Option<RememberedTraining>) {
        match chosen {
            Some(chosen) => self.settings.training.insert(file, chosen),
            None => self.settings.training.remove(&file),
        };
        self.save_settings();
    }

    pub(super) fn close_project(&mut self) {
        if self.must_stay_open() {
            return;
        }
        self.remember_view();
        self.settle_project(false);
        if let Some(project) = self.project.take() {
            self.note(format!("{} is closed", project.config.file.display()));
        }
        self.proposal = None;
        self.new_project = None;
        (self.settling, self.image_check) = (Settling::default(), None);
        self.close_edits();
        self.runs.remember(RememberedModel::default());
        self.settings.open = None;
        self.go_to(Place::Data);
        self.views.on_project(false, false);
        self.tell_train_of_project();
        self.save_settings();
    }

    /// Selects the row of an image in Data, wherever it is by now.
    pub(super) fn select_row(&mut self, row: ImageRow) {
        let Some(project) = &self.project else { return };
        match row.find(&project.dataset) {
            Some(found) => self.views.data.select(ImageRow { row: found, ..row }),
            None => {
                let csv = project.dataset.table.path.display();
                let message = format!("{} is no longer in {csv}", row.image);
                self.toast(Level::Warning, message);
            }
        }
    }

    pub(super) fn open_sample(&mut self) {
        let folder = self.folders.data.join("sample");
        // Also where it was drawn before: somebody may have deleted it, or a part of it.
        self.command_jobs.push(self.jobs.start("Preparing the sample", move |progress| {
            let mut said = |done: usize, of: usize| {
                progress.set(done as u64, of as u64);
                progress.keep_going()
            };
            let config = dataset::sample::restore(&folder, SAMPLE_IMAGES, SAMPLE_SEED, &mut said)?;
            Ok(Some(AppCommand::OpenPath(config)))
        }));
    }

    pub(super) fn save_page(&mut self, file: PathBuf, page: String) {
        self.command_jobs.push(self.jobs.start_whole("Saving the page", move |_| {
            Output::of(&file)
                .and_then(|output| output.write(page.as_bytes()))
                .map_err(|error| anyhow::anyhow!("{} cannot be written: {error}", file.display()))?;
            let message = format!("The page is in {}", file.display());
            Ok(Some(AppCommand::notify(Notice::written(message, file))))
        }));
    }

    pub(super) fn save_config(&mut self, file: PathBuf, text: String) {
        self.command_jobs.push(self.jobs.start_whole("Saving", move |_| {
            Output::of(&file)
                .and_then(|output| output.write(text.as_bytes()))
                .map_err(|error| anyhow::anyhow!("{} cannot be written: {error}", file.display()))?;
            Ok(Some(AppCommand::OpenPath(file)))
        }));
    }
}
