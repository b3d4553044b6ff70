//! The stages of a run: with `frozen_epochs`, first the heads alone on the frozen backbone, then all layers. Each
//! starts with a fresh optimizer, as after Keras' `compile`, and has its own cycle.

use std::path::Path;

use anyhow::ensure;
use tasklens_data::config::{Config, ModelConfig, Optimizer, Schedule};

use super::adam::Adam;
use super::balance::{LOG_VARIANCES, TaskBalance};
use super::events::Stage;
use super::schedule::OneCycle;
use crate::model::network::{Network, is_backbone};

impl Stage {
    /// The stage of an epoch (from 1).
    pub(super) fn of(model: &ModelConfig, epoch: usize) -> Self {
        if model.freeze_convolutional_layers || epoch <= model.frozen_epochs {
            Self::Heads
        } else {
            Self::All
        }
    }

    /// First and last epoch, without early stopping.
    pub(super) fn epochs(self, model: &ModelConfig) -> (usize, usize) {
        match self {
            Self::Heads if !model.freeze_convolutional_layers => (1, model.frozen_epochs),
            Self::Heads => (1, model.epochs),
            Self::All => (model.frozen_epochs + 1, model.epochs),
        }
    }

    /// The optimizer for its trainable parameters and the learnt weights of the tasks, as configured.
    pub(super) fn optimizer(
        self,
        model: &ModelConfig,
        network: &Network,
        balance: Option<&TaskBalance>,
    ) -> anyhow::Result<Adam> {
        let learns = |name: &str| self == Self::All || !is_backbone(name);
        let mut parameters = network.parameters().trainable(learns);
        parameters.extend(balance.map(TaskBalance::parameter));
        let share = model.backbone_learning_rate.map_or(1.0, |rate| rate / model.learning_rate);
        let is_slow = |name: &str| is_backbone(name) && name != LOG_VARIANCES;
        let adam = Adam::new(parameters)?.with_shares(|name| if is_slow(name) { share } else { 1.0 });
        Ok(match model.optimizer {
            Optimizer::Adam => adam,
            Optimizer::AdamW { weight_decay } => adam.with_decay(weight_decay),
        })
    }

    /// Whether another stage follows: then its length is fixed by the config, whatever the losses.
    pub(super) fn is_followed(self, model: &ModelConfig) -> bool {
        self.epochs(model).1 < model.epochs
    }
}

/// The learning rates of an epoch.
pub struct Rates {
    /// A constant rate, from the plateau rule.
    level: f64,
    /// A cycle, with the number of its batches before the epoch.
    cycle: Option<(OneCycle, usize)>,
}

impl Rates {
    /// For an epoch (from 1) with `batches` batches; `level` is the reduced rate, or the highest rate of a cycle.
    pub fn of(model: &ModelConfig, epoch: usize, batches: usize, level: f64) -> Self {
        let (first, last) = Stage::of(model, epoch).epochs(model);
        let cycle = (model.schedule == Schedule::OneCycle)
            .then(|| (OneCycle::new(level, (last + 1 - first) * batches), (epoch - first) * batches));
        Self { level, cycle }
    }

    /// The rate of a batch of the epoch (from 0).
    pub fn at(&self, batch: usize) -> f64 {
        self.cycle.as_ref().map_or(self.level, |(cycle, before)| cycle.rate(before + batch))
    }
}

