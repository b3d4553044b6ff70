//! The folder of a run: names of its files, and reading any run, also one trained elsewhere.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tasklens_data::files;

use super::events::{EpochMetrics, Event, RunWarning, Stage, Started, StopReason, Stopped};
use super::run_note::RunNote;
pub use crate::model::checkpoint::BEST;

/// The config that was used.
pub const CONFIG: &str = "config.yml";
/// Metrics per epoch in Keras' columns.
pub const HISTORY: &str = "history.csv";
/// Every event but progress, one JSON object a line.
pub const EVENTS: &str = "events.jsonl";
/// The checkpoint for resuming, with optimizer state.
pub const LAST: &str = "last.safetensors";
/// The checkpoint for resuming within an epoch, which is newer than [`LAST`] while it is there.
pub const WITHIN: &str = "within_epoch.safetensors";
/// A file of this name asks whoever trains in the folder to stop; see [`ask_to_stop`].
pub const STOP: &str = "stop";
/// Which images are for training and which for validation.
pub const SPLIT: &str = "split.csv";
/// Predictions of the best network for the validation rows.
pub const PREDICTIONS: &str = "predictions.csv";

/// What a run has said so far: the one fold of its events, whether they are read from its folder or followed while
/// it goes on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunRecord {
    /// The folder; empty until the run has one.
    pub folder: PathBuf,
    /// Name shown to the user: the one that the user gave it, else the folder's.
    pub name: String,
    /// What the user noted of it; may be empty.
    pub note: String,
    /// Facts of the run; `None` where it never started, or goes on and has not started again yet.
    pub started: Option<Started>,
    /// The epochs, in order.
    pub epochs: Vec<EpochMetrics>,
    /// Epochs after which the learning rate was reduced.
    pub reductions: Vec<usize>,
    /// The first epoch that trained all layers after a stage for the heads alone.
    pub all_layers_from: Option<usize>,
    /// What the user had to know.
    pub warnings: Vec<RunWarning>,
    /// How it ended, where it did.
    pub stopped: Option<Stopped>,
    /// Why it failed, if it did.
    pub failed: Option<String>,
    /// The checkpoint of [`Self::kept_epoch`], where it exists.
    pub best: Option<PathBuf>,
}

