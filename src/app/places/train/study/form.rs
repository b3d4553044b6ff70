//! What a study would train, how long that takes, and Start.

use egui::{Label, RichText, Ui};
use tasklens_data::config::{Config, ModelConfig};
use tasklens_data::text::counted;
use tasklens_net::study::{self, StudyPlan, StudyRequest};
use tasklens_net::training::Unsaved;

use super::live;
use crate::app::command::AppCommand;
use crate::app::context::{TrainingState, ViewContext};
use crate::app::places::train::draft::Draft;
use crate::app::places::train::estimates::Estimates;
use crate::app::places::train::rows;
use crate::app::places::train::ways::rounded;
use crate::app::services::derived::Derived;
use crate::app::services::jobs::Job;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::accent_button;

/// More seeds than anybody waits for.
const MOST_SEEDS: usize = 20;
const MOST_EPOCHS: usize = 10_000;
const FORM_WIDTH: f32 = 56.0 * GRID;
/// What only the check of a plan is called.
const NO_NAME: &str = "study";

/// What a time is of.
#[derive(Clone, PartialEq)]
struct TimeBasis {
    generation: u64,
    model: ModelConfig,
    seeds: usize,
}

/// See the module's documentation.
pub struct StudyForm {
    /// Where they differ from the settings.
    epochs: Option<usize>,
    seeds: usize,
    seconds: Derived<TimeBasis, f64>,
}

impl Default for StudyForm {
    fn default() -> Self {
        Self { epochs: None, seeds: 1, seconds: Derived::default() }
    }
}

impl StudyForm {
    /// Shows it; returns the job that starts the study, where that was wanted.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        context: &ViewContext<'_>,
        draft: &Draft,
        estimates: &Estimates,
    ) -> Option<Job<()>> {
        let tokens = context.tokens;
        ui.set_width(ui.available_width());
        ui.label(theme::heading("One network or several?"));
        let about = "Trains one network for all tasks, and one for each task alone, with the settings of \u{201c}How to \
                     train\u{201d} and on the same images, and compares how right and how fast they are. All of them stay \
                     as ordinary runs.";
        ui.add(Label::new(RichText::new(about).color(tokens.text_weak)).wrap());
        ui.add_space(2.0 * GRID);
        ui.scope(|ui| {
            ui.set_max_width(FORM_WIDTH.min(ui.available_width()));
            let mut epochs = self.epochs.unwrap_or(draft.config.model.epochs);
            let hint = "Each network is trained for this many epochs, unless it stops early";
            rows::number(ui, "Epochs of each network", hint, &mut epochs, 1..=MOST_EPOCHS, 0.2);
            self.epochs = (epochs != draft.config.model.epochs).then_some(epochs);
            let hint = "Everything is trained again with each seed, which gives the accuracies an interval";
            rows::number(ui, "Seeds", hint, &mut self.seeds, 1..=MOST_SEEDS, 0.05);
        });
        if self.seeds < 3 {
            let text = match self.seeds {
                1 => {
                    "One seed is quick, but tells nothing of the spread. Three give intervals that are of use."
                }
                _ => "The intervals of two seeds are very wide. Three give intervals that are of use.",
            };
            ui.add(Label::new(theme::caption(tokens, text)).wrap());
        }
        ui.add_space(2.0 * GRID);
        let plan = StudyPlan::new(draft.config.clone(), self.epochs, self.seeds, NO_NAME);
        match &plan {
            Ok(plan) => self.plan_ui(ui, context, plan, &draft.config, estimates),
            Err(error) => {
                let text = format!("{}  {error}", icons::WARNING);
                ui.add(Label::new(RichText::new(text).color(tokens.warning)).wrap());
            }
        }
        ui.add_space(2.0 * GRID);
        let can_start = plan.is_ok() && context.training == TrainingState::Idle;
        let is_pressed = accent_button(ui, icons::PLAY, "Start the study", can_start).clicked();
        is_pressed.then(|| self.start(context, draft.config.clone()))
    }

    /// The networks, and how long they take.
    fn plan_ui(
        &mut self,
        ui: &mut Ui,
        context: &ViewContext<'_>,
        plan: &StudyPlan,
        config: &Config,
        estimates: &Estimates,
    ) {
        let titles: Vec<String> = plan.scopes().map(|scope| live::title(plan, scope)).collect();
        let networks = titles.len() * plan.seeds().len();
        let seeds = match plan.seeds() {
            [seed] => format!("with seed {seed}"),
            [first, .., last] => format!("each with the seeds {first} to {last}"),
            [] => String::new(),
        };
        let text = format!("{}: {}, {seeds}.", counted(networks, "network"), titles.join(", "));
        ui.add(Label::new(text).wrap());
        self.look_at_time(ui, context, config, estimates);
        let time = match (self.seconds.get(), self.seconds.failure()) {
            _ if self.is_stale(context, config) => match context.training {
                TrainingState::Idle => "Measuring how long that takes\u{2026}".to_owned(),
                _ => String::new(),
            },
            (_, Some(error)) => format!("There is no estimate of the time: {error}"),
            (Some(seconds), None) => format!(
                "Training takes up to {} on this computer. What is measured at the end comes on top.",
                rounded(*seconds)
            ),
            (None, None) => String::new(),
        };
        ui.add(Label::new(theme::caption(context.tokens, time)).wrap());
    }

    fn basis(&self, context: &ViewContext<'_>, config: &Config) -> Option<TimeBasis> {
        let generation = context.project?.generation;
        let mut model = config.model.clone();
        model.epochs = self.epochs.unwrap_or(model.epochs);
        Some(TimeBasis { generation, model, seeds: self.seeds })
    }

    fn is_stale(&self, context: &ViewContext<'_>, config: &Config) -> bool {
        self.seconds.is_busy() || self.seconds.latest() != self.basis(context, config).as_ref()
    }

    /// Has the time computed, while nothing trains and no other way to train is being measured.
    fn look_at_time(&mut self, ui: &Ui, context: &ViewContext<'_>, config: &Config, estimates: &Estimates) {
        let (Some(project), Some(basis)) = (context.project, self.basis(context, config)) else { return };
        let is_in_hand = ui.input(|input| input.pointer.any_down());
        if is_in_hand || context.training != TrainingState::Idle || estimates.is_measuring() {
            self.seconds.take_in();
            return;
        }
        let speed = estimates.speed(&basis.model);
        let estimate = estimates.machine().estimate;
        let (dataset, config) = (std::sync::Arc::clone(&project.dataset), config.clone());
        let (epochs, seeds) = (basis.model.epochs, basis.seeds);
        self.seconds.want(&basis, || {
            context.jobs.start_quietly("Measuring", move |progress| {
                let plan = StudyPlan::new(config, Some(epochs), seeds, NO_NAME)?;
                study::seconds(&plan, speed, &|config, speed| {
                    estimate(config, &dataset, speed, &|| progress.keep_going())
                })
            })
        });
    }

    /// Finds a name for the study and asks the app to begin.
    fn start(&self, context: &ViewContext<'_>, config: Config) -> Job<()> {
        let (epochs, seeds, commands) = (self.epochs, self.seeds, context.commands.clone());
        context.jobs.start_quietly("Preparing the study", move |_| {
            let name = study::new_name(&config.paths.runs)?;
            let plan = StudyPlan::new(config, epochs, seeds, &name)?;
            let request = StudyRequest { plan, allow_outside: false, edits: Unsaved::default() };
            commands.send(AppCommand::StartStudy(Box::new(request)));
            Ok(())
        })
    }
}
