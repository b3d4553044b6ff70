//! `tasklens import`: what another program has made.

mod deepfashion;
mod keras;

use super::arguments::Import;

pub fn run(what: &Import) -> anyhow::Result<bool> {
    match what {
        Import::Deepfashion(arguments) => deepfashion::run(arguments),
        Import::Keras(arguments) => keras::run(arguments),
    }
}
