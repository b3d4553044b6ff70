//! Views never change the app; they send an [`AppCommand`], which the app applies between frames. What the user can
//! do without arguments is a [`UiCommand`].

mod file_question;
mod image_action;
mod import;
mod label_action;
mod notice;
mod outside;
mod synonyms;
mod ui_command;

use std::path::PathBuf;
use std::sync::Arc;

use egui::ColorImage;
use tasklens_data::dataset::edits::Step;
use tasklens_data::dataset::edits::merge::OnConflict;
use tasklens_data::dataset::export::Form;
use tasklens_data::dataset::vocabulary;
use tasklens_data::dataset::{Dataset, ImageRow};
use tasklens_net::study::StudyRequest;
use tasklens_net::training;
use tasklens_net::training::run_note::RunNote;

use crate::app::services::figure::{Exhibit, FigureAction, FigureForm};
use crate::app::services::project::ImageSource;
use crate::app::services::report::ReportRequest;
use crate::app::services::settings::{LabelKeys, RememberedTraining};

pub use file_question::{AskedFile, FileQuestion};
pub use image_action::ImageAction;
pub use import::{ImportCommand, ImportField};
pub use label_action::{LabelAction, LabelName};
pub use notice::{Notice, Remedy, Subject};
pub use outside::{AskedOutside, Then};
pub use ui_command::UiCommand;

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something was done.
    Success,
    /// Something worth knowing happened.
    Info,
    /// Something needs a look.
    Warning,
    /// Something did not work.
    Error,
}

