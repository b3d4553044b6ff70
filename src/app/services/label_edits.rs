//! The label edits of the open project: what can be undone, what is on the disk, and what the CSV lacks.
//!
//! The labels themselves are in the project's rows, which have each edit at once. A thread appends the edits to the
//! journal.

use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::Receiver;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::edits::merge::{self, OnConflict, Save};
use tasklens_data::dataset::edits::{
    ChangeView, Edit, Entry, Field, OpenedAnnotations, Refusal, State, Step, Writer, WriterReport,
};
use tasklens_data::text::{is, plain, plural};

use crate::app::services::jobs::{Job, Jobs, Outcome, Progress, take};

/// The edits of one project.
pub struct LabelEdits {
    csv: PathBuf,
    state: State,
    writer: Option<Writer>,
    /// Why nothing can be edited.
    denied: Option<String>,
    reports: Receiver<WriterReport>,
    sent: usize,
    kept: usize,
    error: Option<String>,
    saving: Option<Job<merge::MergeOutcome>>,
    /// SHA-256 of the CSV as our last save left it.
    last_written: Option<String>,
    /// Edits that contradict what the CSV has by now; the user decides.
    conflicts: Vec<merge::Conflict>,
    version: u64,
}

/// What background work reports.
pub enum EditNews {
    /// These rows have other labels: the file won over an edit.
    Labelled(Vec<usize>),
    /// The CSV was written.
    Saved(merge::MergeOutcome),
    /// The message says what did not work, and what to do.
    Failed(String),
}

impl LabelEdits {
    /// The edits of a CSV, as they were opened; `wake` is called when the disk has answered.
    pub fn new(csv: PathBuf, opened: OpenedAnnotations, wake: impl Fn() + Send + 'static) -> Self {
        let (sender, reports) = crossbeam_channel::unbounded();
        let mut denied = opened.journal.denied().map(plain);
        let mut writer = None;
        if denied.is_none() {
            let told = Writer::start(opened.journal, move |report| {
                // The window may have gone: then nobody wants to know.
                let _ = sender.send(report);
                wake();
            });
            match told {
                Ok(started) => writer = Some(started),
                Err(error) => denied = Some(format!("labels cannot be edited: no thread: {error}")),
            }
        }
        Self {
            csv,
            state: opened.state,
            writer,
            denied,
            reports,
            sent: 0,
            kept: 0,
            error: None,
            saving: None,
            last_written: None,
            conflicts: Vec::new(),
            version: 0,
        }
    }

    /// Waits until everything is on the disk and a save has ended, and releases the lock. The message says what could
    /// not be written. Not for the UI thread.
    pub fn finish(mut self) -> Option<String> {
        if let Some(saving) = self.saving.take() {
            // Nobody sees the rows any more.
            self.take_saved(saving.wait(), None);
        }
        let lost = self.writer.take().map_or(0, Writer::finish);
        (lost > 0).then(|| {
            let csv = self.csv.display();
            format!(
                "The last {lost} label {} could not be written beside {csv} and {} lost: is the disk full?",
                plural(lost, "edit", "edits"),
                is(lost)
            )
        })
    }

    /// What can be undone, what the CSV lacks, and the flags.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Why nothing can be edited, and what to do; `None` where it can.
    pub fn denied(&self) -> Option<&str> {
        self.denied.as_deref()
    }

    /// Whether every edit is on the disk.
    pub fn is_kept(&self) -> bool {
        self.sent == self.kept
    }

    /// How many edits wait in memory.
    pub fn waiting(&self) -> usize {
        self.sent - self.kept
    }

    /// Why edits wait in memory.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Grows with each change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether the CSV is being written.
    pub fn is_saving(&self) -> bool {
        self.saving.is_some()
    }

    /// Edits that contradict what the CSV has by now.
    pub fn conflicts(&self) -> &[merge::Conflict] {
        &self.conflicts
    }

    /// Applies a step to the rows; returns the rows whose labels changed.
    pub fn edit(&mut self, step: Step, rows: &mut Arc<Dataset>) -> Vec<usize> {
        if self.denied.is_some() {
            return Vec::new();
        }
        let entry = self.state.edit(step);
        self.keep(entry, Some(rows))
    }

    /// Undoes the last step and returns the rows whose labels changed; `None` if there is none.
    pub fn undo(&mut self, rows: &mut Arc<Dataset>) -> Option<Vec<usize>> {
        let step = self.state.next_undo().filter(|_| self.denied.is_none())?;
        let changed = relabel(rows, step.changes().map(|change| (change, change.before)));
        let entry = self.state.undo();
        self.keep(entry, None);
        Some(changed)
    }

    /// Redoes the step that was undone last and returns the rows whose labels changed; `None` if there is none.
    pub fn redo(&mut self, rows: &mut Arc<Dataset>) -> Option<Vec<usize>> {
        let step = self.state.next_redo().filter(|_| self.denied.is_none())?;
        let changed = relabel(rows, step.changes().map(|change| (change, change.after)));
        let entry = self.state.redo();
        self.keep(entry, None);
        Some(changed)
    }

