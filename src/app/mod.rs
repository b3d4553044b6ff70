//! The window: the only code that knows egui.
//!
//! [`App`] holds the state and applies [`command::AppCommand`]s between frames; the views read a
//! [`services::project::Project`] through a [`context::ViewContext`] and send commands, and never change the app.
//! Whatever takes longer than a frame is a job of [`services::jobs`].

mod actions;
pub mod command;
pub mod context;
mod dialogs;
pub mod place;
pub mod places;
mod ranking;
pub mod services;
mod shell;
pub mod theme;
pub mod widgets;

use std::path::PathBuf;

use crossbeam_channel::Receiver;
use tasklens_data::config::DeviceChoice;
use tasklens_net::device::Device;

use command::{AppCommand, CommandSender, FileQuestion};
use context::ViewContext;
use dialogs::new_project::NewProjectForm;
use dialogs::proposal::ProposalForm;
use place::Place;
use services::device::DeviceSearch;
use services::jobs::{Job, Jobs};
use services::label_edits::LabelEdits;
use services::open::Opened;
use services::predictors::Predictors;
use services::project::Project;
use services::runs::Runs;
use services::settings::{Folders, Settings};
use services::settings_writer::SettingsWriter;
use services::settling::Settling;
use services::thumbnails::Thumbnails;
use theme::Tokens;

/// What the window begins with.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// A CSV, config, run folder, checkpoint, image or folder of images; without one, the project that was
    /// open last.
    pub open: Option<PathBuf>,
}

/// What goes into the clipboard.
enum ToCopy {
    Text(String),
    Image(Box<egui::ColorImage>),
}

/// How long a closing window waits for its run to end after the batch in hand.
const CLOSING_PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// The state of the window.
pub struct App {
    ctx: egui::Context,
    commands: CommandSender,
    inbox: Receiver<AppCommand>,
    jobs: Jobs,
    folders: Folders,
    settings: Settings,
    settings_writer: SettingsWriter,
    place: Place,
    project: Option<Project>,
    generation: u64,
    opening: Option<Job<Opened>>,
    /// Where to go when the project that is being opened is there.
    place_when_open: Option<Place>,
    /// Jobs that end with a command: file dialogs, pastes, exports, the sample.
    command_jobs: Vec<Job<Option<AppCommand>>>,
    /// Files and folders to ask for, in the next frame.
    questions: Vec<FileQuestion>,
    keyboard: dialogs::file_dialogs::KeyboardWatch,
    /// For the clipboard, in the next frame.
    to_copy: Option<ToCopy>,
    settling: Settling,
    image_check: Option<Job<actions::image_check::CheckedImages>>,
    proposal: Option<ProposalForm>,
    new_project: Option<NewProjectForm>,
    pasted: usize,
    device: DeviceSearch,
    training: Option<actions::training::InProgress>,
    edits: Option<LabelEdits>,
    opening_edits: Option<Job<actions::annotations::OpenedEdits>>,
    /// The label edits of a project that was left, on their way to the disk.
    leaving: Option<Job<Vec<String>>>,
    /// A change of tasks and labels that is being made.
    changing: Option<actions::vocabulary::Changing>,
    runs: Runs,
    elsewhere: actions::models::Elsewhere,
    predictors: Predictors,
    thumbnails: Thumbnails,
    messages: shell::notices::Messages,
    pace: shell::pace::FramePace,
    overlays: shell::Overlays,
    views: Views,
    /// Goes last.
    _last: WaitForJobs,
}

/// When the window goes, its jobs are cancelled; the process may end once they have ended: the C library destroys what
/// they work with.
struct WaitForJobs(Jobs);

impl Drop for WaitForJobs {
    fn drop(&mut self) {
        if !self.0.wait_for_end(CLOSING_PATIENCE) {
            log::warn!("the window is closed, and its work goes on: {}", self.0.titles().join(", "));
        }
    }
}

