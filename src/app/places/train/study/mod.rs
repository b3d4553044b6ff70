//! One network or several? A study in the window: its form, its course, those of before, and what came of each.
//!
//! The study itself is the app's; this view reads its events and sends commands.

mod bars;
mod earlier;
mod form;
pub mod live;
mod networks;
mod result;

use egui::{Label, RichText, Ui};
use tasklens_data::config::Task;
use tasklens_data::text::counted;
use tasklens_net::study::report::StudyReport;
use tasklens_net::study::{StudyEvent, StudyPlan, StudyRequest};
use tasklens_net::training::Unsaved;
use tasklens_net::training::events::RunWarning;

use super::charts::{Charts, Legend};
use super::draft::Draft;
use super::estimates::Estimates;
use super::run_bar;
use crate::app::command::{AppCommand, UiCommand};
use crate::app::context::{TrainingState, ViewContext};
use crate::app::services::jobs::Job;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use earlier::{EarlierStudies, StudyAction};
use form::StudyForm;
use live::{Ended, LiveStudy};

/// See the module's documentation.
#[derive(Default)]
pub struct StudyView {
    form: StudyForm,
    live: Option<LiveStudy>,
    earlier: EarlierStudies,
    /// The name of the study whose result is shown; without one, the latest.
    chosen: Option<String>,
    legend: Legend,
    hovered_epoch: Option<usize>,
}

impl StudyView {
    /// The study that goes on.
    pub fn running(&self) -> Option<&LiveStudy> {
        self.live.as_ref().filter(|live| live.is_running())
    }

    /// A study begins; its events follow.
    pub fn on_start(&mut self, plan: &StudyPlan) {
        self.live = Some(LiveStudy::new(plan));
        self.chosen = Some(plan.name().to_owned());
    }

    /// The study in progress says something; returns a warning that is new.
    pub fn on_event(&mut self, event: &StudyEvent) -> Option<RunWarning> {
        self.live.as_mut()?.apply(event)
    }

    /// Another project: what goes on stays.
    pub fn for_another(self) -> Self {
        let live = self.live.filter(LiveStudy::is_running);
        Self { live, ..Self::default() }
    }

    /// Shows it below the bar; returns a job that starts a study.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        context: &ViewContext<'_>,
        draft: Option<&Draft>,
        estimates: &Estimates,
    ) -> Option<Job<()>> {
        self.earlier.follow(context);
        let mut starting = None;
        if self.running().is_some() {
            self.running_ui(ui, context);
        } else {
            self.ended_ui(ui, context);
            if let Some(draft) = draft {
                context.tokens.card_frame().show(ui, |ui| {
                    starting = self.form.ui(ui, context, draft, estimates);
                });
            }
        }
        let running = self.running().map(|live| live.name.clone());
        self.earlier_ui(ui, context, running.as_deref());
        if running.is_none() {
            self.result_ui(ui, context);
        }
        starting
    }

    fn running_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let Some(live) = &self.live else { return };
        let tokens = context.tokens;
        if live.current.is_some() {
            run_bar::progress_ui(ui, context, &live.run, " of this network");
        } else {
            let (_, share) = live.doing();
            run_bar::progress_bar(ui, tokens, Some(share), &live.headline());
        }
        ui.add_space(GRID);
        tokens.card_frame().show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.label(theme::strong(live.headline()));
            let done = networks::trained(&live.networks, context.runs);
            let text = format!("{done} of {} are trained", counted(live.networks.len(), "network"));
            ui.label(theme::caption(tokens, text));
            ui.add_space(GRID);
            networks::networks_ui(ui, context, &live.networks, Some(live));
        });
        if live.current.is_some() {
            let tasks: Option<&[Task]> = context.project.map(|project| &project.config.model.tasks[..]);
            let charts = Charts {
                run: Some(&live.run),
                overlays: Vec::new(),
                tasks,
                hovered_epoch: self.hovered_epoch,
                commands: context.commands,
            };
            self.hovered_epoch = charts.ui(ui, tokens, &mut self.legend, None);
        }
    }

    /// How the last study of this window ended, where that was no result.
    fn ended_ui(&self, ui: &mut Ui, context: &ViewContext<'_>) {
        let tokens = context.tokens;
        let (text, color) = match self.live.as_ref().and_then(|live| live.ended.as_ref()) {
            Some(Ended::Failed(error)) => {
                (format!("{}  The study failed: {error}", icons::X_CIRCLE), tokens.error)
            }
            Some(Ended::Stopped) => {
                let text = "The study was stopped; what is trained is kept. Go on continues it.";
                (format!("{}  {text}", icons::INFO), tokens.text)
            }
            Some(Ended::Finished(_)) | None => return,
        };
        tokens.card_frame().show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.add(Label::new(RichText::new(text).color(color)).wrap().selectable(true));
        });
    }

    fn earlier_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>, running: Option<&str>) {
        let shown = self.shown().map(|(name, _)| name.to_owned());
        let can_start = context.training == TrainingState::Idle;
        match self.earlier.ui(ui, context, running, shown.as_deref(), can_start) {
            Some(StudyAction::Show(name)) => self.chosen = Some(name),
            Some(StudyAction::GoOn(plan)) => {
                let request = StudyRequest { plan: *plan, allow_outside: false, edits: Unsaved::default() };
                context.commands.send(AppCommand::StartStudy(Box::new(request)));
            }
            None => {}
        }
    }

    /// The result that is shown: the chosen one, or the latest.
    fn shown(&self) -> Option<(&str, &StudyReport)> {
        let live = self.live.as_ref().and_then(|live| Some((live.name.as_str(), live.report()?)));
        let all = || live.into_iter().chain(self.earlier.reports());
        let chosen = self.chosen.as_deref();
        all().find(|(name, _)| Some(*name) == chosen).or_else(|| all().next())
    }

    fn result_ui(&self, ui: &mut Ui, context: &ViewContext<'_>) {
        let Some((name, report)) = self.shown() else { return };
        ui.add_space(2.0 * GRID);
        if result::result_ui(ui, context, report, name) {
            let page = tasklens_net::study::page::page(report, name);
            context.commands.send(AppCommand::AskWhereToSavePage { name: format!("{name}.html"), page });
        }
        let live = self.live.as_ref().filter(|live| live.name == name).map(|live| live.networks.as_slice());
        let Some(networks) = live.or_else(|| self.earlier.networks(name)) else { return };
        context.tokens.card_frame().show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.label(theme::strong("Its networks"));
            networks::networks_ui(ui, context, networks, None);
        });
    }
}

/// Stop, beside the tabs.
pub fn stop_ui(ui: &mut Ui, context: &ViewContext<'_>) {
    let can_stop = context.training == TrainingState::Running;
    let text = if context.training == TrainingState::Stopping { "Stopping\u{2026}" } else { "Stop" };
    ui.add_enabled_ui(can_stop, |ui| {
        let button = ui.button(format!("{}  {text}", icons::STOP));
        button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, can_stop, "Stop the study"));
        let hint = "Stop after the batch in hand. What is trained is kept, and the study can go on later.";
        if button.on_hover_text(hint).clicked() {
            context.commands.ui(UiCommand::StopTraining);
        }
    });
}
