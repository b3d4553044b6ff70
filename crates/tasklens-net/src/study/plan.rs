//! What a study trains: which networks, with which seeds, in which folders.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use tasklens_data::config::{ClassWeights, Config, OutputPath, Outside};
use tasklens_data::files::names;

/// What a study trains.
#[derive(Clone, Debug)]
pub struct StudyPlan {
    /// Of the network for all tasks, as the user has it.
    pub(super) config: Config,
    /// What the folders of its runs begin with.
    name: String,
    pub(super) seeds: Vec<u64>,
}

/// Which tasks a network answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All tasks of the config.
    All,
    /// The one with this index in the config.
    One(usize),
}

/// A network to train.
#[derive(Clone, Debug)]
pub struct PlannedRun {
    /// The tasks that it answers.
    pub scope: Scope,
    /// Its `random_seed`.
    pub seed: u64,
    /// Its run folder.
    pub folder: PathBuf,
    /// With its tasks and seed, and without files outside of its run.
    pub config: Config,
}

impl StudyPlan {
    /// With `seeds` seeds from that of the config on, and another number of epochs where one is given. `name` is
    /// what the folders of its runs begin with.
    ///
    /// # Errors
    /// There is one task alone, the name is no name for a folder, or the epochs are too few for the config.
    pub fn new(mut config: Config, epochs: Option<usize>, seeds: usize, name: &str) -> anyhow::Result<Self> {
        ensure!(
            config.model.tasks.len() > 1,
            "{} has one task alone: a study compares one network for several with one for each",
            config.file.display()
        );
        ensure!(seeds > 0, "a study needs one seed at least");
        let is_name = !name.is_empty() && name == names::plain(name);
        ensure!(is_name, "`{name}` is no name for a folder: use letters, digits, `-` and `_`");
        if let Some(epochs) = epochs {
            config.model.epochs = epochs;
        }
        if let Some((_, message)) = config.model.contradiction() {
            anyhow::bail!(message);
        }
        ensure!(
            !config.model.auto_batch_size,
            "a study compares networks that learn from batches of one size: set `batch_size` to a number"
        );
        let first = config.model.random_seed;
        let seeds = (0..seeds as u64).map(|seed| first.wrapping_add(seed)).collect();
        Ok(Self { config, name: name.to_owned(), seeds })
    }

    /// What the folders of its runs begin with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The seeds, one per repetition.
    pub fn seeds(&self) -> &[u64] {
        &self.seeds
    }

    /// Epochs that each network is trained for at most.
    pub fn epochs(&self) -> usize {
        self.config.model.epochs
    }

    /// The folder of its runs, where that lies outside of the project's folder. Reads the disk.
    pub fn outside(&self) -> Vec<Outside> {
        self.config.outside(&[OutputPath::Runs])
    }

    /// The folder of the project.
    pub fn folder(&self) -> &Path {
        self.config.folder()
    }

    /// The names of the tasks.
    pub fn tasks(&self) -> impl Iterator<Item = &str> {
        self.config.model.tasks.iter().map(|task| task.name.as_str())
    }

    /// What the networks of each seed answer, in the order in which they are trained.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> + use<> {
        std::iter::once(Scope::All).chain((0..self.config.model.tasks.len()).map(Scope::One))
    }

    /// The networks in the order in which they are trained: for each seed first the one for all tasks.
    pub fn runs(&self) -> Vec<PlannedRun> {
        self.seeds.iter().flat_map(|seed| self.scopes().map(|scope| self.run(scope, *seed))).collect()
    }

    /// Those of its `runs` with the first seed: that for all tasks, then those for one each.
    pub(super) fn of_first_seed<'a>(&self, runs: &'a [PlannedRun]) -> impl Iterator<Item = &'a PlannedRun> {
        runs.iter().filter(|run| Some(&run.seed) == self.seeds.first())
    }

    /// What the network of a run is called.
    pub fn title(&self, scope: Scope) -> String {
        match scope {
            Scope::All => "all tasks".to_owned(),
            Scope::One(task) => self.tasks().nth(task).unwrap_or_default().to_owned(),
        }
    }

    fn run(&self, scope: Scope, seed: u64) -> PlannedRun {
        let mut config = self.config.clone();
        let model = &mut config.model;
        let what = match scope {
            Scope::All => "all".to_owned(),
            Scope::One(task) => {
                model.tasks = vec![model.tasks.swap_remove(task)];
                model.task_weights = vec![1.0];
                if let ClassWeights::PerLabel(weights) = &mut model.class_weights {
                    *weights = vec![std::mem::take(&mut weights[task])];
                }
                // Two tasks may differ in characters that no folder can have.
                format!("{}-{}", task + 1, names::plain(&model.tasks[0].name))
            }
        };
        model.random_seed = seed;
        // The user's own model and history are not replaced by those of a study.
        (config.paths.model_path, config.paths.training_history_path) = (None, None);
        let folder = config.paths.runs.join(format!("{}-seed{seed}-{what}", self.name));
        PlannedRun { scope, seed, folder, config }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(tasks: &str, more: &str) -> Config {
        let text = format!(
            "{{paths: {{model_dataframe: a.csv, model_path: m.safetensors}}, model: {{target_encoder: {tasks}, \
             random_seed: 5, epochs: 4{more}}}}}"
        );
        Config::parse(&text, Path::new("/p/config.yml")).unwrap()
    }

    #[test]
    fn each_task_gets_a_network_of_its_own_with_the_same_budget_and_no_file_of_the_users() {
        let tasks = "{print: [a, b], 'neck/line': [v, o, u]}";
        let config = config(tasks, ", task_weights: {print: 2}");
        let plan = StudyPlan::new(config, Some(3), 2, "study").unwrap();
        let runs = plan.runs();
        let names: Vec<_> =
            runs.iter().map(|run| run.folder.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(
            names,
            [
                "study-seed5-all",
                "study-seed5-1-print",
                "study-seed5-2-neck_line",
                "study-seed6-all",
                "study-seed6-1-print",
                "study-seed6-2-neck_line"
            ]
        );
        for run in &runs {
            let model = &run.config.model;
            assert_eq!((model.epochs, model.random_seed), (3, run.seed));
            assert_eq!(run.config.paths.model_path, None);
            match run.scope {
                Scope::All => assert_eq!((model.tasks.len(), &model.task_weights[..]), (2, &[2.0, 1.0][..])),
                Scope::One(task) => {
                    assert_eq!(model.tasks.len(), 1);
                    assert_eq!(model.tasks[0].name, ["print", "neck/line"][task]);
                    assert_eq!(model.task_weights, [1.0]);
                }
            }
        }
    }

    #[test]
    fn what_makes_no_study_is_refused_in_words() {
        let error = |config, seeds, name| StudyPlan::new(config, None, seeds, name).unwrap_err().to_string();
        assert!(error(config("{print: [a, b]}", ""), 1, "s").contains("has one task alone"));
        let auto = config("{print: [a, b], neck: [v, o]}", ", batch_size: auto");
        assert!(error(auto, 1, "s").contains("set `batch_size` to a number"));
        let two = || config("{print: [a, b], neck: [v, o]}", "");
        assert!(error(two(), 1, "../x").contains("`../x` is no name for a folder"));
        assert!(error(two(), 0, "s").contains("one seed at least"));
        let staged = config("{print: [a, b], neck: [v, o]}", ", frozen_epochs: 2");
        let error = StudyPlan::new(staged, Some(1), 1, "s").unwrap_err().to_string();
        assert!(error.contains("frozen_epochs"), "{error}");
    }
}
