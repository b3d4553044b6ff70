//! A process other than 0: it trains on its part of what process 0 says, and keeps nothing.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use tasklens_data::config::Config;
use tasklens_data::dataset::split::Split;
use tasklens_data::dataset::{Dataset, Rows};
use tasklens_data::text::counted;
use tasklens_torch::memory::Keeping;
use tch::{Kind, Tensor};

use super::{Ranks, gpus};
use crate::model::conventions::Conventions;
use crate::model::network::Network;
use crate::training::adam::Adam;
use crate::training::balance::TaskBalance;
use crate::training::events::{Stage, StopReason, Stopped};
use crate::training::passes::{BatchFeed, PassPlan, Passes};
use crate::training::reporter::Reporter;
use crate::training::stages::Rates;
use crate::training::trainer::prepare::stored_features;
use crate::training::{Request, setup};

/// What process 0 says before the first batch.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::training) struct Beginning {
    /// The version of Tasklens.
    pub made_by: String,
    /// What the config says, as far as all have to agree: [`settings`].
    pub settings: Vec<String>,
    /// Number of rows of the CSV.
    pub rows: usize,
    /// What tells them from others: [`fingerprint`].
    pub labels: u64,
    /// Rows to train with.
    pub train: Vec<usize>,
    /// Whether to compute in bfloat16.
    pub is_bf16: bool,
    /// Those of the network's layers.
    pub conventions: Conventions,
    /// The first epoch.
    pub epoch: usize,
    /// Steps of the optimizer so far.
    pub steps: u64,
}

/// What process 0 says next.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::training) enum Directive {
    /// To train, from a batch of an epoch on, at a learning rate.
    Train { epoch: usize, first: usize, rate: f64 },
    /// That the run has a checkpoint to go on from now.
    Kept,
    /// That the run has ended.
    End,
}

impl Beginning {
    /// Gives process 0's weights, and the optimizer's state where there is one, to all.
    ///
    /// # Errors
    /// A process is gone.
    pub fn share(
        &self,
        ranks: &Ranks,
        network: &Network,
        adam: &Adam,
        balance: Option<&TaskBalance>,
    ) -> anyhow::Result<()> {
        ranks.share(network.parameters().iter().map(|parameter| &parameter.tensor))?;
        let balance: Option<Tensor> = balance.map(|balance| balance.parameter().1);
        ranks.share(balance.iter())?;
        if self.steps > 0 {
            ranks.share(adam.state().iter().map(|(_, tensor)| tensor))?;
        }
        Ok(())
    }
}

/// Of this program.
pub(in crate::training) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How many of the images are looked for before the training begins.
const LOOKED_FOR: usize = 2000;

/// What may differ between the computers of a training.
const OWN: [&str; 5] = ["  device:", "  threads:", "  workers:", "  precision:", "  pretrained:"];

/// The lines of a config that all processes need to have alike.
pub(in crate::training) fn settings(config: &Config) -> Vec<String> {
    let yaml = config.to_yaml();
    let lines = yaml.lines().skip_while(|line| *line != "model:").skip(1);
    let shared = lines.filter(|line| !OWN.iter().any(|own| line.starts_with(own)));
    shared.map(|line| line.trim().to_owned()).collect()
}

/// Says where two lists of settings differ first, if they do.
fn difference(own: &[String], theirs: &[String]) -> Option<String> {
    let longest = own.len().max(theirs.len());
    let line = |of: &[String], at: usize| of.get(at).map_or("nothing".to_owned(), |line| format!("`{line}`"));
    let at = (0..longest).find(|at| own.get(*at) != theirs.get(*at))?;
    Some(format!("the config says {}, and that of process 0 {}", line(own, at), line(theirs, at)))
}

/// What tells rows from others: names of images and labels. Their folders may be others on each computer.
pub(in crate::training) fn fingerprint(rows: &Rows) -> u64 {
    let mut hasher = DefaultHasher::new();
    for row in rows.iter() {
        row.image.file_name().hash(&mut hasher);
        row.labels.iter().for_each(|label| label.class().hash(&mut hasher));
    }
    hasher.finish()
}