impl RunRecord {
    /// Reads a run folder. Damaged lines of `events.jsonl` (of a killed process) are skipped.
    ///
    /// # Errors
    /// It is not a run folder.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        ensure!(
            is_run(folder),
            "{} is not a run folder: expected `{EVENTS}` or `{BEST}` in it",
            folder.display()
        );
        let mut record = Self::default();
        for event in read_events(folder)? {
            record.apply(&event);
        }
        // It may have been moved since, and its weights removed.
        record.lies_in(folder);
        record.best = Some(folder.join(BEST)).filter(|path| path.is_file());
        record.is_called(RunNote::read(folder).unwrap_or_else(|error| {
            log::warn!("{error:#}");
            RunNote { note: format!("{error:#}"), ..RunNote::default() }
        }));
        Ok(record)
    }

    /// The user says this of it.
    pub fn is_called(&mut self, RunNote { name, note }: RunNote) {
        self.name = if name.is_empty() { self::name(&self.folder) } else { name };
        self.note = note;
    }

    /// How it can be chosen by itself.
    pub fn standing(&self) -> Standing {
        match (&self.started, &self.stopped) {
            _ if self.failed.is_some() => Standing::Failed,
            (None, None) if self.best.is_some() => Standing::Brought,
            (_, Some(Stopped { why: StopReason::Finished | StopReason::EarlyStopping, .. })) => {
                Standing::Finished
            }
            (_, Some(stopped)) if stopped.best_epoch.is_some() => Standing::Finished,
            _ => Standing::Unfinished,
        }
    }

    /// The best epoch: the one whose weights are kept. That of the lowest loss may be a later one, which was better by
    /// less than `early_stopping_min_delta`.
    pub fn kept_epoch(&self) -> Option<&EpochMetrics> {
        self.epochs.iter().rfind(|epoch| epoch.best)
    }

    /// The run goes on: its epochs stay until it has started again and says how many of them count; how it ended is
    /// past.
    pub fn go_on(&mut self) {
        (self.started, self.stopped, self.failed) = (None, None, None);
        self.warnings.clear();
    }

    /// Takes in what the run says; progress within an epoch leaves no trace.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Started(started) => self.start(started),
            Event::Epoch(metrics) => self.epochs.push(metrics.clone()),
            Event::LearningRateReduced { epoch, .. } => self.reductions.push(*epoch),
            Event::StageBegan { epoch, stage: Stage::All } => self.all_layers_from = Some(*epoch),
            Event::Checkpoint { best: true, path, .. } => self.best = Some(path.clone()),
            Event::Warning { message, about } => {
                self.warnings.push(RunWarning { message: message.clone(), about: *about });
            }
            Event::Stopped(stopped) => self.stopped = Some(stopped.clone()),
            Event::Failed { error } => self.failed = Some(error.clone()),
            Event::Preparing { .. }
            | Event::StageBegan { stage: Stage::Heads, .. }
            | Event::Batch(_)
            | Event::Checkpoint { best: false, .. }
            | Event::Paused
            | Event::Resumed => {}
        }
    }

    fn start(&mut self, started: &Started) {
        // A resumed run says its later epochs again.
        self.epochs.truncate(started.epochs_done);
        self.reductions.retain(|&epoch| epoch <= started.epochs_done);
        self.all_layers_from = self.all_layers_from.filter(|&epoch| epoch <= started.epochs_done);
        (self.stopped, self.failed) = (None, None);
        self.lies_in(&started.run);
        self.started = Some(started.clone());
    }

    fn lies_in(&mut self, folder: &Path) {
        if self.folder != folder {
            (self.folder, self.name) = (folder.to_path_buf(), name(folder));
        }
    }
}

/// What a run has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It ended in good order, all its epochs done or not, and its weights were validated.
    Finished,
    /// A network from elsewhere, of which nobody here measured anything.
    Brought,
    /// It goes on, was stopped before its first epoch was complete, or was killed.
    Unfinished,
    /// It ended with an error.
    Failed,
}

/// The events on disk; none if the file is missing.
fn read_events(folder: &Path) -> anyhow::Result<Vec<Event>> {
    let path = folder.join(EVENTS);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let file = fs::File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    Ok(lines.filter_map(|line| serde_json::from_str(&line).ok()).collect())
}

/// The name of a run: that of its folder.
pub fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned()
}

/// Whether a process (this one or another) is training in a folder: it holds the lock of its events. Where the file
/// system knows no locks, none is seen.
pub fn is_in_use(folder: &Path) -> bool {
    let file = fs::File::open(folder.join(EVENTS));
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
}

/// Asks the process that trains in a folder to stop after its batch, as [`Command::Stop`](super::events::Command)
/// does within a process.
///
/// # Errors
/// The file that asks cannot be written.
pub fn ask_to_stop(folder: &Path) -> anyhow::Result<()> {
    let file = folder.join(STOP);
    files::replace(&file, &[]).with_context(|| format!("cannot write {}", file.display()))
}

/// Whether there is something that training can go on from.
pub fn can_go_on(folder: &Path) -> bool {
    [LAST, WITHIN].iter().any(|name| folder.join(name).is_file())
}

/// Whether a folder looks like a run.
pub(crate) fn is_run(folder: &Path) -> bool {
    [EVENTS, BEST, LAST, WITHIN].iter().any(|name| folder.join(name).is_file())
}

/// The run folders under `runs`, newest first; empty if there is no such folder.
pub fn list_runs(runs: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(runs) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| is_run(path))
        .map(|path| (fs::metadata(&path).and_then(|m| m.modified()).ok(), path))
        .collect();
    // Names are times; the folder's modification time breaks ties of copies.
    found.sort_by(|(a_time, a), (b_time, b)| b.file_name().cmp(&a.file_name()).then(b_time.cmp(a_time)));
    found.into_iter().map(|(_, path)| path).collect()
}

