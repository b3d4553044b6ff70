//! Train: the settings of the next run, the run that goes on with its charts, and earlier runs.
//!
//! The view only reads events and sends commands; the run itself is the app's.

mod batch_losses;
mod charts;
pub mod curves;
mod draft;
mod earlier;
pub mod estimates;
pub mod live;
mod outcome;
mod rows;
mod run_bar;
mod settings;
mod settings_panel;
pub mod study;
mod ways;

use std::path::PathBuf;

use anyhow::Context as _;
use egui::{RichText, ScrollArea, TextEdit, Ui};
use tasklens_data::config::{self, DeviceChoice};
use tasklens_net::device::Device;
use tasklens_net::study::{StudyEvent, StudyPlan};
use tasklens_net::training::events::{Event, RunWarning};
use tasklens_net::training::{self, Unsaved};

use crate::app::command::{AppCommand, Level, Notice, UiCommand};
use crate::app::context::{TrainingState, ViewContext};
use crate::app::services::derived::Derived;
use crate::app::services::jobs::{Job, Outcome};
use crate::app::services::runs::{Run, Runs};
use crate::app::services::settings::RememberedTraining;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::glossary::{Word, term_ui};
use crate::app::widgets::{command_button, empty_place, field_info, run_list, tab_ui};
use draft::Draft;
pub use draft::Restored;
use earlier::Earlier;
use estimates::{Estimates, Machine};
use live::LiveRun;
use outcome::AfterRun;
use study::StudyView;

/// Below this width, settings, charts and runs stand one below the other.
const WIDE: f32 = 720.0;
/// Below this width, the buttons of a run stand below the tabs.
const NARROW: f32 = 600.0;
const SETTINGS_WIDTH: f32 = 272.0;
/// More runs than these can be searched.
const FEW: usize = 4;

/// What the place shows beside the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tab {
    /// The run that goes on or was last, and earlier ones.
    #[default]
    Training,
    /// One network for all tasks beside one for each.
    Study,
}

/// The Train place: settings, the run that goes on, and earlier runs.
#[derive(Default)]
pub struct TrainView {
    draft: Option<Draft>,
    estimates: Estimates,
    tab: Tab,
    study: StudyView,
    /// The settings as the app remembers them.
    remembered: Option<config::ModelConfig>,
    run: Option<LiveRun>,
    earlier: Earlier,
    /// The list of runs shows only those that have this in their name or note.
    search: String,
    legend: charts::Legend,
    hovered_epoch: Option<usize>,
    /// Where the settings say another than the project's config.
    device: Derived<DeviceChoice, Device>,
    /// Jobs whose results arrive as commands; kept, because dropping one cancels it.
    jobs: Vec<Job<()>>,
}

impl TrainView {
    /// With what this computer answers; tests have answers of their own.
    pub fn new(machine: Machine) -> Self {
        Self { estimates: Estimates::new(machine), ..Self::default() }
    }

    pub fn ui(&mut self, ui: &mut Ui, context: &mut ViewContext<'_>) {
        self.poll(context);
        if context.project.is_none() && !self.has_runs() {
            empty_place(
                ui,
                icons::CHART_LINE,
                "Nothing to train on yet",
                "Open a CSV of labelled images or its config.yml. The built-in sample trains in minutes.",
                |ui| {
                    command_button(ui, context.commands, UiCommand::OpenProject);
                    command_button(ui, context.commands, UiCommand::OpenSample);
                },
            );
            return;
        }
        self.bar_ui(ui, context);
        ui.add_space(2.0 * GRID);
        if ui.available_width() >= WIDE {
            self.wide_ui(ui, context);
        } else {
            ScrollArea::vertical().id_salt("train").show(ui, |ui| {
                egui::CollapsingHeader::new("How to train")
                    .default_open(self.run.is_none() && self.tab == Tab::Training)
                    .id_salt(("how to train", self.tab == Tab::Study))
                    .show(ui, |ui| self.settings_ui(ui, context));
                self.main_ui(ui, context);
            });
        }
    }

    /// Shows the study of one network or several.
    pub fn show_study(&mut self) {
        self.tab = Tab::Study;
    }