/// What views and background work ask the app to do.
#[derive(Debug)]
pub enum AppCommand {
    /// An action without arguments, exactly as from a menu.
    Ui(UiCommand),
    /// Open what a path is: CSV or config, run folder, checkpoint, image, folder of images.
    OpenPath(PathBuf),
    /// Open a config that was just made, in [Label](crate::app::place::Place::Label).
    OpenToLabel(PathBuf),
    /// Open what was dropped or chosen together.
    OpenPaths(Vec<PathBuf>),
    /// Add images to Predict.
    OpenImages(Vec<ImageSource>),
    /// Fetch an image and predict it.
    FetchUrl(String),
    /// Start a run; where it would write outside of the project's folder, the user is asked first.
    StartTraining(Box<training::Request>),
    /// Start a run that may write where it does.
    BeginTraining(Box<training::Request>),
    /// Ask whether to write outside of the project's folder.
    AskOutside(Box<AskedOutside>),
    /// Start a study, or go on with it; where it would write outside of the project's folder, the user is asked first.
    StartStudy(Box<StudyRequest>),
    /// Start a study that may write where it does.
    BeginStudy(Box<StudyRequest>),
    /// Ask where to save a page, and save it.
    AskWhereToSavePage {
        /// The name that is offered.
        name: String,
        /// HTML.
        page: String,
    },
    /// Save a page to this file.
    SavePage {
        /// Where to write it.
        file: PathBuf,
        /// HTML.
        page: String,
    },
    /// Write the page about an inspected run to this file.
    SaveReport {
        /// Where to write it.
        file: PathBuf,
        /// What it is about.
        request: Box<ReportRequest>,
    },
    /// Copy a chart or its values, or ask where to save it.
    OfFigure {
        /// What to do.
        action: FigureAction,
        /// With what.
        exhibit: Box<Exhibit>,
    },
    /// Save a chart or its values.
    SaveFigure {
        /// Where to write it.
        file: PathBuf,
        /// As what.
        form: FigureForm,
        /// What.
        exhibit: Box<Exhibit>,
    },
    /// Put a picture into the clipboard.
    CopyImage(Box<ColorImage>),
    /// Predict with this checkpoint or run folder.
    UseModel(PathBuf),
    /// Inspect this run folder.
    InspectRun(PathBuf),
    /// Ask where to export a model to, and export it.
    AskWhereToExportModel {
        /// A run folder or a checkpoint.
        model: PathBuf,
        /// Its name, with which the name of the file begins.
        name: String,
    },
    /// Export this model to this file.
    ExportModel {
        /// A run folder or a checkpoint.
        model: PathBuf,
        /// Where to write it, ending in `.onnx`.
        file: PathBuf,
    },
    /// Make this run the current model until the user wants another; `None`: the best, as it changes.
    ChooseModel(Option<PathBuf>),
    /// Ask for the name and the note of the run in this folder.
    AskAboutRun(PathBuf),
    /// The run in this folder has this name and note from now on.
    DescribeRun(PathBuf, RunNote),
    /// Delete the run in this folder; it can be taken back.
    DeleteRun(PathBuf),
    /// Take a deleted run back.
    RestoreRun {
        /// Where it lies now.
        thrown: PathBuf,
        /// Where it was.
        run: PathBuf,
    },
    /// Ask another process to stop training the run in this folder.
    StopElsewhere(PathBuf),
    /// Read the runs of the project again: somebody wants to know which there are.
    ReadRuns,
    /// This run folder was written at once: there is one run more.
    RunSaved(PathBuf),
    /// Change labels, flags or decisions.
    Edit(Step),
    /// Label these images, and no others.
    LabelImages {
        /// Which, by [`Dataset::image_key`](tasklens_data::dataset::Dataset::image_key): rows may have moved when it is
        /// done.
        images: Vec<String>,
        /// In words which they are.
        title: String,
    },
    /// Remember the user's own keys for labels.
    RememberKeys(LabelKeys),
    /// Remember how to train a project, or that it is as its config says.
    RememberTraining {
        /// The config of the project.
        file: PathBuf,
        /// What was chosen beside it.
        chosen: Option<Box<RememberedTraining>>,
    },
    /// Ask where to export the labels in this form.
    AskWhereToExport(Form),
    /// Export the labels, with all edits, to this file or folder.
    ExportLabels(Form, PathBuf),
    /// Change tasks or labels, in the CSV, the config and all edits; the project is opened anew.
    ChangeVocabulary(vocabulary::VocabularyChange),
    /// Where the CSV and edits contradict each other: the edits win, or the file does.
    SettleConflicts(OnConflict),
    /// Write a config file and open it.
    SaveConfig {
        /// Where to write it.
        file: PathBuf,
        /// What to write, as YAML.
        text: String,
    },
    /// Tell the user, in a notice and in the log.
    Notify(Box<Notice>),
    /// Ask for a file or folder, by the system's dialog.
    AskFile(Box<FileQuestion>),
    /// The same in the window: the system showed no dialog.
    TypePath(Box<FileQuestion>),
    /// Import what others have made.
    Import(ImportCommand),
    /// Do this with rows of the project.
    OnImages {
        /// What.
        action: ImageAction,
        /// Whose rows.
        dataset: Arc<Dataset>,
        /// Which.
        rows: Vec<usize>,
    },
    /// Do this with a label of the project.
    OnLabel {
        /// What.
        action: LabelAction,
        /// Which.
        name: LabelName,
    },
    /// Show a file in the system's file manager.
    ShowInFolder(PathBuf),
    /// Put a text into the clipboard.
    CopyText(String),
    /// Go to the Data view and select the row of an image.
    SelectRow(ImageRow),
    /// Go to the Data view and show the rows that have problems, and the problems.
    ShowProblems,
}

/// Sends [`AppCommand`]s to the app from any thread and wakes the window. Cheap to clone.
#[derive(Clone)]
pub struct CommandSender {
    sender: crossbeam_channel::Sender<AppCommand>,
    ctx: egui::Context,
}

impl CommandSender {
    /// A sender and the receiving end for the app.
    pub fn new(ctx: &egui::Context) -> (Self, crossbeam_channel::Receiver<AppCommand>) {
        let (sender, receiver) = crossbeam_channel::unbounded();
        (Self { sender, ctx: ctx.clone() }, receiver)
    }

    /// Sends; the app applies it before the next frame.
    pub fn send(&self, command: AppCommand) {
        // The receiver lives as long as the window: after that nobody is there to be told.
        if self.sender.send(command).is_ok() {
            self.ctx.request_repaint();
        }
    }

    /// Sends an action without arguments.
    pub fn ui(&self, command: UiCommand) {
        self.send(AppCommand::Ui(command));
    }

    /// The window's context, which loads textures and is woken.
    pub fn ctx(&self) -> &egui::Context {
        &self.ctx
    }

    /// Tells the user something.
    pub fn toast(&self, level: Level, message: impl Into<String>) {
        self.notify(Notice::new(level, message));
    }

    /// Tells the user something that has a subject, or that something can be done about.
    pub fn notify(&self, notice: Notice) {
        self.send(AppCommand::notify(notice));
    }
}
