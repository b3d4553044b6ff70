//! Inspect: where and why the network is wrong.
//!
//! An [`inspected_run::InspectedRun`] reads a run's outputs (or computes them) in the background; the tabs show them.
//! Tabs do not know each other: what leads from one to another is an [`Action`].

mod compare;
mod confusion;
mod duplicates;
mod exhibits;
mod header;
mod images;
pub mod inspected_run;
mod issues;
mod label_menu;
mod map;
pub mod neighbours;
mod overview;
mod search;
mod wording;

use std::path::{Path, PathBuf};

use egui::Ui;
use strum::VariantArray;
use tasklens_data::dataset::split::Part;
use tasklens_net::evaluation::browse::Query;

use crate::app::command::{LabelName, UiCommand};
use crate::app::context::ViewContext;
use crate::app::theme::GRID;
use crate::app::theme::icons;
use crate::app::widgets::{command_button, empty_place, primary_button};
use images::ItemBasis;
use inspected_run::{InspectedRun, Loaded};

/// What of a run is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, VariantArray)]
pub enum Tab {
    /// Scores per task and label.
    #[default]
    Overview,
    /// What is taken for what.
    Confusion,
    /// Images by verdict, label and prediction.
    Images,
    /// Labels that are probably wrong.
    Issues,
    /// The same picture on both sides of the split.
    Duplicates,
    /// The images by what the network makes of them.
    Map,
    /// Another run on the same rows.
    Compare,
}

impl Tab {
    /// All, from left to right.
    const ALL: &'static [Self] = Self::VARIANTS;

    /// Its name; also the accessible name.
    fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Confusion => "Confusion",
            Self::Images => "Images",
            Self::Issues => "Label errors",
            Self::Duplicates => "Duplicates",
            Self::Map => "Map",
            Self::Compare => "Compare",
        }
    }
}

/// What all tabs are about: chosen once, above them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Focus {
    /// Index into [`tasklens_net::evaluation::inspection::Inspection::tasks`].
    pub task: usize,
    /// `None` is all parts together.
    pub part: Option<Part>,
}

impl Default for Focus {
    fn default() -> Self {
        // What the network never saw says how good it is.
        Self { task: 0, part: Some(Part::Validation) }
    }
}

/// What a tab asks for.
#[derive(Clone, Debug)]
pub enum Action {
    /// Show these images in the grid; `title` says in words which they are, where filters do not.
    Browse {
        /// Which, and in which order; its task and part become the focus.
        query: Query,
        /// Such as `18 images within the lasso`.
        title: Option<String>,
    },
    /// Show one item large.
    Open(usize),
}

/// The Inspect place: a run, and the tabs about it.
#[derive(Default)]
pub struct InspectView {
    wanted: Option<PathBuf>,
    /// The user wants to look at a run that is not the current model.
    looks_at_another: bool,
    inspected: Option<InspectedRun>,
    /// Its images are shown as soon as the run is read.
    wanted_label: Option<LabelName>,
    tab: Tab,
    focus: Focus,
    overview: overview::OverviewTab,
    confusion: confusion::ConfusionTab,
    images: images::ImagesTab,
    issues: issues::IssuesTab,
    duplicates: duplicates::DuplicatesTab,
    map: map::MapTab,
    compare: compare::CompareTab,
}

impl InspectView {
    /// Shows the run and the open tab, or what there is to wait for.
    pub fn ui(&mut self, ui: &mut Ui, context: &mut ViewContext<'_>) {
        self.choose_run(context);
        let Some(inspected) = &mut self.inspected else {
            no_run_ui(ui, context);
            return;
        };
        inspected.poll(context);
        let Some(loaded) = &inspected.loaded else {
            waiting_ui(ui, inspected);
            return;
        };
        let tasks = loaded.inspection.tasks.len();
        self.focus.task = self.focus.task.min(tasks.saturating_sub(1));
        let is_empty = loaded.inspection.is_empty();
        self.take_in_label(context);
        self.header_ui(ui, context);
        ui.add_space(2.0 * GRID);
        if is_empty {
            if let Some(inspected) = &self.inspected {
                waiting_ui(ui, inspected);
            }
            return;
        }
        if let Some(action) = self.tab_ui(ui, context) {
            self.act(action);
        }
    }

    fn tab_ui(&mut self, ui: &mut Ui, context: &mut ViewContext<'_>) -> Option<Action> {
        let inspected = self.inspected.as_ref()?;
        let loaded = inspected.loaded.as_ref()?;
        match self.tab {
            Tab::Overview => self.overview.ui(ui, loaded, &mut self.focus, context),
            Tab::Confusion => self.confusion.ui(ui, loaded, &self.focus, context),
            Tab::Images => self.images.ui(ui, inspected, loaded, &self.focus, context),
            Tab::Issues => self.issues.ui(ui, inspected, loaded, &self.focus, context),
            Tab::Duplicates => self.duplicates.ui(ui, inspected, loaded, &self.focus, context),
            Tab::Map => self.map.ui(ui, inspected, loaded, &self.focus, context),
            Tab::Compare => self.compare.ui(ui, inspected, loaded, &self.focus, context),
        }
    }

