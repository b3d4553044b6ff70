//! The settings of the next run: a changed copy of the project's config, and what of it is remembered.

use tasklens_data::config::presets::{Keys, PresetFacts};
use tasklens_data::config::{Augmentation, ClassWeights, Config, Recipe, Task};

use crate::app::services::settings::RememberedTraining;

/// The config of the next run beside the one on disk.
#[derive(Clone, Debug)]
pub struct Draft {
    /// As the project has it.
    pub saved: Config,
    /// As the next run will have it.
    pub config: Config,
    /// What augmentation comes back to when it is switched on.
    pub(super) augmentation: Augmentation,
    /// The user's own keys, which no recipe has, while a recipe is chosen.
    own: Option<Keys>,
}

/// What came of remembered settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// They are in use again.
    Yes,
    /// They were saved meanwhile.
    Saved,
    /// The config is another by now, and holds.
    Outdated,
}

impl Draft {
    /// The project's settings, unchanged.
    pub fn new(config: &Config) -> Self {
        let in_file = config.model.augmentation.clone();
        let augmentation = if in_file == Augmentation::none() { Augmentation::default() } else { in_file };
        Self { saved: config.clone(), config: config.clone(), augmentation, own: None }
    }

    /// Whether anything differs from the file.
    pub fn is_changed(&self) -> bool {
        self.config.model != self.saved.model
    }

    /// Takes back all changes.
    pub fn revert(&mut self) {
        self.config = self.saved.clone();
        self.own = None;
    }

    /// The recipe that the settings are; `None` are the user's own.
    pub fn recipe(&self) -> Option<Recipe> {
        Recipe::of(&self.config.model)
    }

    /// The user's own keys: those shown, or those from before a recipe was chosen.
    pub fn own(&self) -> Option<Keys> {
        if self.recipe().is_some() { self.own.clone() } else { Some(Keys::of(&self.config.model)) }
    }

    /// Makes the settings those of a recipe, or the user's own again.
    pub fn choose(&mut self, recipe: Option<Recipe>, facts: &PresetFacts) {
        let own = self.own();
        match (recipe, &own) {
            (Some(recipe), _) => recipe.keys(facts).put_into(&mut self.config.model),
            (None, Some(own)) => own.put_into(&mut self.config.model),
            (None, None) => {}
        }
        self.own = own;
    }

    /// What is to be remembered; nothing where all is as in the file.
    pub fn to_remember(&self) -> Option<RememberedTraining> {
        self.is_changed().then(|| RememberedTraining {
            saved: settings_of(&self.saved),
            chosen: settings_of(&self.config),
        })
    }

    /// Takes up what was remembered, if it was a change of what the file still says.
    pub fn restore(&mut self, remembered: &RememberedTraining) -> Restored {
        let saved = settings_of(&self.saved);
        if saved == remembered.chosen {
            return Restored::Saved;
        }
        match Config::parse(&remembered.chosen, &self.saved.file) {
            Ok(chosen) if saved == remembered.saved => {
                self.take(chosen);
                Restored::Yes
            }
            _ => Restored::Outdated,
        }
    }

    fn take(&mut self, chosen: Config) {
        let before = &self.saved.model;
        let keeps_weights = matches!(before.class_weights, ClassWeights::PerLabel(_));
        let mut model = chosen.model;
        model.tasks.clone_from(&before.tasks);
        model.path_column.clone_from(&before.path_column);
        model.split_column.clone_from(&before.split_column);
        model.task_weights.clone_from(&before.task_weights);
        if keeps_weights {
            model.class_weights = before.class_weights.clone();
        }
        let is_recipe = Recipe::of(&model).is_some();
        self.own = (is_recipe && Recipe::of(before).is_none()).then(|| Keys::of(before));
        self.config.model = model;
    }
}

/// A config as text, without what its tasks and columns are.
fn settings_of(config: &Config) -> String {
    let mut model = config.model.clone();
    model.tasks = vec![Task { name: "task".to_owned(), labels: vec!["a".to_owned(), "b".to_owned()] }];
    model.task_weights = vec![1.0];
    model.path_column = "path".to_owned();
    model.split_column = None;
    if matches!(model.class_weights, ClassWeights::PerLabel(_)) {
        model.class_weights = ClassWeights::None;
    }
    Config { model, ..config.clone() }.to_yaml()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        let text = "paths: {model_dataframe: a.csv}\nmodel:\n  paths: photo\n  target_encoder: {print: [x, y], size: [s, m]}\n  \
                    task_weights: {size: 2}\n  batch_size: 8\n";
        Draft::new(&Config::parse(text, std::path::Path::new("/p/config.yml")).unwrap())
    }

    fn facts() -> PresetFacts {
        PresetFacts { images: 40, labelled: 40, ..PresetFacts::default() }
    }

    #[test]
    fn a_recipe_sets_its_keys_and_the_users_own_come_back() {
        let mut draft = draft();
        assert_eq!(draft.recipe(), None);
        let own = Keys::of(&draft.config.model);
        draft.choose(Some(Recipe::Quick), &facts());
        assert_eq!(draft.recipe(), Some(Recipe::Quick));
        assert!(draft.config.model.freeze_convolutional_layers);
        draft.choose(Some(Recipe::Full), &facts());
        draft.choose(None, &facts());
        assert_eq!(Keys::of(&draft.config.model), own);
        assert!(!draft.is_changed());
        draft.choose(Some(Recipe::Full), &facts());
        draft.config.model.epochs += 1;
        assert_eq!(draft.recipe(), None);
        assert_eq!(
            draft.own().map(|own| own.backbone),
            Some(draft.config.model.backbone),
            "the latest own keys"
        );
    }

    #[test]
    fn what_was_chosen_comes_back_while_the_file_says_what_it_said() {
        let mut before = draft();
        assert_eq!(before.to_remember(), None);
        before.choose(Some(Recipe::Quick), &facts());
        before.config.model.learning_rate = 0.004;
        before.config.model.random_seed = 9;
        let remembered = before.to_remember().unwrap();
        let mut after = draft();
        assert_eq!(after.restore(&remembered), Restored::Yes);
        assert_eq!(after.config.model, before.config.model);

        // Saved meanwhile.
        let mut saved = Draft::new(&before.config);
        assert_eq!(saved.restore(&remembered), Restored::Saved);
        assert!(!saved.is_changed());

        let mut other = draft().saved;
        other.model.batch_size = 9;
        let mut other = Draft::new(&other);
        assert_eq!(other.restore(&remembered), Restored::Outdated);
        assert!(!other.is_changed());
        // Labels come and go without a change of what is chosen here.
        let mut more = draft().saved;
        more.model.tasks[0].labels.push("z".to_owned());
        let mut more = Draft::new(&more);
        assert_eq!(more.restore(&remembered), Restored::Yes);
        assert_eq!(more.config.model.tasks, more.saved.model.tasks);
        assert_eq!(more.config.model.random_seed, 9);
    }

    #[test]
    fn a_recipe_that_comes_back_still_knows_the_users_own_settings() {
        let mut before = draft();
        before.choose(Some(Recipe::Quick), &facts());
        let mut after = draft();
        after.restore(&before.to_remember().unwrap());
        assert_eq!(after.recipe(), Some(Recipe::Quick));
        after.choose(None, &facts());
        assert!(!after.is_changed());
    }
}
