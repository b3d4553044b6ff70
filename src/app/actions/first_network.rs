//! A first network for a project that has none: trained beside the labelling, with settings that suit this computer.

use std::path::PathBuf;
use std::sync::Arc;

use tasklens_data::config::presets::PresetFacts;
use tasklens_data::config::{Backbone, Config, Recipe};
use tasklens_data::dataset::Dataset;
use tasklens_data::images::shape::common_aspect;
use tasklens_net::training::{Request, Unsaved};

use crate::app::App;
use crate::app::command::{AppCommand, Level, Notice, UiCommand};

impl App {
    /// Trains with what this computer has: the heads on a pretrained network, or a small one from random weights. The
    /// run is one as any other, but whoever labels goes on labelling.
    pub(super) fn train_first(&mut self) {
        if self.is_training_refused() {
            return;
        }
        let Some(project) = &self.project else { return };
        let (config, dataset) = (project.config.clone(), Arc::clone(&project.dataset));
        let has_gpu = self.device.found().is_some_and(|device| device.is_gpu());
        let cached = self.views.label.weights();
        self.command_jobs.push(self.jobs.start("Choosing a first network", move |_| {
            let labelled = labelled(&dataset);
            if labelled == 0 {
                let message = "There is nothing to learn from yet: label some images first";
                let notice = Notice::new(Level::Info, message);
                let label = AppCommand::Ui(UiCommand::ShowLabel);
                return Ok(Some(AppCommand::notify(notice.offering("Label images", label))));
            }
            let request = request(config, &facts(&dataset, labelled, has_gpu, cached));
            Ok(Some(AppCommand::StartTraining(Box::new(request))))
        }));
    }
}

/// How many images have a label of any task.
fn labelled(dataset: &Dataset) -> usize {
    dataset.rows.iter().filter(|row| row.labels.iter().any(|label| label.class().is_some())).count()
}

fn facts(
    dataset: &Dataset,
    labelled: usize,
    has_gpu: bool,
    cached: fn(Backbone) -> Option<PathBuf>,
) -> PresetFacts {
    let images = dataset.rows.len();
    let path = |row: usize| dataset.rows.get(row).map(|row| row.image.to_path_buf());
    let weights = Backbone::ALL.iter().copied().filter(|network| cached(*network).is_some()).collect();
    PresetFacts { images, labelled, has_gpu, weights, aspect: common_aspect(images, path) }
}

/// A run with the recipe that suits; what the config says of tasks, columns and device stays.
fn request(mut config: Config, facts: &PresetFacts) -> Request {
    Recipe::proposed(facts).keys.put_into(&mut config.model);
    Request { config, run: None, resume: false, allow_outside: false, edits: Unsaved::default() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tasklens_data::config::Pretrained;

    use super::*;

    const CONFIG: &str = "paths:\n  model_dataframe: labels.csv\nmodel:\n  paths: image_path\n  pretrained: \
                          required\n  backbone: xception\n  device: cpu\n  target_encoder:\n    print: [a, b]\n";

    #[test]
    fn it_is_pretrained_where_weights_are_here_and_else_small_and_needs_no_download() {
        let config = Config::parse(CONFIG, Path::new("/shop/config.yml")).unwrap();
        let facts = PresetFacts { images: 60, labelled: 20, ..PresetFacts::default() };
        let scratch = request(config.clone(), &facts).config;
        assert_eq!(Recipe::of(&scratch.model), Some(Recipe::Scratch));
        assert_eq!(scratch.model.pretrained, Pretrained::None);
        assert_eq!((&scratch.model.tasks, scratch.model.device), (&config.model.tasks, config.model.device));
        let facts = PresetFacts { weights: Backbone::ALL.to_vec(), ..facts };
        assert_eq!(Recipe::of(&request(config, &facts).config.model), Some(Recipe::Quick));
    }
}
