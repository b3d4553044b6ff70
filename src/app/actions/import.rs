//! What others have made: DeepFashion, and models of Keras. Their dialogs hold the jobs.

use std::path::PathBuf;

use tasklens_data::config::OutputPath;

use crate::app::App;
use crate::app::command::{AppCommand, AskedOutside, ImportCommand, Level, Notice, UiCommand};
use crate::app::dialogs::file_dialogs;

impl App {
    pub(super) fn import(&mut self, command: ImportCommand) {
        match command {
            ImportCommand::Ask(field) => {
                self.questions.push(file_dialogs::import(field));
            }
            ImportCommand::Choose(field, path) => self.overlays.deepfashion.choose(field, &path),
            ImportCommand::Keras(file) => self.look_before_keras(file),
            ImportCommand::BeginKeras(file) => {
                if let Some(project) = &self.project {
                    self.overlays.keras.start(file, project.config.clone(), &self.jobs);
                }
            }
        }
    }

    /// Takes in what the imports made.
    pub(super) fn take_in_imports(&mut self) {
        self.overlays.deepfashion.poll(&self.commands);
        self.overlays.keras.poll(&self.commands);
    }

    /// Looks in the background at where the run would go.
    fn look_before_keras(&mut self, file: PathBuf) {
        let Some(project) = &self.project else {
            let notice = Notice::new(Level::Info, "Open the project first whose tasks the model answers");
            let open = AppCommand::Ui(UiCommand::OpenProject);
            self.tell(notice.offering(UiCommand::OpenProject.text(), open));
            return;
        };
        if self.overlays.looking.is_some() || self.overlays.outside.is_some() {
            return;
        }
        let config = project.config.clone();
        self.overlays.looking = Some(self.jobs.start_quietly("Looking where the run goes", move |_| {
            let outside = config.outside(&[OutputPath::Runs]);
            Ok(if outside.is_empty() {
                AppCommand::Import(ImportCommand::BeginKeras(file))
            } else {
                let folder = config.folder().to_path_buf();
                AppCommand::AskOutside(Box::new(AskedOutside::to_import(folder, file, outside)))
            })
        }));
    }
}