/// Checks whether a run with the previous config `left_with` can continue with `config`; returns a message for the
/// user, if any.
///
/// # Errors
/// Its stages, or what it learns, would differ: the message says what to do.
pub fn check_resumed(config: &Config, left_with: &Path) -> anyhow::Result<Option<String>> {
    // An unreadable config was written by an earlier version, which had no stages.
    let Ok(left) = Config::open(left_with) else { return Ok(None) };
    let (then, now) = (&left.model, &config.model);
    ensure!(
        then.frozen_epochs == now.frozen_epochs,
        "the run was trained with `frozen_epochs: {}`, and the config has {}: set it as it was, or start a new run",
        then.frozen_epochs,
        now.frozen_epochs
    );
    ensure!(
        then.task_balancing == now.task_balancing,
        "the run was trained with `task_balancing: {}`, and the config has `{}`: set it as it was, or start a new run",
        then.task_balancing.name(),
        now.task_balancing.name()
    );
    let is_cycle = [then, now].iter().any(|model| model.schedule == Schedule::OneCycle);
    let is_same = then.schedule == now.schedule && then.epochs == now.epochs;
    Ok((is_cycle && !is_same).then(|| {
        format!(
            "the run was left with `schedule: {}` over {} epochs and continues with `{}` over {}: its learning rates match \
             neither",
            then.schedule.name(),
            then.epochs,
            now.schedule.name(),
            now.epochs
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(lines: &str) -> ModelConfig {
        let text = format!(
            "{{paths: {{model_dataframe: a.csv}}, model: {{target_encoder: {{print: [a, b]}}, {lines}}}}}"
        );
        Config::parse(&text, Path::new("/config.yml")).unwrap().model
    }

    #[test]
    fn each_stage_has_its_epochs_and_its_cycle() {
        let staged = model("frozen_epochs: 2, epochs: 5, schedule: one_cycle, learning_rate: 0.1");
        let stages: Vec<Stage> = (1..=5).map(|epoch| Stage::of(&staged, epoch)).collect();
        assert_eq!(stages, [Stage::Heads, Stage::Heads, Stage::All, Stage::All, Stage::All]);
        assert!(Stage::Heads.is_followed(&staged) && !Stage::All.is_followed(&staged));
        // The second epoch of the heads is the end of their cycle, the third begins another.
        let rate = |epoch: usize, batch: usize| Rates::of(&staged, epoch, 10, 0.1).at(batch);
        assert!((rate(2, 9) - 0.1e-4).abs() < 1e-12 && (rate(5, 9) - 0.1e-4).abs() < 1e-12);
        assert!((rate(1, 0) - 0.004).abs() < 1e-12 && (rate(3, 0) - 0.004).abs() < 1e-12);
        assert!(rate(1, 5) != rate(3, 5), "a cycle of 20 batches and one of 30");
    }

    #[test]
    fn a_config_without_stages_has_one_at_one_rate() {
        let plain = model("epochs: 3");
        assert_eq!(Stage::of(&plain, 1), Stage::All);
        assert_eq!(Stage::All.epochs(&plain), (1, 3));
        assert_eq!(Rates::of(&plain, 2, 10, 0.02).at(7), 0.02);
        let frozen = model("epochs: 3, freeze_convolutional_layers: true");
        assert_eq!(Stage::of(&frozen, 3), Stage::Heads);
        assert!(!Stage::Heads.is_followed(&frozen));
    }

    #[test]
    fn a_run_is_not_resumed_with_other_stages_and_another_cycle_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.yml");
        let config = |lines: &str| {
            let text = format!(
                "{{paths: {{model_dataframe: a.csv}}, model: {{target_encoder: {{print: [a, b]}}, {lines}}}}}"
            );
            Config::parse(&text, &file).unwrap()
        };
        config("frozen_epochs: 1, epochs: 3, schedule: one_cycle").save(&file).unwrap();
        let told = |lines: &str| check_resumed(&config(lines), &file);
        assert_eq!(told("frozen_epochs: 1, epochs: 3, schedule: one_cycle").unwrap(), None);
        let error = told("frozen_epochs: 2, epochs: 3").unwrap_err().to_string();
        assert!(error.contains("trained with `frozen_epochs: 1`, and the config has 2"), "{error}");
        let error = told("frozen_epochs: 1, epochs: 3, task_balancing: uncertainty").unwrap_err().to_string();
        assert!(error.contains("with `task_balancing: fixed`, and the config has `uncertainty`"), "{error}");
        let notice = told("frozen_epochs: 1, epochs: 9, schedule: one_cycle").unwrap().unwrap();
        assert!(notice.contains("over 3 epochs and continues with `one_cycle` over 9"), "{notice}");
        config("epochs: 3").save(&file).unwrap();
        assert_eq!(told("epochs: 9").unwrap(), None, "the plateau rule knows no end");
    }
}