    /// What the place shows, the buttons for it, and how far a run is.
    fn bar_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let has_several = self.draft.as_ref().is_some_and(|draft| draft.config.model.tasks.len() > 1);
        if !has_several && self.study.running().is_none() {
            self.tab = Tab::Training;
        }
        let is_study = self.study.running().is_some();
        let is_narrow = ui.available_width() < NARROW;
        ui.horizontal_wrapped(|ui| {
            if has_several || is_study {
                for (tab, name) in [(Tab::Training, "Training"), (Tab::Study, "One network or several?")] {
                    if tab_ui(ui, context.tokens, name, self.tab == tab) {
                        self.tab = tab;
                    }
                }
                ui.add_space(GRID);
                if is_narrow && self.tab == Tab::Training {
                    ui.end_row();
                }
            }
            match self.tab {
                Tab::Training => run_bar::buttons_ui(ui, context, self.draft.is_some(), is_study),
                Tab::Study if is_study => study::stop_ui(ui, context),
                Tab::Study => {}
            }
            ui.add_space(GRID);
            run_bar::device_ui(ui, context, self.run.as_ref().filter(|_| self.tab == Tab::Training));
        });
        let is_busy = context.training != TrainingState::Idle;
        if let Some(run) = self.run.as_ref().filter(|run| is_busy && !is_study && !run.is_over())
            && self.tab == Tab::Training
        {
            run_bar::progress_ui(ui, context, run, "");
        }
    }

    fn wide_ui(&mut self, ui: &mut Ui, context: &mut ViewContext<'_>) {
        let panel = egui::Panel::left("train settings")
            .exact_size(SETTINGS_WIDTH)
            .resizable(false)
            .show_separator_line(false)
            .frame(context.tokens.card_frame());
        panel.show(ui, |ui| {
            ScrollArea::vertical().id_salt("settings").auto_shrink(false).show(ui, |ui| {
                ui.set_max_width(ui.available_width() - 2.0 * GRID);
                ui.label(theme::strong("How to train"));
                self.settings_ui(ui, context);
            });
        });
        let frame = egui::Frame::new().inner_margin(egui::Margin { left: 12, ..egui::Margin::ZERO });
        egui::CentralPanel::no_frame().frame(frame).show(ui, |ui| {
            ScrollArea::vertical()
                .id_salt("charts")
                .auto_shrink(false)
                .show(ui, |ui| self.main_ui(ui, context));
        });
    }

    /// Takes up settings that were chosen before, once the project is there.
    pub fn restore(&mut self, remembered: &RememberedTraining) -> Restored {
        let Some(draft) = &mut self.draft else { return Restored::Outdated };
        let restored = draft.restore(remembered);
        self.remembered = Some(draft.config.model.clone());
        restored
    }

    /// What is beside the settings.
    fn main_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        match self.tab {
            Tab::Training => self.training_ui(ui, context),
            Tab::Study => {
                let starting = self.study.ui(ui, context, self.draft.as_ref(), &self.estimates);
                self.jobs.extend(starting);
            }
        }
    }

    /// Legend, charts, outcome and earlier runs.
    fn training_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let after = self.run.as_ref().and_then(|run| outcome::outcome_ui(ui, context, run));
        let folder = self.run.as_ref().and_then(LiveRun::folder).cloned();
        match (after, &folder) {
            (Some(AfterRun::Resume), Some(folder)) => self.resume(context, folder.clone()),
            (Some(AfterRun::OpenFolder), Some(folder)) => {
                self.jobs.push(open_externally(context, folder.clone()));
            }
            _ => {}
        }
        let current = folder.as_ref();
        let has_curves = self.run.as_ref().is_some_and(LiveRun::has_charts)
            || self.earlier.overlays(current).next().is_some();
        let has_runs = self.earlier.others(context.runs, current).next().is_some();
        let mut wanted = None;
        let search = &mut self.search;
        let mut list_ui = |ui: &mut Ui| wanted = runs_ui(ui, context, &self.earlier, search, current);
        if has_curves {
            let charts = charts::Charts {
                run: self.run.as_ref(),
                overlays: self.earlier.overlays(current).collect(),
                tasks: context.project.map(|project| project.config.model.tasks.as_slice()),
                hovered_epoch: self.hovered_epoch,
                commands: context.commands,
            };
            let list: Option<&mut dyn FnMut(&mut Ui)> = if has_runs { Some(&mut list_ui) } else { None };
            self.hovered_epoch = charts.ui(ui, context.tokens, &mut self.legend, list);
        } else {
            if self.run.as_ref().is_none_or(|run| !run.is_over()) {
                first_run_ui(ui, context);
            }
            if has_runs {
                context.tokens.card_frame().show(ui, list_ui);
            }
        }
        match wanted {
            Some((folder, run_list::RunAction::Show(on))) => self.earlier.show(&folder, on),
            Some((folder, run_list::RunAction::Use)) => context.commands.send(AppCommand::UseModel(folder)),
            Some((folder, run_list::RunAction::Inspect)) => {
                context.commands.send(AppCommand::InspectRun(folder));
            }
            Some((folder, run_list::RunAction::Resume)) => self.resume(context, folder),
            Some((folder, run_list::RunAction::MakeCurrent)) => {
                context.commands.send(AppCommand::ChooseModel(Some(folder)));
            }
            Some((folder, run_list::RunAction::Export)) => {
                let name = context.runs.name_of(&folder);
                context.commands.send(AppCommand::AskWhereToExportModel { model: folder, name });
            }
            Some((folder, run_list::RunAction::Describe)) => {
                context.commands.send(AppCommand::AskAboutRun(folder));
            }
            Some((folder, run_list::RunAction::Delete)) => {
                context.commands.send(AppCommand::DeleteRun(folder));
            }
            None => {}
        }
    }

    fn resume(&mut self, context: &ViewContext<'_>, folder: PathBuf) {
        self.jobs.push(earlier::resume(context.jobs, context.commands, folder));
    }

    fn poll(&mut self, context: &ViewContext<'_>) {
        self.jobs.retain_mut(|job| match job.poll() {
            None => true,
            Some(Outcome::Failed(message)) => {
                context.commands.toast(Level::Error, message);
                false
            }
            Some(_) => false,
        });
        self.earlier.follow(context.runs);
    }

    /// Whether there is a run to show without a project.
    pub fn has_runs(&self) -> bool {
        self.run.is_some() || self.earlier.has_elsewhere()
    }

    /// Another project was opened (or read again), or closed.
    pub fn on_project(&mut self, context: &mut ViewContext<'_>) {
        let Some(project) = context.project else {
            self.estimates.for_another();
            let study = std::mem::take(&mut self.study).for_another();
            *self = Self { estimates: std::mem::take(&mut self.estimates), study, ..Self::default() };
            return;
        };
        let is_same = self.draft.as_ref().is_some_and(|draft| draft.saved.file == project.config.file);
        if !is_same {
            self.estimates.for_another();
            self.earlier = Earlier::default();
            self.study = std::mem::take(&mut self.study).for_another();
            if context.training == TrainingState::Idle {
                self.run = None;
            }
        }
        self.draft = Some(Draft::new(&project.config));
        self.remembered = self.draft.as_ref().map(|draft| draft.config.model.clone());
    }

    /// What goes on, and how far that is (0 to 1): one line for the status bar.
    pub fn doing(&self) -> Option<(String, f32)> {
        let study = self.study.running().map(study::live::LiveStudy::doing);
        study.or_else(|| self.run.as_ref().map(LiveRun::doing))
    }

    /// Whether what there is to say of the run stands here.
    pub fn shows_run(&self) -> bool {
        self.tab == Tab::Training && self.run.is_some()
    }

    /// Whether what there is to say of the study stands here.
    pub fn shows_study(&self) -> bool {
        self.tab == Tab::Study
    }

    /// The study that goes on.
    pub fn running_study(&self) -> Option<&study::live::LiveStudy> {
        self.study.running()
    }

    /// A study begins; its events follow.
    pub fn on_study_start(&mut self, plan: &StudyPlan) {
        self.tab = Tab::Study;
        self.study.on_start(plan);
    }

    /// The study in progress says something; returns a warning that is new.
    pub fn on_study_event(&mut self, event: &StudyEvent) -> Option<RunWarning> {
        if matches!(event, StudyEvent::Finished(_) | StudyEvent::Stopped | StudyEvent::Failed { .. }) {
            self.estimates.look_again();
        }
        self.study.on_event(event)
    }

    /// The run that is shown: the one that goes on, or was last.
    pub fn run(&self) -> Option<&LiveRun> {
        self.run.as_ref()
    }

    /// Has a run started with the settings shown.
    pub fn start(&self, context: &ViewContext<'_>) {
        match &self.draft {
            Some(draft) => {
                let config = draft.config.clone();
                let request = training::Request {
                    config,
                    run: None,
                    resume: false,
                    allow_outside: false,
                    edits: Unsaved::default(),
                };
                context.commands.send(AppCommand::StartTraining(Box::new(request)));
            }
            None => {
                let notice = Notice::new(Level::Info, "Open a project first: there is nothing to train on");
                let open = AppCommand::Ui(UiCommand::OpenProject);
                context.commands.notify(notice.offering(UiCommand::OpenProject.text(), open));
            }
        }
    }

    /// A run begins; its events follow.
    pub fn on_start(&mut self, request: &training::Request, runs: &Runs) {
        self.tab = Tab::Training;
        let tasks: Vec<String> = request.config.model.tasks.iter().map(|task| task.name.clone()).collect();
        let live = self.run.take().filter(|run| request.resume && run.folder() == request.run.as_ref());
        let resumed =
            request.run.as_ref().filter(|_| request.resume).and_then(|run| self.earlier.find(runs, run));
        let before = live.map(|live| live.record).or_else(|| resumed.cloned());
        self.run = Some(before.map_or_else(|| LiveRun::new(&tasks), LiveRun::going_on));
    }

    /// The run in progress says something.
    pub fn on_event(&mut self, event: &Event) {
        self.run.get_or_insert_default().apply(event);
        if matches!(event, Event::Stopped(_) | Event::Failed { .. }) {
            self.estimates.look_again();
        }
    }

    /// Lays the curves of a run over the charts.
    pub fn open_run(&mut self, run: Run) {
        self.earlier.add(run);
    }
}

