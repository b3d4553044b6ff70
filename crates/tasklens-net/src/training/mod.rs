//! Training runs: loop, optimizer, schedule, metrics and the run folder.
//!
//! [`start`] trains in a background thread. It receives [`Command`]s and sends [`Event`]s over channels, independent
//! of windows and terminals.

pub mod adam;
#[cfg(test)]
mod as_keras;
mod balance;
pub mod base_network;
mod batch_size;
pub mod estimate;
pub mod events;
mod features;
mod gradient_shares;
pub mod heads;
mod history;
pub mod imported_run;
mod latest;
pub mod learnt_run;
mod meter;
mod metrics;
pub mod out_of_sample;
pub mod outputs;
mod passes;
pub mod predictions;
mod progress;
pub mod ranks;
mod reporter;
pub mod run_bin;
pub mod run_folder;
pub mod run_note;
pub mod schedule;
pub mod seen;
mod setup;
pub mod split_file;
mod stages;
mod trainer;
mod unsaved;
pub mod unseen;
mod within;

use std::path::PathBuf;

use crossbeam_channel::{Receiver, Sender, unbounded};
use tasklens_data::config::presets::{PresetFacts, Proposed};
use tasklens_data::config::{Backbone, Config, DeviceChoice, Recipe};
use tasklens_data::panics;
use tasklens_data::text::told;

use events::{Command, Event};
use ranks::Place;
use reporter::Reporter;
pub use unsaved::Unsaved;

use crate::device;
use crate::model::pretrained;

/// A request to train.
#[derive(Clone, Debug)]
pub struct Request {
    /// The config, with any changes already in it.
    pub config: Config,
    /// The run's folder; `None` makes a new one, named by the time, under `config.paths.runs`.
    pub run: Option<PathBuf>,
    /// Continue from the last checkpoint of `run` instead of starting a new run.
    pub resume: bool,
    /// Whether files outside the project's folder may be written, as permitted by the user: [`outputs::outside`]
    /// lists them.
    pub allow_outside: bool,
    /// Labels that are not saved in the CSV yet; used if they belong to the CSV of `config`.
    pub edits: Unsaved,
}

/// A run in a background thread.
pub struct Training {
    /// Its events; closed when the run ends. Unbounded, but progress events are throttled.
    pub events: Receiver<Event>,
    /// Sends commands to it.
    pub commands: Sender<Command>,
}

/// Starts a run. `wake` is called (from the training thread) whenever an event was sent: a window
/// passes `request_repaint`. Every error arrives as [`Event::Failed`].
pub fn start(request: Request, wake: impl Fn() + Send + 'static) -> Training {
    start_on_split(request, None, wake)
}

/// As [`start`], together with other processes, of which this one has `place`. Only the process 0 has a run; of the
/// others, the request's folder is not touched, and their events say what goes wrong and no more.
pub fn start_among(request: Request, place: Option<Place>, wake: impl Fn() + Send + 'static) -> Training {
    start_with(request, None, place, wake)
}

/// As [`start`], on the split of another run, so that the two can be compared: its images train and validate here,
/// too, as far as they have a label of this run's tasks.
pub(crate) fn start_on_split(
    request: Request,
    split_of: Option<PathBuf>,
    wake: impl Fn() + Send + 'static,
) -> Training {
    start_with(request, split_of, None, wake)
}

fn start_with(
    request: Request,
    split_of: Option<PathBuf>,
    place: Option<Place>,
    wake: impl Fn() + Send + 'static,
) -> Training {
    let (events_in, events) = unbounded();
    let (commands, commands_out) = unbounded();
    let mut reporter = Reporter::new(events_in.clone(), commands_out, Box::new(wake));
    let body = move || {
        let result = panics::guard(|| trainer::run(&request, split_of.as_deref(), place, &mut reporter));
        let last = match result {
            Ok(Ok(stopped)) => Event::Stopped(stopped),
            Ok(Err(error)) => {
                let size = reporter.found_batch_size.unwrap_or(request.config.model.batch_size);
                Event::Failed { error: explain(&error, size) }
            }
            Err(what) => Event::Failed { error: format!("training crashed: {what}") },
        };
        reporter.send(last);
    };
    if let Err(error) = std::thread::Builder::new().name("training".to_owned()).spawn(body) {
        let error = format!("the system cannot start the training thread: {error}");
        // The receiver still exists: this cannot fail.
        let _ = events_in.send(Event::Failed { error });
    }
    Training { events, commands }
}

/// The networks whose public weights are in the cache.
pub fn weights_here() -> Vec<Backbone> {
    Backbone::ALL.iter().copied().filter(|network| pretrained::cached(*network).is_some()).collect()
}

/// The suggested settings for a new project with this many images, this many of them labelled, and the height over width
/// that most share, on this computer.
/// Looks for a GPU, which may take a second.
pub fn propose(images: usize, labelled: usize, aspect: Option<f32>) -> Proposed {
    let has_gpu = device::pick(DeviceChoice::Auto).is_ok_and(|device| device.is_gpu());
    Recipe::proposed(&PresetFacts { images, labelled, has_gpu, weights: weights_here(), aspect })
}

/// Whether libtorch says so, of whichever device.
fn is_out_of_memory(error: &anyhow::Error) -> bool {
    let text = told(error).to_lowercase();
    text.contains("out of memory") || text.contains("can't allocate memory")
}

/// The whole chain of an error of a run with this batch size, with advice for two frequent ones.
pub(crate) fn explain(error: &anyhow::Error, batch_size: usize) -> String {
    let text = told(error);
    if is_out_of_memory(error) {
        // libtorch's own text is pages long.
        let first = text.lines().next().unwrap_or_default();
        let smaller = match batch_size {
            0 | 1 => "set a smaller `input_shape`".to_owned(),
            size => format!(
                "`batch_size` is {size}: set {}, or a smaller `input_shape`",
                // The power of two below it: what memory holds is mostly that.
                1_usize << (size - 1).ilog2()
            ),
        };
        return format!("out of memory: {smaller}, then start or resume the run ({first})");
    }
    if text.to_lowercase().contains("no space left") {
        return format!("{text}: the disk is full; free some space, then start or resume the run");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_memory_says_what_to_do() {
        let error =
            anyhow::anyhow!("CUDA out of memory. Tried to allocate 2 GiB\nframe #0").context("epoch 1");
        let with = |batch_size| explain(&error, batch_size);
        assert_eq!(
            with(48),
            "out of memory: `batch_size` is 48: set 32, or a smaller `input_shape`, then start or resume the run \
             (epoch 1: CUDA out of memory. Tried to allocate 2 GiB)"
        );
        assert!(with(32).contains("set 16, or") && with(2).contains("set 1, or"));
        assert!(with(1).contains("out of memory: set a smaller `input_shape`"));
    }
}
