//! The studies of the project on disk: those that are over can be looked at, the others can go on.

use std::path::PathBuf;

use egui::{Grid, Label, RichText, Ui, WidgetInfo, vec2};
use tasklens_data::text::counted;
use tasklens_net::study::report::StudyReport;
use tasklens_net::study::{StoredStudy, StudyPlan};

use super::live::Network;
use super::networks;
use crate::app::context::ViewContext;
use crate::app::services::derived::Derived;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};

/// What the user wants with a study.
pub enum StudyAction {
    /// See what came of the one of this name.
    Show(String),
    /// Train what is missing.
    GoOn(Box<StudyPlan>),
}

struct KnownStudy {
    stored: StoredStudy,
    networks: Vec<Network>,
}

#[derive(Default)]
struct Found {
    studies: Vec<KnownStudy>,
    /// Files that cannot be read, and why.
    faults: Vec<String>,
}

/// See the module's documentation.
#[derive(Default)]
pub struct EarlierStudies {
    /// By the folder of runs, and the version of what is known of it.
    found: Derived<(PathBuf, u64), Found>,
}

impl EarlierStudies {
    /// Reads them again where the runs are others by now; once a frame.
    pub fn follow(&mut self, context: &ViewContext<'_>) {
        let Some(project) = context.project else { return };
        let runs = project.config.paths.runs.clone();
        let key = (runs.clone(), context.runs.version());
        self.found.want(&key, || {
            context.jobs.start_quietly("Reading earlier studies", move |_| {
                let (stored, faults) = StoredStudy::list(&runs);
                let known = |stored: StoredStudy| KnownStudy { networks: Network::all(&stored.plan), stored };
                Ok(Found { studies: stored.into_iter().map(known).collect(), faults })
            })
        });
    }

    fn all(&self) -> &[KnownStudy] {
        self.found.get().map_or(&[], |found| &found.studies)
    }

    /// Names and results of those that are over, the latest first.
    pub fn reports(&self) -> impl Iterator<Item = (&str, &StudyReport)> {
        self.all().iter().filter_map(|known| Some((known.stored.plan.name(), known.stored.report.as_ref()?)))
    }

    /// The networks of one.
    pub fn networks(&self, name: &str) -> Option<&[Network]> {
        let known = self.all().iter().find(|known| known.stored.plan.name() == name)?;
        Some(&known.networks)
    }

    /// Lists them without the one that is `running`; `shown` is the one whose result is shown.
    pub fn ui(
        &self,
        ui: &mut Ui,
        context: &ViewContext<'_>,
        running: Option<&str>,
        shown: Option<&str>,
        can_start: bool,
    ) -> Option<StudyAction> {
        let faults = self.found.get().map_or(&[][..], |found| &found.faults);
        let all: Vec<&KnownStudy> =
            self.all().iter().filter(|known| Some(known.stored.plan.name()) != running).collect();
        if all.is_empty() && faults.is_empty() {
            return None;
        }
        let tokens = context.tokens;
        let mut action = None;
        tokens.card_frame().show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.label(theme::strong("Studies of this project"));
            for fault in faults {
                let text = format!("{}  {fault}", icons::WARNING);
                ui.add(Label::new(RichText::new(text).color(tokens.warning)).wrap().selectable(true));
            }
            egui::ScrollArea::horizontal().id_salt("studies").show(ui, |ui| {
                Grid::new("studies").num_columns(4).spacing(vec2(5.0 * GRID, 0.5 * GRID)).show(ui, |ui| {
                    for known in all {
                        action = row_ui(ui, context, known, shown, can_start).or(action.take());
                        ui.end_row();
                    }
                });
            });
        });
        action
    }
}

fn row_ui(
    ui: &mut Ui,
    context: &ViewContext<'_>,
    known: &KnownStudy,
    shown: Option<&str>,
    can_start: bool,
) -> Option<StudyAction> {
    let tokens = context.tokens;
    let plan = &known.stored.plan;
    let name = plan.name();
    let is_shown = shown == Some(name);
    ui.label(if is_shown { theme::strong(name) } else { RichText::new(name) });
    let (networks, epochs) = (counted(known.networks.len(), "network"), counted(plan.epochs(), "epoch"));
    ui.label(theme::caption(
        tokens,
        format!("{networks}, {epochs}, {}", counted(plan.seeds().len(), "seed")),
    ));
    if known.stored.is_over() {
        ui.label(theme::caption(tokens, "done"));
        let button = ui.add_enabled(!is_shown, egui::Button::new("Show"));
        button.widget_info(|| {
            WidgetInfo::labeled(egui::Role::Button, !is_shown, format!("Show the study {name}"))
        });
        return button.clicked().then(|| StudyAction::Show(name.to_owned()));
    }
    let trained = networks::trained(&known.networks, context.runs);
    let text = format!("unfinished: {trained} of {} trained", known.networks.len());
    ui.label(theme::caption(tokens, text).color(tokens.warning));
    let button = ui.add_enabled(can_start, egui::Button::new(format!("{}  Go on", icons::PLAY)));
    button.widget_info(|| {
        WidgetInfo::labeled(egui::Role::Button, can_start, format!("Go on with the study {name}"))
    });
    let hint = "Trains the networks that are missing, with the settings that the study began with";
    button.on_hover_text(hint).clicked().then(|| StudyAction::GoOn(Box::new(plan.clone())))
}
