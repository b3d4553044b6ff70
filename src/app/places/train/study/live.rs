//! The study that goes on, or went on in this window: a fold of what it says.

use std::path::PathBuf;

use tasklens_net::study::report::StudyReport;
use tasklens_net::study::{PlannedRun, Scope, StudyEvent, StudyPlan};
use tasklens_net::training::events::{Event, RunWarning};

use crate::app::places::train::live::LiveRun;

/// A network of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// What it answers, as [`title`] has it.
    pub title: String,
    /// Its seed.
    pub seed: u64,
    /// Its run folder.
    pub folder: PathBuf,
    /// The names of its tasks.
    pub tasks: Vec<String>,
}

impl Network {
    /// All networks of a study, in the order of training.
    pub fn all(plan: &StudyPlan) -> Vec<Self> {
        let of_run = |run: PlannedRun| Self {
            title: title(plan, run.scope),
            seed: run.seed,
            tasks: run.config.model.tasks.into_iter().map(|task| task.name).collect(),
            folder: run.folder,
        };
        plan.runs().into_iter().map(of_run).collect()
    }
}

/// What a network is called: `all tasks`, or `print alone`.
pub fn title(plan: &StudyPlan, scope: Scope) -> String {
    match scope {
        Scope::All => plan.title(scope),
        Scope::One(_) => format!("{} alone", plan.title(scope)),
    }
}

/// How a study ended.
#[derive(Clone, Debug)]
pub enum Ended {
    /// All is trained and measured.
    Finished(Box<StudyReport>),
    /// At the user's request.
    Stopped,
    /// With a message.
    Failed(String),
}

/// Something is measured of the networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measuring {
    /// What is measured, in words.
    pub what: &'static str,
    /// How much is done.
    pub done: usize,
    /// How much there is.
    pub of: usize,
}

/// See the module's documentation.
#[derive(Clone, Debug, Default)]
pub struct LiveStudy {
    /// Its name.
    pub name: String,
    /// Its networks, in the order of training.
    pub networks: Vec<Network>,
    /// The one that is trained.
    pub current: Option<usize>,
    /// The run of that network.
    pub run: LiveRun,
    /// What is measured, once all are trained.
    pub measuring: Option<Measuring>,
    /// How it ended, once it has.
    pub ended: Option<Ended>,
    /// What the user had to know; each network has the same of the CSV.
    warnings: Vec<String>,
}

impl LiveStudy {
    /// A study that has said nothing yet.
    pub fn new(plan: &StudyPlan) -> Self {
        Self { name: plan.name().to_owned(), networks: Network::all(plan), ..Self::default() }
    }

    /// Whether it goes on.
    pub fn is_running(&self) -> bool {
        self.ended.is_none()
    }

    /// Takes in what the study says; returns a warning that is new.
    pub fn apply(&mut self, event: &StudyEvent) -> Option<RunWarning> {
        match event {
            StudyEvent::Run { index, is_over } => {
                self.current = (!is_over).then_some(*index);
                let tasks = self.networks.get(*index).map_or(&[][..], |network| &network.tasks);
                self.run = LiveRun::new(tasks);
            }
            StudyEvent::Training(event) => {
                self.run.apply(event);
                return self.new_warning(event);
            }
            StudyEvent::Measuring { what, done, of } => {
                self.current = None;
                self.measuring = Some(Measuring { what, done: *done, of: *of });
            }
            StudyEvent::Finished(report) => self.end(Ended::Finished(report.clone())),
            StudyEvent::Stopped => self.end(Ended::Stopped),
            StudyEvent::Failed { error } => self.end(Ended::Failed(error.clone())),
        }
        None
    }

    fn end(&mut self, ended: Ended) {
        (self.current, self.measuring, self.ended) = (None, None, Some(ended));
    }

    fn new_warning(&mut self, event: &Event) -> Option<RunWarning> {
        let Event::Warning { message, about } = event else { return None };
        if self.warnings.contains(message) {
            return None;
        }
        self.warnings.push(message.clone());
        Some(RunWarning { message: message.clone(), about: *about })
    }

    /// What it came to, once it is over.
    pub fn report(&self) -> Option<&StudyReport> {
        match &self.ended {
            Some(Ended::Finished(report)) => Some(report),
            _ => None,
        }
    }

    /// What it does, in a line.
    pub fn headline(&self) -> String {
        let of = self.networks.len();
        match (self.current, self.measuring) {
            (Some(index), _) => {
                let network = self.networks.get(index);
                let title = network
                    .map_or(String::new(), |network| format!(": {}, seed {}", network.title, network.seed));
                format!("Network {} of {of}{title}", index + 1)
            }
            (None, Some(measuring)) => format!("Measuring {}", measuring.what),
            (None, None) => "Preparing the study".to_owned(),
        }
    }

    /// What it does, and how far that is (0 to 1): one line for the status bar.
    pub fn doing(&self) -> (String, f32) {
        match (self.current, self.measuring) {
            (Some(index), _) => {
                let (text, share) = self.run.doing();
                (format!("Network {} of {}: {text}", index + 1, self.networks.len()), share)
            }
            (None, Some(measuring)) => (self.headline(), measuring.done as f32 / measuring.of.max(1) as f32),
            (None, None) => (self.headline(), 0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tasklens_data::config::Config;

    use super::*;

    fn study() -> LiveStudy {
        let text = "{paths: {model_dataframe: a.csv}, model: {target_encoder: {print: [a, b], neck: [v, o]}, random_seed: 5}}";
        let config = Config::parse(text, Path::new("/p/config.yml")).unwrap();
        LiveStudy::new(&StudyPlan::new(config, Some(3), 1, "first").unwrap())
    }

    #[test]
    fn a_study_says_which_network_of_how_many_it_trains_and_what_it_measures() {
        let mut study = study();
        assert_eq!(study.doing(), ("Preparing the study".to_owned(), 0.0));
        study.apply(&StudyEvent::Run { index: 0, is_over: true });
        assert_eq!(study.current, None, "it was trained before");
        study.apply(&StudyEvent::Run { index: 1, is_over: false });
        assert_eq!(study.headline(), "Network 2 of 3: print alone, seed 5");
        assert_eq!(study.run.curves.tasks, ["print"]);
        let preparing = Event::Preparing { what: "reading the CSV".to_owned(), done: 1, of: 2 };
        study.apply(&StudyEvent::Training(preparing));
        assert_eq!(study.doing(), ("Network 2 of 3: reading the CSV".to_owned(), 0.5));
        study.apply(&StudyEvent::Measuring { what: "how long predictions take", done: 2, of: 8 });
        assert_eq!(study.doing(), ("Measuring how long predictions take".to_owned(), 0.25));
        assert!(study.is_running());
        study.apply(&StudyEvent::Stopped);
        assert!(!study.is_running() && study.report().is_none());
    }

    #[test]
    fn a_warning_that_each_network_has_is_told_once() {
        let mut study = study();
        let warning = || StudyEvent::Training(Event::warning("12 rows are not used"));
        let told = study.apply(&warning()).map(|warning| warning.message);
        assert_eq!(told.as_deref(), Some("12 rows are not used"));
        study.apply(&StudyEvent::Run { index: 1, is_over: false });
        assert_eq!(study.apply(&warning()), None);
    }
}
