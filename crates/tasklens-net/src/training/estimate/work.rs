//! The work of a run, without what is already done.

use tasklens_data::config::{Config, Pretrained};
use tasklens_data::dataset::Dataset;

use crate::inference::features::{self, Identity, View, stamp};
use crate::model::network::Network;
use crate::model::{backbone_file, pretrained};
use crate::training::events::Stage;
use crate::training::features::{store, training_views};
use crate::training::setup;

/// Counts of images and stored features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EstimatedWork {
    /// Number of training images.
    pub train: usize,
    /// Number of validation images.
    pub validation: usize,
    /// Number of views whose features are in the store.
    pub stored: usize,
}

/// The work of a run of `config`. Reads the feature store if it starts with the heads alone.
///
/// # Errors
/// The weights in the cache cannot be read, or the device does not work.
pub fn count(config: &Config, data: &Dataset) -> anyhow::Result<EstimatedWork> {
    let split = &data.split;
    let work = EstimatedWork { train: split.train.len(), validation: split.validation.len(), stored: 0 };
    let is_begun = config.paths.runs.join(features::FOLDER).is_dir();
    if Stage::of(&config.model, 1) == Stage::All || !is_begun {
        return Ok(work);
    }
    Ok(EstimatedWork { stored: stored(config, data)?, ..work })
}

fn stored(config: &Config, data: &Dataset) -> anyhow::Result<usize> {
    let model = &config.model;
    let device = setup::device(config, None)?;
    let kind = setup::precision(config, &device);
    let weights = match &model.pretrained {
        Pretrained::None => None,
        Pretrained::File(file) => Some(file.clone()),
        Pretrained::Auto | Pretrained::Required => pretrained::cached(model.backbone),
    };
    let mut network = Network::new(model.backbone, &model.tasks, model.random_seed, device.tch)?;
    if let Some(weights) = weights {
        backbone_file::load(&mut network, &weights)?;
    }
    network.fold(kind)?;
    let shelf = store(config, &network, kind)?.read();
    let found = |view: &View, rows: &[usize]| {
        let path = |row: &usize| &data.rows[*row].image;
        let images: Vec<Identity> =
            rows.iter().map(|row| Identity::new(path(row), stamp(path(row)))).collect();
        shelf.find(view, &images).iter().flatten().count()
    };
    let split = &data.split;
    let train: usize = training_views(model)?.iter().map(|view| found(view, &split.train)).sum();
    Ok(train + found(&View::Plain, &split.validation))
}