    fn act(&mut self, action: Action) {
        // The tabs number items by what is loaded in the same frame.
        let Some(loaded) = self.inspected.as_ref().and_then(|inspected| inspected.loaded.as_ref()) else {
            return;
        };
        self.tab = Tab::Images;
        match action {
            Action::Browse { query, title } => {
                self.focus = Focus { task: query.task, part: query.part };
                self.images.browse(query, title, ItemBasis::of(loaded));
            }
            Action::Open(item) => self.images.open(item, ItemBasis::of(loaded)),
        }
    }

    /// Shows this tab.
    pub fn open(&mut self, tab: Tab) {
        self.tab = tab;
    }

    /// Inspects this run from now on.
    pub fn set_run(&mut self, run: PathBuf) {
        self.wanted = Some(run);
        self.looks_at_another = true;
    }

    /// Another project was opened: what belonged to the old one goes.
    pub fn on_project(&mut self, same_file: bool) {
        if !same_file {
            *self = Self::default();
        }
    }

    /// The name of the open tab, to be remembered.
    pub fn tab_name(&self) -> &'static str {
        self.tab.name()
    }

    /// The longest side of the images in the grid, in points, to be remembered.
    pub fn image_side(&self) -> f32 {
        self.images.side()
    }

    /// Opens the tab, and shows images in the size, of the last time.
    pub fn restore(&mut self, tab: Option<&str>, side: Option<f32>) {
        if let Some(tab) = Tab::ALL.iter().find(|known| Some(known.name()) == tab) {
            self.tab = *tab;
        }
        if let Some(side) = side {
            self.images.set_side(side);
        }
    }

    /// A run has ended: where it is the one shown, it has other weights.
    pub fn on_run_ended(&mut self, run: Option<&Path>) {
        if let Some(run) = run
            && self.inspected.as_ref().is_some_and(|inspected| inspected.run == run)
        {
            self.wanted = Some(run.to_path_buf());
        }
    }

    /// The current model of the project, where the user wants to look at no other.
    fn choose_run(&mut self, context: &ViewContext<'_>) {
        if context.project.is_none() {
            return;
        }
        let shown = self.wanted.as_ref().or(self.inspected.as_ref().map(|inspected| &inspected.run));
        if shown.is_some_and(|run| context.runs.is_current(run)) {
            self.looks_at_another = false;
        } else if !self.looks_at_another
            && let Some(current) = context.runs.current()
        {
            self.wanted = Some(current.record.folder.clone());
        }
        if let Some(run) = self.wanted.take() {
            self.inspected = Some(InspectedRun::new(run, context));
            let side = self.images.side();
            self.images = images::ImagesTab::default();
            self.images.set_side(side);
            self.issues = issues::IssuesTab::default();
            self.duplicates = duplicates::DuplicatesTab::default();
            self.map = map::MapTab::default();
            self.compare = compare::CompareTab::default();
        }
    }
}

fn no_run_ui(ui: &mut Ui, context: &ViewContext<'_>) {
    if context.project.is_none() {
        return;
    }
    let text = "Train a network to see its scores, its mistakes and the labels that look wrong.";
    empty_place(ui, icons::MAGNIFYING_GLASS, "Nothing to inspect yet", text, |ui| {
        primary_button(ui, context.commands, UiCommand::StartTraining);
        command_button(ui, context.commands, UiCommand::ShowTrain);
    });
}

/// Before the first outputs are there.
fn waiting_ui(ui: &mut Ui, inspected: &InspectedRun) {
    if let Some(message) = &inspected.failure {
        empty_place(ui, icons::WARNING, "This run cannot be inspected", message, |_| {});
        return;
    }
    let (title, text) = match inspected.progress() {
        Some(progress) => (
            progress.title().to_owned(),
            "Each image goes through the network once; the outputs are kept beside the run. The status bar \
             shows the progress.",
        ),
        None if inspected.is_cancelled() => ("No predictions".to_owned(), "The prediction was cancelled."),
        None => ("Reading predictions".to_owned(), ""),
    };
    empty_place(ui, icons::MAGNIFYING_GLASS, &title, text, |_| {});
}

/// The scores of the task and part in focus, where there are any.
fn focused_scores<'a>(
    loaded: &'a Loaded,
    focus: &Focus,
) -> Option<&'a tasklens_net::evaluation::scores::TaskScores> {
    loaded.scores.get(focus.task)?.of(focus.part?)
}