impl App {
    /// The app in a window, with what is to be told at once.
    fn new(cc: &eframe::CreationContext<'_>, start: Start, notices: Vec<String>) -> Self {
        let folders = Folders::of_user();
        let (settings, told) = Settings::read(&folders.settings());
        let mut app = Self::build(&cc.egui_ctx, folders, settings, start);
        if let Some(gl) = &cc.gl {
            app.pace = shell::pace::FramePace::of(gl);
        }
        let commands = app.commands.clone();
        theme::use_system_fonts(&cc.egui_ctx, move |text| commands.toast(command::Level::Warning, text));
        for notice in told.into_iter().chain(notices) {
            app.toast(command::Level::Error, notice);
        }
        app
    }

    /// The app in a test: all it writes goes to `folders`, it remembers what is there, and it calls the processor the
    /// same on every machine.
    pub fn for_test(ctx: &egui::Context, folders: Folders, start: Start) -> Self {
        let settings = Settings::read(&folders.settings()).0;
        let mut app = Self::build(ctx, folders, settings, start);
        // What this user has in the cache is no part of a test.
        app.views.label.set_weights(|_| None);
        app.views.train = places::train::TrainView::new(places::train::estimates::Machine::for_test());
        let mut device = Device::cpu("no NVIDIA driver was found".to_owned());
        (device.name, device.threads, device.memory_bytes, device.bf16) = ("CPU".to_owned(), 1, 0, false);
        app.device = DeviceSearch::known(DeviceChoice::Auto, device);
        app
    }

    /// Whether nothing goes on behind the window that a later frame would show; for tests.
    pub fn is_at_rest(&self) -> bool {
        !self.jobs.is_any_running() && !self.thumbnails.is_any_on_its_way() && self.settings_writer.is_idle()
    }

    fn build(ctx: &egui::Context, folders: Folders, settings: Settings, start: Start) -> Self {
        theme::install(ctx);
        ctx.set_theme(settings.theme);
        // Zooming is one of our own commands, with its limits and its memory.
        ctx.options_mut(|options| options.zoom_with_keyboard = false);
        if let Some(zoom) = settings.zoom {
            ctx.set_zoom_factor(zoom);
        }
        let (commands, inbox) = CommandSender::new(ctx);
        let predictors = Predictors::default();
        if let Some(path) = start.open.or_else(|| settings.open.clone()) {
            commands.send(AppCommand::OpenPath(path));
        }
        let views = Views::new(&settings, &predictors);
        let jobs = Jobs::new(ctx);
        let _last = WaitForJobs(jobs.clone());
        let settings_writer = SettingsWriter::start(folders.settings(), settings.clone(), &jobs);
        Self {
            ctx: ctx.clone(),
            inbox,
            commands,
            jobs,
            settings_writer,
            folders,
            place: settings.place,
            settings,
            project: None,
            generation: 0,
            opening: None,
            place_when_open: None,
            command_jobs: Vec::new(),
            questions: Vec::new(),
            keyboard: dialogs::file_dialogs::KeyboardWatch::default(),
            to_copy: None,
            settling: Settling::default(),
            image_check: None,
            proposal: None,
            new_project: None,
            pasted: 0,
            device: DeviceSearch::default(),
            training: None,
            edits: None,
            opening_edits: None,
            leaving: None,
            changing: None,
            runs: Runs::default(),
            elsewhere: actions::models::Elsewhere::default(),
            predictors,
            thumbnails: Thumbnails::new(ctx),
            messages: shell::notices::Messages::default(),
            pace: shell::pace::FramePace::default(),
            overlays: shell::Overlays::default(),
            views,
            _last,
        }
    }

    /// A sender of commands, as views have it.
    pub fn commands(&self) -> &CommandSender {
        &self.commands
    }

    /// What starts background work.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    pub fn project(&self) -> Option<&Project> {
        self.project.as_ref()
    }

    /// The views together with what they are given: two disjoint halves of the app.
    fn split(&mut self) -> (&mut Views, ViewContext<'_>) {
        let training = self.training_state();
        let context = ViewContext {
            project: self.project.as_ref(),
            commands: &self.commands,
            tokens: Tokens::of(&self.ctx),
            jobs: &self.jobs,
            runs: &self.runs,
            predictors: &self.predictors,
            thumbnails: &mut self.thumbnails,
            device: self.device.found(),
            training,
            edits: self.edits.as_ref(),
        };
        (&mut self.views, context)
    }
}

