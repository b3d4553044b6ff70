//! The course of a study: its runs one after the other, and what is measured of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use crossbeam_channel::RecvTimeoutError;
use tasklens_data::config::Config;
use tasklens_data::dataset::Dataset;
use tasklens_data::files::disk;

use super::listener::Listener;
use super::report::StudyReport;
use super::{PlannedRun, StudyEvent, StudyRequest};
use super::{measure, stored};
use crate::training::events::{Command, Event, StopReason};
use crate::training::run_folder::{self, BEST, CONFIG, RunRecord};
use crate::training::{self, Request, Unsaved};

/// A run that says nothing for so long is asked to stop all the same.
const PATIENCE: Duration = Duration::from_millis(100);

/// Trains what is missing of a study, and measures it; `None` where it was stopped: the same request goes on from
/// there.
///
/// # Errors
/// A run failed, a folder holds another run, or an image or the device cannot be read.
pub(super) fn run(request: &StudyRequest, listener: &Listener) -> anyhow::Result<Option<StudyReport>> {
    let StudyRequest { plan, allow_outside, edits } = request;
    let runs = plan.runs();
    // Before hours of training, not after.
    let states: Vec<RunState> = runs.iter().map(RunState::of).collect::<anyhow::Result<_>>()?;
    stored::begin(plan)?;
    for (index, (run, state)) in runs.iter().zip(states).enumerate() {
        listener.tell(StudyEvent::Run { index, is_over: state == RunState::Over });
        if !listener.goes_on() {
            return Ok(None);
        }
        let resume = match state {
            RunState::Over => continue,
            RunState::Begun => true,
            RunState::None => {
                forget_unvalidated(run)?;
                false
            }
        };
        let request = Request {
            config: run.config.clone(),
            run: Some(run.folder.clone()),
            resume,
            allow_outside: *allow_outside,
            edits: edits.clone(),
        };
        // The first run draws the split, of which all labels of all tasks have their share.
        let split_of = (index > 0).then(|| runs[0].folder.clone());
        if !train(request, split_of, listener).with_context(|| run_folder::name(&run.folder))? {
            return Ok(None);
        }
    }
    let dataset = dataset(&runs[0].config, edits)?;
    let Some(times) = measure::times(plan, &runs, &dataset, listener)? else { return Ok(None) };
    let Some(neighbours) = measure::neighbours(plan, &runs, &dataset, listener)? else { return Ok(None) };
    let report = StudyReport::new(plan, &runs, times, neighbours)?;
    stored::write(plan, Some(&report))?;
    Ok(Some(report))
}

fn dataset(config: &Config, edits: &Unsaved) -> anyhow::Result<Dataset> {
    let dataset = Dataset::open(config)?;
    let edits = edits.of(&config.paths.model_dataframe);
    Ok(if edits.is_empty() { dataset } else { dataset.with_edits(&edits) })
}

/// Trains to the end; `false` where it was stopped.
fn train(request: Request, split_of: Option<PathBuf>, listener: &Listener) -> anyhow::Result<bool> {
    let training = training::start_on_split(request, split_of, || {});
    let mut is_stopped = false;
    loop {
        if !listener.goes_on() && !is_stopped {
            is_stopped = true;
            // A run that has just ended takes no command any more.
            let _ = training.commands.send(Command::Stop);
        }
        let event = match training.events.recv_timeout(PATIENCE) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => bail!("the run ended without a word"),
        };
        listener.tell(StudyEvent::Training(event.clone()));
        match event {
            Event::Failed { error } => bail!(error),
            Event::Stopped(stopped) => return Ok(stopped.why != StopReason::Asked),
            _ => {}
        }
    }
}

/// The weights of a run that was stopped in its first epoch make way for those of a new one.
fn forget_unvalidated(run: &PlannedRun) -> anyhow::Result<()> {
    let best = run.folder.join(BEST);
    if !best.is_file() {
        return Ok(());
    }
    disk::remove(&best).with_context(|| format!("{} cannot be trained anew", run.folder.display()))
}

/// What there is of a planned run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RunState {
    None,
    Begun,
    Over,
}

impl RunState {
    fn of(run: &PlannedRun) -> anyhow::Result<Self> {
        let folder = &run.folder;
        if !run_folder::is_run(folder) {
            return Ok(Self::None);
        }
        let there = run_folder::can_go_on(folder);
        if !there && !folder.join(BEST).is_file() {
            // It failed or was stopped before its first epoch.
            return Ok(Self::None);
        }
        check_same(run, folder)?;
        let record = RunRecord::open(folder)?;
        let stopped = record.stopped.as_ref().map(|stopped| stopped.why);
        let is_over = matches!(stopped, Some(StopReason::Finished | StopReason::EarlyStopping));
        if !is_over && !there && stopped == Some(StopReason::Asked) && record.epochs.is_empty() {
            // Stopped in its first epoch: its weights were never validated, and nothing can go on from them.
            return Ok(Self::None);
        }
        ensure!(
            is_over || there,
            "{} has no state of a training and cannot go on: delete it, or give the study another name",
            folder.display()
        );
        Ok(if is_over { Self::Over } else { Self::Begun })
    }
}

/// A study is not mixed with runs of other settings.
fn check_same(run: &PlannedRun, folder: &Path) -> anyhow::Result<()> {
    let there = Config::open(&folder.join(CONFIG))
        .with_context(|| format!("{} is in the way of a run of the study", folder.display()))?;
    let csv = |config: &Config| {
        let csv = &config.paths.model_dataframe;
        csv.canonicalize().unwrap_or_else(|_| csv.clone())
    };
    ensure!(
        there.model == run.config.model && csv(&there) == csv(&run.config),
        "{} holds a run with other settings: give the study another name, or delete the run",
        folder.display()
    );
    Ok(())
}
