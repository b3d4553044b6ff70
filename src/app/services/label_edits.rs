//! The label edits of the open project: what holds, whether it is on the disk, and whether the CSV has it.
//!
//! An edit holds at once; a thread appends it to the journal, and the project's rows follow in the background.

use std::sync::Arc;

use crossbeam_channel::Receiver;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::edits::merge::{self, OnConflict, Save};
use tasklens_data::dataset::edits::{
    ChangeView, Edit, Entry, OpenedAnnotations, Refusal, State, Step, Writer, WriterReport,
};
use tasklens_data::text::{is, plural};

use crate::app::services::jobs::{Job, Jobs, Outcome, Progress, take};
use crate::app::services::project::Summary;
use follow::{Follow, gains};

mod follow;

/// The edits of one project.
pub struct LabelEdits {
    /// The rows as the CSV had them.
    base: Arc<Dataset>,
    state: State,
    writer: Option<Writer>,
    /// Why nothing can be edited.
    denied: Option<String>,
    reports: Receiver<WriterReport>,
    sent: usize,
    kept: usize,
    error: Option<String>,
    /// Grows with each change of `base` or `state`.
    version: u64,
    /// The project's rows on their way to `version`.
    follow: Follow,
    saving: Option<Job<merge::MergeOutcome>>,
    /// SHA-256 of the CSV as our last save left it.
    last_written: Option<String>,
    /// Edits that contradict what the CSV has by now; the user decides.
    conflicts: Vec<merge::Conflict>,
}

/// What came of background work.
pub enum News {
    /// The project's rows with all edits in them.
    Applied(Arc<Dataset>, Summary),
    /// The CSV was written.
    Saved(merge::MergeOutcome),
    /// Something did not work.
    Failed(String),
}

impl LabelEdits {
    /// The edits of `base`, as they were opened; `wake` is called when the disk has answered.
    pub fn new(base: Arc<Dataset>, opened: OpenedAnnotations, wake: impl Fn() + Send + 'static) -> Self {
        let (sender, reports) = crossbeam_channel::unbounded();
        let mut denied = opened.journal.denied().map(str::to_owned);
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
        let version = u64::from(!opened.state.is_empty());
        Self {
            base,
            state: opened.state,
            writer,
            denied,
            reports,
            sent: 0,
            kept: 0,
            error: None,
            version,
            follow: Follow::default(),
            saving: None,
            last_written: None,
            conflicts: Vec::new(),
        }
    }

    /// Waits until everything is on the disk and a save has ended, gives the lock back, and says what the disk did
    /// not take; not for the UI thread.
    pub fn finish(mut self) -> Option<String> {
        if let Some(saving) = self.saving.take() {
            self.take_saved(saving.wait());
        }
        let lost = self.writer.take().map_or(0, Writer::finish);
        (lost > 0).then(|| {
            let csv = self.base.table.path.display();
            format!(
                "The last {lost} label {} could not be written beside {csv} and {} lost: is the disk full?",
                plural(lost, "edit", "edits"),
                is(lost)
            )
        })
    }

    /// What holds.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The rows as the CSV had them: what changes are made of.
    pub fn base(&self) -> &Dataset {
        &self.base
    }