/// The places, and the dialog that reads what they read.
struct Views {
    vocabulary: dialogs::vocabulary::VocabularyView,
    data: places::data::DataView,
    label: places::label::LabelView,
    train: places::train::TrainView,
    predict: places::predict::PredictView,
    inspect: places::inspect::InspectView,
}

impl Views {
    fn new(settings: &Settings, predictors: &Predictors) -> Self {
        let mut label = places::label::LabelView::default();
        label.set_assignments(settings.label_keys.clone());
        Self {
            vocabulary: dialogs::vocabulary::VocabularyView::default(),
            data: places::data::DataView::default(),
            label,
            train: places::train::TrainView::default(),
            predict: places::predict::PredictView::new(predictors),
            inspect: places::inspect::InspectView::default(),
        }
    }

    /// A project was opened, read again (with the rows that it had, or others), or closed.
    fn on_project(&mut self, same_file: bool, has_same_rows: bool) {
        self.vocabulary.on_project(same_file);
        self.data.on_project(same_file);
        self.label.on_project(same_file, has_same_rows);
        self.predict.on_project(same_file);
        self.inspect.on_project(same_file);
    }
}

impl eframe::App for App {
    fn logic(&mut self, _ctx: &egui::Context, frame: &mut eframe::Frame) {
        self.pace.hold(self.training.is_some());
        self.take_in();
        self.keyboard.look(&self.ctx);
        for question in std::mem::take(&mut self.questions) {
            let job = dialogs::file_dialogs::ask(question, &self.jobs, &self.keyboard, frame);
            self.command_jobs.push(job);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        self.thumbnails.begin_frame();
        match self.to_copy.take() {
            Some(ToCopy::Text(text)) => self.ctx.copy_text(text),
            Some(ToCopy::Image(image)) => self.ctx.copy_image(*image),
            None => {}
        }
        self.shell_ui(ui, frame.gl().is_some());
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.save_settings();
        // A run ends in good order: its best weights are in place when the program is gone.
        if let Some(run) = self.training.take() {
            run.finish(CLOSING_PATIENCE);
        }
        self.finish_all();
        self.settings_writer.finish();
    }
}

/// Opens the window, with what is to be told at once, and returns when it is closed.
///
/// # Errors
/// There is no display, or no graphics driver works; the message says what to do.
pub fn run_window(start: Start, notices: Vec<String>) -> anyhow::Result<()> {
    let icon = eframe::icon_data::from_png_bytes(include_bytes!("../../assets/icon.png"))?;
    let viewport = egui::ViewportBuilder::default()
        .with_icon(icon)
        .with_title("Tasklens")
        .with_app_id("tasklens")
        // With its frame and a bar of the desktop it fits on 1280x800 and 1366x768.
        .with_inner_size([1200.0, 700.0])
        .with_min_inner_size([640.0, 400.0]);
    let options = eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Glow,
        persist_window: true,
        // Ours looks for them only once a character is missing.
        system_font_fallback: false,
        // It is for gradients, of which there are none, and costs a software renderer time.
        dithering: false,
        persistence_path: Some(Folders::of_user().config.join("window.ron")),
        ..eframe::NativeOptions::default()
    };
    eframe::run_native("tasklens", options, Box::new(|cc| Ok(Box::new(App::new(cc, start, notices)))))
        .map_err(|error| {
            anyhow::anyhow!(
                "the window cannot be opened: {}. On a machine without a display use the command \
                 line (`tasklens --help`), or `xvfb-run tasklens`",
                without_source(&error.to_string())
            )
        })
}

/// An error of winit without the line of its source, which is a path of the computer that built this program.
fn without_source(text: &str) -> &str {
    let rest = text.split_once(".rs:").and_then(|(_, rest)| rest.split_once(": "));
    rest.map_or(text, |(_, what)| what).trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_winit_is_told_without_its_source() {
        let text = "winit EventLoopError: os error at /home/x/winit/linux/mod.rs:765: DISPLAY is not set.";
        assert_eq!(without_source(text), "DISPLAY is not set");
        assert_eq!(without_source("no OpenGL: nothing fits"), "no OpenGL: nothing fits");
    }
}