    /// Sends entries to the disk and applies the steps among them to `rows`; returns the rows whose labels changed.
    fn keep(
        &mut self,
        entries: impl IntoIterator<Item = Entry>,
        mut rows: Option<&mut Arc<Dataset>>,
    ) -> Vec<usize> {
        let mut changed = Vec::new();
        for entry in entries {
            if let (Entry::Step { changes, .. }, Some(rows)) = (&entry, rows.as_deref_mut()) {
                let changes = changes.iter().map(ChangeView::from);
                changed.extend(relabel(rows, changes.map(|change| (change, change.after))));
            }
            if let Some(writer) = &self.writer {
                writer.send(entry);
            }
            self.sent += 1;
            self.version += 1;
        }
        changed
    }

    /// Writes the edits that the CSV lacks into it, in the background.
    pub fn save(&mut self, jobs: &Jobs, rows: &Arc<Dataset>) {
        if self.state.pending_count() > 0 {
            let values = self.state.values();
            self.start_save(jobs, rows, move || values.pending(), OnConflict::Ask);
        }
    }

    /// Settles all conflicts: the edits win, the file does, or ([`OnConflict::Ask`]) they stay for later.
    pub fn settle(&mut self, jobs: &Jobs, rows: &Arc<Dataset>, on_conflict: OnConflict) {
        if on_conflict == OnConflict::Ask {
            self.conflicts.clear();
            return;
        }
        let conflicts = std::mem::take(&mut self.conflicts);
        if !conflicts.is_empty() {
            let edits = || conflicts.into_iter().map(|conflict| conflict.edit).collect();
            self.start_save(jobs, rows, edits, on_conflict);
        }
    }

    fn start_save(
        &mut self,
        jobs: &Jobs,
        rows: &Arc<Dataset>,
        edits: impl FnOnce() -> Vec<Edit> + Send + 'static,
        on_conflict: OnConflict,
    ) {
        let Some(keeper) = self.writer.as_ref().and_then(Writer::keeper).filter(|_| self.saving.is_none())
        else {
            return;
        };
        let (rows, last_written) = (Arc::clone(rows), self.last_written.clone());
        let save = move |_: &Progress| {
            let (edits, last_written) = (edits(), last_written.as_deref());
            let save = Save { dataset: &rows, edits: &edits, on_conflict, last_written };
            save.run(&mut |entry| keeper.keep(entry))
        };
        self.saving = Some(jobs.start_whole("Saving labels", save));
    }

    fn take_refusal(&mut self, refused: Option<Refusal>) -> Option<EditNews> {
        match refused {
            None => {
                self.error = None;
                None
            }
            Some(Refusal::ForNow(why)) => {
                let why = plain(&why);
                // Said once: the writer tries again by itself.
                self.error.replace(why.clone()).is_none().then_some(EditNews::Failed(why))
            }
            Some(Refusal::ForGood(why)) => {
                let why = plain(&why);
                self.error = None;
                let is_new = self.denied.is_none();
                let lost = self.waiting();
                let edits = plural(lost, "edit is", "edits are");
                let message = format!("{why}. The last {lost} label {edits} not kept: make them again then");
                self.denied = Some(why);
                is_new.then_some(EditNews::Failed(message))
            }
        }
    }

    fn take_saved(
        &mut self,
        saved: Outcome<merge::MergeOutcome>,
        rows: Option<&mut Arc<Dataset>>,
    ) -> Vec<EditNews> {
        match saved {
            Outcome::Done(mut outcome) => {
                let entries = self.state.note_saved(&mut outcome);
                let changed = self.keep(entries, rows);
                self.conflicts = std::mem::take(&mut outcome.conflicts);
                if outcome.written_digest.is_some() {
                    self.last_written.clone_from(&outcome.written_digest);
                }
                vec![EditNews::Labelled(changed), EditNews::Saved(outcome)]
            }
            Outcome::Failed(message) => vec![EditNews::Failed(message)],
            Outcome::Cancelled => Vec::new(),
        }
    }

    /// Takes in what the disk and the jobs report; once a frame.
    pub fn poll(&mut self, rows: &mut Arc<Dataset>) -> Vec<EditNews> {
        let mut news = Vec::new();
        while let Ok(report) = self.reports.try_recv() {
            self.kept = report.kept;
            news.extend(self.take_refusal(report.refused));
        }
        if let Some(saved) = take(&mut self.saving) {
            news.extend(self.take_saved(saved, Some(rows)));
        }
        news
    }
}

/// Applies the labels of changes to the rows; returns those whose labels changed. Other versions of the rows keep
/// theirs.
fn relabel<'a>(
    rows: &mut Arc<Dataset>,
    changes: impl Iterator<Item = (ChangeView<'a>, Option<&'a str>)>,
) -> Vec<usize> {
    let labels = changes.filter_map(|(change, label)| match change.field {
        Field::Label(task) => Some((change.image, task.as_str(), label)),
        Field::Kept(_) | Field::Flag => None,
    });
    let mut labels = labels.peekable();
    if labels.peek().is_none() { Vec::new() } else { Arc::make_mut(rows).set_labels(labels) }
}

#[cfg(test)]
mod tests;