    /// The same, to be shared.
    pub fn base_rows(&self) -> Arc<Dataset> {
        Arc::clone(&self.base)
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

    /// The version that the project's rows have; they follow in the background.
    pub fn version_of_rows(&self) -> u64 {
        self.follow.version()
    }

    /// How many more labels of a task there are by now than the project's rows and their counts have; fewer,
    /// where it is negative.
    pub fn ahead_of_rows(&self, task: usize) -> i64 {
        self.follow.ahead(task)
    }

    /// Whether the CSV is being written.
    pub fn is_saving(&self) -> bool {
        self.saving.is_some()
    }

    /// Edits that contradict what the CSV has by now.
    pub fn conflicts(&self) -> &[merge::Conflict] {
        &self.conflicts
    }

    /// Makes a step; whether anything changed.
    pub fn edit(&mut self, step: Step) -> bool {
        if self.denied.is_some() {
            return false;
        }
        let entry = self.state.edit(step);
        self.keep(entry)
    }

    /// Undoes the last step; whether there was one.
    pub fn undo(&mut self) -> bool {
        if self.denied.is_some() {
            return false;
        }
        let taken = self.state.next_undo().map(|step| gains(&self.base.tasks, step.changes()));
        self.follow.add(&taken.unwrap_or_default(), -1);
        let entry = self.state.undo();
        self.keep(entry)
    }

    /// Makes the step undone last again; whether there was one.
    pub fn redo(&mut self) -> bool {
        if self.denied.is_some() {
            return false;
        }
        let given = self.state.next_redo().map(|step| gains(&self.base.tasks, step.changes()));
        self.follow.add(&given.unwrap_or_default(), 1);
        let entry = self.state.redo();
        self.keep(entry)
    }

    fn keep(&mut self, entries: impl IntoIterator<Item = Entry>) -> bool {
        let before = self.sent;
        for entry in entries {
            if let Entry::Step { changes, .. } = &entry {
                self.follow.add(&gains(&self.base.tasks, changes.iter().map(ChangeView::from)), 1);
            }
            if let Some(writer) = &self.writer {
                writer.send(entry);
            }
            self.sent += 1;
        }
        let changed = self.sent > before;
        self.version += u64::from(changed);
        changed
    }

    /// The rows were looked at again: other ones can be used.
    pub fn set_base(&mut self, base: Arc<Dataset>) {
        self.base = base;
        self.version += 1;
    }

    /// Writes what the CSV does not have yet into it, in the background.
    pub fn save(&mut self, jobs: &Jobs) {
        if self.state.pending_count() > 0 {
            let values = self.state.values();
            self.start_save(jobs, move || values.pending(), OnConflict::Ask);
        }
    }

    /// Settles all conflicts: the edits win, the file does, or ([`OnConflict::Ask`]) they stay for later.
    pub fn settle(&mut self, jobs: &Jobs, on_conflict: OnConflict) {
        if on_conflict == OnConflict::Ask {
            self.conflicts.clear();
            return;
        }
        let conflicts = std::mem::take(&mut self.conflicts);
        if !conflicts.is_empty() {
            let edits = || conflicts.into_iter().map(|conflict| conflict.edit).collect();
            self.start_save(jobs, edits, on_conflict);
        }
    }

    fn start_save(
        &mut self,
        jobs: &Jobs,
        edits: impl FnOnce() -> Vec<Edit> + Send + 'static,
        on_conflict: OnConflict,
    ) {
        let Some(keeper) = self.writer.as_ref().and_then(Writer::keeper).filter(|_| self.saving.is_none())
        else {
            return;
        };
        let (base, last_written) = (Arc::clone(&self.base), self.last_written.clone());
        let save = move |_: &Progress| {
            let (edits, last_written) = (edits(), last_written.as_deref());
            let save = Save { dataset: &base, edits: &edits, on_conflict, last_written };
            save.run(&mut |entry| keeper.keep(entry))
        };
        self.saving = Some(jobs.start_whole("Saving labels", save));
    }

    fn take_refusal(&mut self, refused: Option<Refusal>) -> Option<News> {
        match refused {
            None => {
                self.error = None;
                None
            }
            Some(Refusal::ForNow(why)) => {
                // Said once: the writer tries again by itself.
                self.error.replace(why.clone()).is_none().then_some(News::Failed(why))
            }
            Some(Refusal::ForGood(why)) => {
                self.error = None;
                let is_new = self.denied.is_none();
                let lost = self.waiting();
                let edits = plural(lost, "edit is", "edits are");
                let message = format!("{why}. The last {lost} label {edits} not kept: make them again then");
                self.denied = Some(why);
                is_new.then_some(News::Failed(message))
            }
        }
    }

    fn take_saved(&mut self, saved: Outcome<merge::MergeOutcome>) -> Option<News> {
        match saved {
            Outcome::Done(mut outcome) => {
                let entries = self.state.note_saved(&mut outcome);
                self.keep(entries);
                self.conflicts = std::mem::take(&mut outcome.conflicts);
                if outcome.written_digest.is_some() {
                    self.last_written.clone_from(&outcome.written_digest);
                }
                Some(News::Saved(outcome))
            }
            Outcome::Failed(message) => Some(News::Failed(message)),
            Outcome::Cancelled => None,
        }
    }

    /// Takes in what the disk and the jobs say, and lets the rows follow; once a frame.
    pub fn poll(&mut self, jobs: &Jobs) -> Vec<News> {
        let mut news = Vec::new();
        while let Ok(report) = self.reports.try_recv() {
            self.kept = report.kept;
            news.extend(self.take_refusal(report.refused));
        }
        let saved = take(&mut self.saving);
        news.extend(saved.and_then(|saved| self.take_saved(saved)));
        match self.follow.poll(jobs, (&self.base, &self.state, self.version)) {
            Some(Ok((rows, summary))) => news.push(News::Applied(rows, summary)),
            Some(Err(message)) => news.push(News::Failed(message)),
            None => {}
        }
        news
    }
}
