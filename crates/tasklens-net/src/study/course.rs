//! The course of a study: its runs one after the other, and what is measured of them.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use tasklens_data::config::Config;
use tasklens_data::dataset::Dataset;

use super::measure;
use super::report::StudyReport;
use super::{PlannedRun, Progress, StudyPlan};
use crate::training::events::{Command, Event, StopReason};
use crate::training::run_folder::{self, BEST, CONFIG, LAST, RunRecord};
use crate::training::{self, Request, Unsaved};

/// Trains what is missing of a study, and measures it. `keep_going` hears of the progress and says whether to go on;
/// `None` where it said no: the same call goes on from there. The labels of `edits` are trained with, too.
///
/// # Errors
/// A run failed, a folder holds another run, or an image or the device cannot be read.
pub fn run(
    plan: &StudyPlan,
    edits: &Unsaved,
    allow_outside: bool,
    keep_going: &mut dyn FnMut(Progress<'_>) -> bool,
) -> anyhow::Result<Option<StudyReport>> {
    let runs = plan.runs();
    // Before hours of training, not after.
    let states: Vec<RunState> = runs.iter().map(RunState::of).collect::<anyhow::Result<_>>()?;
    for (number, (run, state)) in (1..).zip(runs.iter().zip(states)) {
        let is_over = state == RunState::Over;
        if !keep_going(Progress::Run { run, number, of: runs.len(), is_over }) {
            return Ok(None);
        }
        let resume = match state {
            RunState::Over => continue,
            RunState::Begun => true,
            RunState::None => false,
        };
        let request = Request {
            config: run.config.clone(),
            run: Some(run.folder.clone()),
            resume,
            allow_outside,
            edits: edits.clone(),
        };
        // The first run draws the split, of which all labels of all tasks have their share.
        let split_of = (number > 1).then(|| runs[0].folder.clone());
        if !train(request, split_of, keep_going).with_context(|| run_folder::name(&run.folder))? {
            return Ok(None);
        }
    }
    let dataset = dataset(&runs[0].config, edits)?;
    let Some(times) = measure::times(plan, &runs, &dataset, keep_going)? else { return Ok(None) };
    let Some(neighbours) = measure::neighbours(plan, &runs, &dataset, keep_going)? else { return Ok(None) };
    StudyReport::new(plan, &runs, times, neighbours).map(Some)
}

fn dataset(config: &Config, edits: &Unsaved) -> anyhow::Result<Dataset> {
    let dataset = Dataset::open(config)?;
    let edits = edits.of(&config.paths.model_dataframe);
    Ok(if edits.is_empty() { dataset } else { dataset.with_edits(&edits) })
}

/// Trains to the end; `false` where it was stopped.
fn train(
    request: Request,
    split_of: Option<std::path::PathBuf>,
    keep_going: &mut dyn FnMut(Progress<'_>) -> bool,
) -> anyhow::Result<bool> {
    let training = training::start_on_split(request, split_of, || {});
    let mut is_stopped = false;
    for event in &training.events {
        if !keep_going(Progress::Event(&event)) && !is_stopped {
            is_stopped = true;
            // A run that has just ended takes no command any more.
            let _ = training.commands.send(Command::Stop);
        }
        match event {
            Event::Failed { error } => bail!(error),
            Event::Stopped(stopped) => return Ok(stopped.why != StopReason::Asked && !is_stopped),
            _ => {}
        }
    }
    bail!("the run ended without a word")
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
        let there = folder.join(LAST).is_file();
        if !there && !folder.join(BEST).is_file() {
            // It failed or was stopped before its first epoch.
            return Ok(Self::None);
        }
        check_same(run, folder)?;
        let stopped = RunRecord::open(folder)?.stopped.map(|stopped| stopped.why);
        let is_over = matches!(stopped, Some(StopReason::Finished | StopReason::EarlyStopping));
        ensure!(
            is_over || there,
            "{} was stopped in its first epoch and cannot go on: delete it, or give the study another name",
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