/// Trains until process 0 says that the run has ended.
///
/// # Errors
/// Its data or config differ from those of process 0, or a process is gone.
pub(in crate::training) fn run(
    request: &Request,
    ranks: &Rc<Ranks>,
    reporter: &mut Reporter,
) -> anyhow::Result<Stopped> {
    let began = std::time::Instant::now();
    let config = &request.config;
    let data = Dataset::open(config)?;
    let device = setup::device(config, Some(ranks.place()))?;
    let beginning: Beginning = ranks.hear()?;
    ensure!(
        beginning.made_by == VERSION,
        "this is Tasklens {VERSION}, and process 0 is {}: all processes need the same version",
        beginning.made_by
    );
    if let Some(difference) = difference(&settings(config), &beginning.settings) {
        bail!("{difference}: all processes need the same config");
    }
    ensure!(
        beginning.rows == data.rows.len() && beginning.labels == fingerprint(&data.rows),
        "{} with {} is not what process 0 trains with ({}): all processes need the same config and CSV",
        data.table.path.display(),
        counted(data.rows.len(), "row"),
        counted(beginning.rows, "row")
    );
    // As many as a network disk finds in a moment; a single image that is missing is told when its turn comes.
    let step = beginning.train.len().div_ceil(LOOKED_FOR).max(1);
    let mut images = beginning.train.iter().step_by(step).filter_map(|row| Some(&data.rows.get(*row)?.image));
    if let Some(missing) = images.find(|image| !image.is_file()) {
        bail!("{} is not there: all processes need the images that process 0 trains with", missing.display());
    }
    let kind = if beginning.is_bf16 { Kind::BFloat16 } else { Kind::Float };
    let model = &config.model;
    let mut network = Network::new(model.backbone, &model.tasks, model.random_seed, device.tch)?;
    network.follow(beginning.conventions);
    let mut stage = Stage::of(model, beginning.epoch);
    let balance = TaskBalance::of(model, device.tch)?;
    let mut adam = stage.optimizer(model, &network, balance.as_ref())?;
    beginning.share(ranks, &network, &adam, balance.as_ref()).context("cannot take over the weights")?;
    adam.set_steps(beginning.steps);
    gpus::shared(ranks, &device)?;

    let mut data = data;
    data.split = Arc::new(Split { train: beginning.train, validation: Vec::new() });
    let weights = setup::weights(config, &data, balance.as_ref().map(TaskBalance::share), device.tch)?;
    let Dataset { rows, split, .. } = data;
    let source = setup::source(config, rows, Some(ranks.place()));
    let workers = setup::workers(config, &device, Some(ranks.place()));
    let feed = if stage == Stage::Heads {
        // Process 0 has stored them; they are computed here only where this computer does not see them.
        stored_features(config, &mut network, (&source, &split), kind, workers, reporter)?
    } else {
        BatchFeed::Images { workers }
    };
    let plan = PassPlan { config, last: stage.epochs(model).1, device: device.tch, kind, ranks: Some(ranks) };
    let mut passes = Passes::new(source, feed, Arc::unwrap_or_clone(split), plan, weights);
    let _memory = Keeping::begin();
    let mut why = StopReason::Finished;
    loop {
        let (epoch, first, rate) = match ranks.hear()? {
            Directive::Train { epoch, first, rate } => (epoch, first, rate),
            Directive::Kept => {
                ranks.kept()?;
                continue;
            }
            Directive::End => break,
        };
        let next = Stage::of(model, epoch);
        if next != stage {
            stage = next;
            adam = stage.optimizer(model, &network, balance.as_ref())?;
            passes.go_on_with(BatchFeed::Images { workers }, stage.epochs(model).1);
        }
        let rates = Rates::of(model, epoch, passes.batches(), rate);
        let from = passes.behind(epoch, first);
        passes.train(epoch, from.as_ref(), &rates, &network, &mut adam, reporter)?;
        if reporter.should_stop() {
            why = StopReason::Asked;
        }
    }
    let secs = began.elapsed().as_secs_f64();
    Ok(Stopped { why, best_epoch: None, best: None, model: None, secs })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn of(lines: &str) -> Vec<String> {
        let text = format!(
            "{{paths: {{model_dataframe: a.csv}}, model: {{target_encoder: {{print: [a, b]}}, {lines}}}}}"
        );
        settings(&Config::parse(&text, Path::new("/config.yml")).unwrap())
    }

    #[test]
    fn the_first_setting_that_differs_is_named_and_those_of_a_computer_may() {
        let own = of("batch_size: 8, epochs: 3, device: cpu");
        assert_eq!(difference(&own, &of("batch_size: 8, epochs: 3, threads: 2, workers: 1")), None);
        let told = difference(&own, &of("batch_size: 16, epochs: 4"));
        let told = told.unwrap();
        assert_eq!(told, "the config says `batch_size: 8`, and that of process 0 `batch_size: 16`");
        let shorter = own[..own.len() - 1].to_vec();
        assert!(difference(&shorter, &own).unwrap().starts_with("the config says nothing, and"));
    }
}