/// The earlier runs; returns the folder of the one that was acted on, and how.
fn runs_ui(
    ui: &mut Ui,
    context: &ViewContext<'_>,
    earlier: &Earlier,
    search: &mut String,
    current: Option<&PathBuf>,
) -> Option<(PathBuf, run_list::RunAction)> {
    let count = earlier.others(context.runs, current).count();
    ui.set_width(ui.available_width());
    ui.horizontal(|ui| {
        term_ui(ui, theme::strong("Earlier runs"), Word::Run);
        if count > FEW || !search.is_empty() {
            let field = TextEdit::singleline(search).hint_text("Find by name or note");
            let field = ui.add(field.desired_width(50.0 * GRID));
            field.widget_info(|| field_info(search, "Find a run by name or note"));
        }
    });
    let wanted = search.trim().to_lowercase();
    let others = earlier.others(context.runs, current).filter(|run| run.is_found_by(&wanted));
    let others: Vec<_> = others.collect();
    let index_of = |task: &str| task_index(context, task);
    let row =
        |run: &&Run| earlier.row(run, context.runs.is_current(&run.record.folder), context.tokens, index_of);
    let rows: Vec<_> = others.iter().map(row).collect();
    if rows.is_empty() {
        ui.label(theme::caption(context.tokens, "No run has this in its name or note"));
    }
    let (index, action) = run_list::RunList::new(&rows).max_height(212.0).ui(ui)?;
    Some((others.get(index)?.record.folder.clone(), action))
}

