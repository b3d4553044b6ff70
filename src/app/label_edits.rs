//! The label edits of the open project: what holds, whether it is on the disk, and whether the CSV has it.
//!
//! An edit holds at once; a thread appends it to the journal, and the project's rows follow in the background.

use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::jobs::{Job, Jobs, Outcome, take};
use super::project::Summary;
use crate::dataset::Dataset;
use crate::dataset::edits::merge::{self, OnConflict};
use crate::dataset::edits::{Edit, Entry, Opened, Report, State, Step, Writer};

/// The edits of one project.
pub struct LabelEdits {
    /// The rows as the CSV had them.
    base: Arc<Dataset>,
    state: State,
    writer: Option<Writer>,
    /// Why nothing can be edited.
    denied: Option<String>,
    reports: Receiver<Report>,
    sent: usize,
    kept: usize,
    error: Option<String>,
    /// Grows with each change of `base` or `state`.
    version: u64,
    /// The version that the project's rows have.
    applied: u64,
    applying: Option<Job<(u64, Arc<Dataset>, Summary)>>,
    saving: Option<Job<merge::Outcome>>,
    /// Edits that contradict what the CSV has by now; the user decides.
    conflicts: Vec<merge::Conflict>,
}

/// What came of background work.
pub enum News {
    /// The project's rows with all edits in them.
    Applied(Arc<Dataset>, Summary),
    /// The CSV was written.
    Saved(merge::Outcome),
    /// Something did not work.
    Failed(String),
}

impl LabelEdits {
    /// The edits of `base`, as they were opened; `wake` is called when the disk has answered.
    pub fn new(base: Arc<Dataset>, opened: Opened, wake: impl Fn() + Send + 'static) -> Self {
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
            applied: 0,
            applying: None,
            saving: None,
            conflicts: Vec::new(),
        }
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
        let entry = if self.denied.is_none() { self.state.undo() } else { None };
        self.keep(entry)
    }

    /// Makes the step undone last again; whether there was one.
    pub fn redo(&mut self) -> bool {
        let entry = if self.denied.is_none() { self.state.redo() } else { None };
        self.keep(entry)
    }

    fn keep(&mut self, entries: impl IntoIterator<Item = Entry>) -> bool {
        let before = self.sent;
        for entry in entries {
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
        self.start_save(jobs, self.state.pending(), OnConflict::Ask);
    }

    /// Settles all conflicts: the edits win, the file does, or ([`OnConflict::Ask`]) they stay for later.
    pub fn settle(&mut self, jobs: &Jobs, on_conflict: OnConflict) {
        if on_conflict == OnConflict::Ask {
            self.conflicts.clear();
            return;
        }
        let edits = std::mem::take(&mut self.conflicts).into_iter().map(|conflict| conflict.edit).collect();
        self.start_save(jobs, edits, on_conflict);
    }

    fn start_save(&mut self, jobs: &Jobs, edits: Vec<Edit>, on_conflict: OnConflict) {
        if self.saving.is_some() || edits.is_empty() {
            return;
        }
        let base = Arc::clone(&self.base);
        self.saving = Some(jobs.start("Saving labels", move |_| merge::save(&base, &edits, on_conflict)));
    }

    /// Takes in what the disk and the jobs say, and lets the rows follow; once a frame.
    pub fn poll(&mut self, jobs: &Jobs) -> Vec<News> {
        let mut news = Vec::new();
        while let Ok(report) = self.reports.try_recv() {
            self.kept = report.kept;
            // Said once: the writer tries again by itself.
            if report.error.is_some() && self.error.is_none() {
                news.extend(report.error.clone().map(News::Failed));
            }
            self.error = report.error;
        }
        match take(&mut self.saving) {
            Some(Outcome::Done(outcome)) => {
                let entries = self.state.note_saved(&outcome);
                self.keep(entries);
                self.conflicts.clone_from(&outcome.conflicts);
                news.push(News::Saved(outcome));
            }
            Some(Outcome::Failed(message)) => news.push(News::Failed(message)),
            Some(Outcome::Cancelled) | None => {}
        }
        news.extend(self.apply(jobs));
        news
    }

    /// Puts the edits into the rows, one job at a time: while it works, further edits wait for the next.
    fn apply(&mut self, jobs: &Jobs) -> Option<News> {
        let mut news = None;
        match take(&mut self.applying) {
            Some(Outcome::Done((version, dataset, summary))) => {
                self.applied = version;
                news = Some(News::Applied(dataset, summary));
            }
            Some(Outcome::Failed(message)) => {
                self.applied = self.version;
                news = Some(News::Failed(message));
            }
            Some(Outcome::Cancelled) | None => {}
        }
        if self.applying.is_none() && self.applied != self.version {
            let (base, edits, version) = (Arc::clone(&self.base), self.state.overlay(), self.version);
            self.applying = Some(jobs.start_quietly("Taking in edits", move |_| {
                let dataset = if edits.is_empty() { base } else { Arc::new(base.with_edits(&edits)) };
                let summary = Summary::of(&dataset);
                Ok((version, dataset, summary))
            }));
        }
        news
    }
}
