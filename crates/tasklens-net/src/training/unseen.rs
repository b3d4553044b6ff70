//! Features that are independent of the project's labels: those of a backbone with public weights, to judge what a
//! network that has memorised its images cannot.

use tasklens_data::config::{Config, Pretrained};
use tasklens_data::dataset::Dataset;
use tasklens_data::work::KeepGoing;

use super::base_network::{self, AtHand, Cached};
use super::setup;
use crate::device;
use crate::inference::Predictor;
use crate::inference::loader::Batching;
use crate::inference::outputs::{Features, OutputStore};

/// Images that go through the network together.
const BATCH: usize = 32;

/// Features `[rows, D]`, computed or taken from the store of Label; `None` if no public weights are installed, the
/// config's own weights may have seen the labels, an image cannot be read, or `keep_going`, which gets (done, of),
/// cancelled.
///
/// # Errors
/// The network cannot be written or opened, or the device failed.
pub fn features(
    config: &Config,
    dataset: &Dataset,
    rows: &[usize],
    cached: Cached<'_>,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Features>> {
    if matches!(config.model.pretrained, Pretrained::File(_)) {
        return Ok(None);
    }
    let mut public = config.clone();
    public.model.pretrained = Pretrained::Auto;
    let AtHand::Network(network) = base_network::prepare_at_hand(&public, dataset.rows.len(), cached)? else {
        return Ok(None);
    };
    let store = OutputStore::of(&network)?;
    let workers = setup::workers(config, &device::pick(config.model.device)?, None);
    let open = || Predictor::open(&network, config.model.device);
    let pass = store.compute(open, &dataset.rows, rows, Batching { size: BATCH, workers }, keep_going)?;
    if !pass.complete {
        return Ok(None);
    }
    let outputs = store.load()?;
    let places = outputs.places();
    let place = |row: &usize| places.get(&*dataset.rows[*row].image).copied();
    let picked: Option<Vec<usize>> = rows.iter().map(place).collect();
    Ok(picked.map(|picked| outputs.features.pick(&picked)))
}
