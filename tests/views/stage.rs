//! A stage for one place: a project on disk, a context, and an inbox instead of the app.

use std::path::Path;
use std::sync::Arc;

use egui::Theme;
use egui_kittest::{Harness, SnapshotOptions};
use tasklens::app::command::{AppCommand, CommandSender};
use tasklens::app::context::{TrainingState, ViewContext};
use tasklens::app::services::jobs::Jobs;
use tasklens::app::services::label_edits::LabelEdits;
use tasklens::app::services::predictors::Predictors;
use tasklens::app::services::project::{Project, Summary};
use tasklens::app::services::runs::Runs;
use tasklens::app::services::thumbnails::Thumbnails;
use tasklens::app::theme::{self, Tokens};
use tasklens_data::config::Config;
use tasklens_data::dataset::Dataset;
use tasklens_net::device::Device;

/// What stands around a view.
pub struct Stage<V> {
    pub view: V,
    pub commands: CommandSender,
    inbox: crossbeam_channel::Receiver<AppCommand>,
    jobs: Jobs,
    pub runs: Runs,
    predictors: Predictors,
    thumbnails: Thumbnails,
    pub project: Option<Project>,
    device: Device,
    pub training: TrainingState,
    pub edits: Option<LabelEdits>,
    ctx: egui::Context,
}

impl<V> Stage<V> {
    pub fn new(ctx: &egui::Context, view: V, project: Option<Project>) -> Self {
        let (commands, inbox) = CommandSender::new(ctx);
        let mut device = Device::cpu("No NVIDIA driver was found".to_owned());
        device.name = "CPU, 2 threads".to_owned();
        (device.threads, device.memory_bytes, device.bf16) = (2, 8 << 30, false);
        let (jobs, thumbnails) = (Jobs::new(ctx), Thumbnails::new(ctx));
        Self {
            view,
            commands,
            inbox,
            jobs,
            runs: Runs::default(),
            predictors: Predictors::default(),
            thumbnails,
            project,
            device,
            training: TrainingState::Idle,
            edits: None,
            ctx: ctx.clone(),
        }
    }

    /// The view and what it is given in a frame.
    pub fn split(&mut self) -> (&mut V, ViewContext<'_>) {
        let context = ViewContext {
            project: self.project.as_ref(),
            commands: &self.commands,
            tokens: Tokens::of(&self.ctx),
            jobs: &self.jobs,
            runs: &self.runs,
            predictors: &self.predictors,
            thumbnails: &mut self.thumbnails,
            device: Some(&self.device),
            training: self.training,
            edits: self.edits.as_ref(),
        };
        (&mut self.view, context)
    }

    /// Whether the status bar shows no job.
    pub fn is_idle(&self) -> bool {
        self.jobs.running().is_empty()
    }

    /// What was sent since the last call.
    pub fn sent(&self) -> Vec<AppCommand> {
        self.inbox.try_iter().collect()
    }

    /// What the app does before a frame.
    pub fn begin_frame(&mut self) {
        let folder = self.project.as_ref().map(|project| project.config.paths.runs.as_path());
        assert_eq!(self.runs.follow(folder, &self.jobs), None);
        if let Some(project) = &self.project {
            self.runs.decide(&project.dataset.tasks);
        }
        self.thumbnails.begin_frame();
    }
}

/// A project of three tasks in `folder`.
pub fn project(folder: &Path) -> Project {
    std::fs::write(
        folder.join("garments.csv"),
        "path,print,sleeves,neckline\na.jpg,striped,long_sleeve,v_neckline\nb.jpg,solid,short_sleeve,no_neckline\n\
         c.jpg,striped,long_sleeve,v_neckline\nd.jpg,solid,short_sleeve,no_neckline\n",
    )
    .unwrap();
    let file = folder.join("config.yml");
    std::fs::write(
        &file,
        "# my garments\npaths:\n  model_dataframe: garments.csv\nmodel:\n  input_shape: [224, 224]\n  target_encoder:\n    \
         print: [striped, solid]\n    sleeves: [long_sleeve, short_sleeve]\n    neckline: [v_neckline, no_neckline]\n  \
         batch_size: 16  # fits\n",
    )
    .unwrap();
    let config = Config::open(&file).unwrap();
    let dataset = Dataset::open(&config).unwrap();
    let summary = Arc::new(Summary::of(&dataset));
    Project { config, dataset: Arc::new(dataset), summary, generation: 1 }
}

/// A harness that shows `state` with `ui` on the canvas, as the window does.
pub fn harness<'a, S: 'a>(
    theme: Theme,
    size: [f32; 2],
    pixels_per_point: f32,
    state: impl FnOnce(&egui::Context) -> S + 'a,
    mut ui: impl FnMut(&mut egui::Ui, &mut S) + 'a,
) -> Harness<'a, Option<S>> {
    let mut state = Some(state);
    let mut harness = Harness::builder()
        .with_size(size)
        .with_pixels_per_point(pixels_per_point)
        .with_theme(theme)
        .with_context_setup(theme::install)
        .build_ui_state(
            move |root, slot: &mut Option<S>| {
                let tokens = Tokens::of(root.ctx());
                if let Some(state) = state.take() {
                    *slot = Some(state(root.ctx()));
                }
                egui::CentralPanel::no_frame().frame(tokens.canvas_frame()).show(root, |root| {
                    if let Some(state) = slot {
                        ui(root, state);
                    }
                });
            },
            None,
        );
    harness.run_steps(2);
    harness
}

/// Compares with the picture `name_theme.png`; software renderers differ in single pixels.
pub fn snapshot<S>(harness: &mut Harness<'_, S>, name: &str) {
    let theme = match harness.ctx.theme() {
        Theme::Dark => "dark",
        Theme::Light => "light",
    };
    harness.snapshot_options(
        format!("{name}_{theme}"),
        &SnapshotOptions::new().threshold(1.0).max_failed_pixels(40),
    );
}

pub const THEMES: [Theme; 2] = [Theme::Dark, Theme::Light];