/// Creates a new folder under `runs`, named by the local time.
///
/// # Errors
/// The folder cannot be created.
pub fn create(runs: &Path) -> anyhow::Result<PathBuf> {
    let name = name_of_now()?;
    fs::create_dir_all(runs).with_context(|| format!("cannot make the folder {}", runs.display()))?;
    for attempt in 1.. {
        let folder = runs.join(if attempt == 1 { name.clone() } else { format!("{name}-{attempt}") });
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            result => {
                return result
                    .with_context(|| format!("cannot make the folder {}", folder.display()))
                    .map(|()| folder);
            }
        }
    }
    anyhow::bail!("no free name for a run under {}", runs.display())
}

/// The local time as the name of something new, such as `2026-11-28_14-02-11`.
///
/// # Errors
/// The time cannot be written.
pub(crate) fn name_of_now() -> anyhow::Result<String> {
    let format = time::macros::format_description!("[year]-[month]-[day]_[hour]-[minute]-[second]");
    let now = time::OffsetDateTime::now_local().unwrap_or_else(|_| time::OffsetDateTime::now_utc());
    now.format(format).context("cannot name a run by the time")
}

/// Removes the folder of a run that failed before its first epoch. Files that do not belong to such a run stay.
pub(super) fn remove_unbegun(folder: &Path) {
    for name in [EVENTS, CONFIG, SPLIT] {
        // The folder stays if something in it cannot be removed.
        let _ = fs::remove_file(folder.join(name));
    }
    if let Err(error) = fs::remove_dir(folder) {
        log::info!("{} stays: {error}", folder.display());
    }
}

#[cfg(test)]
mod tests {
    use super::super::events::{BatchProgress, Phase, SplitMetrics, StopReason};
    use super::*;

    fn started(epochs_done: usize) -> Event {
        Event::Started(Started {
            run: PathBuf::from("r"),
            device: "CPU".to_owned(),
            precision: "fp32".to_owned(),
            parameters: 1,
            n_train: 8,
            n_validation: 2,
            tasks: vec!["print".to_owned()],
            validation_labels: Vec::new(),
            epochs: 3,
            epochs_done,
            weights: "none".to_owned(),
            found_batch_size: None,
        })
    }

    fn epoch(number: usize) -> Event {
        Event::Epoch(EpochMetrics { epoch: number, ..EpochMetrics::without_values(1) })
    }