/// The position of a task, which gives its colour; 0 for one that the project does not have.
fn task_index(context: &ViewContext<'_>, task: &str) -> usize {
    let tasks = context.project.map_or(&[][..], |project| &project.config.model.tasks);
    tasks.iter().position(|other| other.name == task).unwrap_or(0)
}

fn open_externally(context: &ViewContext<'_>, path: PathBuf) -> Job<()> {
    context.jobs.start_quietly("Opening", move |_| {
        opener::open(&path).with_context(|| format!("{} cannot be opened", path.display()))
    })
}

fn first_run_ui(ui: &mut Ui, context: &ViewContext<'_>) {
    ui.vertical_centered(|ui| {
        ui.add_space(24.0 * GRID);
        ui.label(RichText::new(icons::CHART_LINE).size(44.0).color(context.tokens.text_weak));
        let (heading, text) = match context.runs.all().is_empty() {
            true => (
                "No run yet",
                "Press Start to see the loss and the accuracy of every task here, epoch by epoch.",
            ),
            false => (
                "No run is shown",
                "Press Start to follow a new one epoch by epoch, or tick earlier ones to see their curves.",
            ),
        };
        ui.label(theme::heading(heading));
        ui.label(RichText::new(text).color(context.tokens.text_weak));
        ui.add_space(12.0 * GRID);
    });
}
