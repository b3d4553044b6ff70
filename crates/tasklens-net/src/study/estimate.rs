//! How long a study takes.

use tasklens_data::config::Config;

use super::StudyPlan;
use crate::training::estimate::{Speed, TimeEstimate};

/// Seconds to train all networks of a study at most: each to its last epoch, on all rows of the project, its frozen
/// features computed anew. What is measured afterwards comes on top. `estimate` is asked for one run of a config at a
/// speed that may be known, as `speed` may be: a network for one task is as fast as that for all, but for its small
/// heads.
///
/// # Errors
/// Those of `estimate`.
pub fn seconds(
    plan: &StudyPlan,
    mut speed: Option<Speed>,
    estimate: &dyn Fn(&Config, Option<Speed>) -> anyhow::Result<TimeEstimate>,
) -> anyhow::Result<f64> {
    let mut of_a_seed = 0.0;
    let runs = plan.runs();
    for run in plan.of_first_seed(&runs) {
        let found = estimate(&run.config, speed)?;
        of_a_seed += found.seconds;
        speed = Some(found.speed);
    }
    Ok(of_a_seed * plan.seeds().len() as f64)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_network_of_every_seed_counts_and_the_speed_is_measured_once() {
        let text = "{paths: {model_dataframe: a.csv}, model: {target_encoder: {print: [a, b], neck: [v, o]}, epochs: 4}}";
        let config = Config::parse(text, Path::new("/p/config.yml")).unwrap();
        let plan = StudyPlan::new(config, Some(3), 2, "study").unwrap();
        let asked = RefCell::new(Vec::new());
        let seconds = seconds(&plan, None, &|config, speed| {
            asked.borrow_mut().push((config.model.tasks.len(), speed.is_some()));
            let speed = Speed { decode: 0.0, forward: 0.1, train: 0.1, heads: 0.0 };
            Ok(TimeEstimate { seconds: 10.0 * config.model.epochs as f64, speed })
        });
        assert_eq!(seconds.unwrap(), 2.0 * 3.0 * 30.0);
        assert_eq!(asked.into_inner(), [(2, false), (1, true), (1, true)]);
    }
}