    #[test]
    fn a_killed_and_resumed_run_reads_as_one() {
        let dir = tempfile::tempdir().unwrap();
        let mut text = String::new();
        let reduced = Event::LearningRateReduced { epoch: 2, learning_rate: 0.1 };
        for event in [started(0), epoch(1), epoch(2), reduced] {
            text += &(serde_json::to_string(&event).unwrap() + "\n");
        }
        // Killed in the middle of a line; the checkpoint of epoch 1 was the last complete one.
        text += "{\"event\":\"epo\n";
        for event in [started(1), epoch(2), epoch(3)] {
            text += &(serde_json::to_string(&event).unwrap() + "\n");
        }
        fs::write(dir.path().join(EVENTS), text).unwrap();
        let record = RunRecord::open(dir.path()).unwrap();
        assert_eq!(record.epochs.iter().map(|e| e.epoch).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(record.reductions, [] as [usize; 0]);
        assert!(record.stopped.is_none() && record.best.is_none());
    }

    #[test]
    fn a_run_that_is_followed_and_the_same_run_read_from_disk_are_one_record() {
        let dir = tempfile::tempdir().unwrap();
        let Event::Started(first) = started(0) else { unreachable!() };
        let again = Started { epochs_done: 2, run: dir.path().to_path_buf(), ..first.clone() };
        let batch = BatchProgress {
            epoch: 1,
            phase: Phase::Train,
            done: 1,
            of: 8,
            images_per_sec: 1.0,
            loss: 1.0,
            phase_secs_left: 1.0,
            secs_left: 1.0,
            latest: None,
        };
        let stopped = Stopped {
            why: StopReason::Finished,
            best_epoch: Some(2),
            best: None,
            model: Some(dir.path().join(BEST)),
            secs: 1.0,
        };
        let epoch = |number| {
            let split = SplitMetrics { loss: 1.0, task_loss: vec![1.0], task_accuracy: vec![0.5] };
            let (train, validation) = (split.clone(), split);
            Event::Epoch(EpochMetrics { epoch: number, train, validation, ..EpochMetrics::without_values(1) })
        };
        let events = [
            Event::warning("1 row is not used"),
            Event::Started(Started { run: dir.path().to_path_buf(), ..first }),
            Event::StageBegan { epoch: 1, stage: Stage::Heads },
            Event::Batch(batch),
            epoch(1),
            Event::StageBegan { epoch: 2, stage: Stage::All },
            epoch(2),
            Event::Checkpoint { epoch: 2, best: true, path: dir.path().join(BEST) },
            Event::Paused,
            Event::Resumed,
            Event::LearningRateReduced { epoch: 2, learning_rate: 0.1 },
            epoch(3),
            Event::Failed { error: "out of memory".to_owned() },
            Event::Started(again),
            epoch(3),
            Event::Stopped(stopped),
        ];
        let mut followed = RunRecord::default();
        let mut text = String::new();
        for event in &events {
            followed.apply(event);
            text += &(serde_json::to_string(event).unwrap() + "\n");
        }
        fs::write(dir.path().join(EVENTS), text).unwrap();
        fs::write(dir.path().join(BEST), "weights").unwrap();
        let read = RunRecord::open(dir.path()).unwrap();
        assert_eq!(read, followed);
        assert_eq!(read.epochs.iter().map(|epoch| epoch.epoch).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!((read.reductions.len(), read.all_layers_from, read.failed), (1, Some(2), None));
    }

    #[test]
    fn a_run_that_goes_on_keeps_its_epochs_and_not_its_end() {
        let mut run = RunRecord::default();
        let error = "out of memory".to_owned();
        for event in [started(0), epoch(1), epoch(2), Event::Failed { error }] {
            run.apply(&event);
        }
        run.go_on();
        assert_eq!((run.epochs.len(), run.started.as_ref(), run.failed.as_ref()), (2, None, None));
        run.apply(&started(1));
        assert_eq!(run.epochs.len(), 1, "resumed after one epoch");
        run.apply(&started(0));
        assert_eq!(run.epochs.len(), 0, "started anew");
    }

    #[test]
    fn the_kept_epoch_is_the_one_with_the_weights_and_not_the_one_of_the_lowest_loss() {
        let dir = tempfile::tempdir().unwrap();
        let mut text = serde_json::to_string(&started(0)).unwrap() + "\n";
        // As after `early_stopping_min_delta: 0.1`.
        for (number, loss, best) in [(1, 1.0, true), (2, 0.5, true), (3, 0.45, false), (4, 0.7, false)] {
            let mut metrics = EpochMetrics { epoch: number, best, ..EpochMetrics::without_values(1) };
            metrics.validation.loss = loss;
            text += &(serde_json::to_string(&Event::Epoch(metrics)).unwrap() + "\n");
        }
        fs::write(dir.path().join(EVENTS), text).unwrap();
        let record = RunRecord::open(dir.path()).unwrap();
        assert_eq!(record.kept_epoch().map(|kept| kept.epoch), Some(2));
    }

    #[test]
    fn any_other_folder_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let error = RunRecord::open(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains("is not a run folder: expected `events.jsonl` or `best.safetensors`"),
            "{error}"
        );
    }

    #[test]
    fn two_runs_in_one_second_get_two_folders_newest_first() {
        let dir = tempfile::tempdir().unwrap();
        let runs = dir.path().join("runs");
        assert!(list_runs(&runs).is_empty());
        let (a, b) = (create(&runs).unwrap(), create(&runs).unwrap());
        assert_ne!(a, b);
        for run in [&a, &b] {
            fs::write(run.join(EVENTS), "").unwrap();
        }
        assert_eq!(list_runs(&runs), [b, a]);
    }
}
