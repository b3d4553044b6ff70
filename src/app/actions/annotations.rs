//! The label edits of the open project: opening, changing, saving and exporting them.

use std::path::PathBuf;
use std::sync::Arc;

use tasklens_data::config::Config;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::edits::merge::{self, OnConflict};
use tasklens_data::dataset::edits::{self, OpenedAnnotations, Step};
use tasklens_data::dataset::export::{self, Form};
use tasklens_data::text::{counted_grouped, is, plural};

use crate::app::App;
use crate::app::command::{AppCommand, Level, UiCommand};
use crate::app::dialogs::export::ExportForm;
use crate::app::services::file_dialogs;
use crate::app::services::jobs::{Outcome, take};
use crate::app::services::label_edits::{LabelEdits, News};
use crate::app::services::project::Summary;

/// Edits read from disk, and the rows that they belong to.
pub struct OpenedEdits {
    generation: u64,
    rows: Arc<Dataset>,
    opened: OpenedAnnotations,
    /// Where the CSV changed after the project had been read: its config, what was counted in the rows, and
    /// whether they are about the same images in the same order.
    reread: Option<(Config, Summary, bool)>,
}

impl OpenedEdits {
    /// What the user should know though they go unused.
    pub fn said(self) -> Vec<String> {
        self.opened.warnings
    }
}

impl App {
    /// Reads the edits of the project that was just opened. The earlier ones give their lock back first: it may
    /// be the same project.
    pub(in crate::app) fn open_edits(&mut self) {
        let leaving = self.leave_edits();
        let Some(project) = &self.project else { return };
        let (generation, rows) = (project.generation, Arc::clone(&project.dataset));
        let config = project.config.clone();
        self.opening_edits = Some(self.jobs.start_quietly("Reading label edits", move |_| {
            let said = leaving.finish();
            let mut opened = edits::open(&config, &rows).map_err(|error| {
                // What was lost before must not be lost on the way.
                said.iter().rev().fold(error, |error, said| error.context(said.clone()))
            })?;
            opened.warnings.extend(said);
            let Some(reread) = opened.reread.take() else {
                return Ok(OpenedEdits { generation, rows, opened, reread: None });
            };
            let (config, dataset) = *reread;
            let reread = Some((config, Summary::of(&dataset), dataset.has_rows_of(&rows)));
            Ok(OpenedEdits { generation, rows: Arc::new(dataset), opened, reread })
        }));
    }

    /// Whether the project must stay open, as the disk refuses its edits; says so.
    pub(in crate::app) fn must_stay_open(&mut self) -> bool {
        let error = self.edits.as_ref().and_then(LabelEdits::error);
        let Some(message) = error.map(|error| {
            format!(
                "The project stays open because its last label edits are in memory only. {error}. Tasklens \
                 tries again every two seconds to write them; to discard them, quit"
            )
        }) else {
            return false;
        };
        self.toast(Level::Error, message);
        true
    }

    pub(in crate::app) fn take_in_edits(&mut self) {
        match take(&mut self.opening_edits) {
            Some(Outcome::Done(opened)) => self.on_edits_opened(opened),
            Some(Outcome::Failed(message)) => self.toast(Level::Error, message),
            Some(Outcome::Cancelled) | None => {}
        }
        let Some(edits) = &mut self.edits else { return };
        for news in edits.poll(&self.jobs) {
            match news {
                News::Applied(dataset, summary) => {
                    if let Some(project) = &mut self.project {
                        self.generation += 1;
                        project.generation = self.generation;
                        let old = std::mem::replace(&mut project.dataset, dataset);
                        project.summary = Arc::new(summary);
                        self.jobs.let_go(old);
                    }
                }
                News::Saved(outcome) => self.on_labels_saved(&outcome),
                News::Failed(message) => self.toast(Level::Error, message),
            }
        }
    }

    fn on_edits_opened(&mut self, OpenedEdits { generation, rows, opened, reread }: OpenedEdits) {
        // The images may have been checked meanwhile; only another project's edits are not wanted.
        let Some(project) = self.project.as_ref().filter(|project| project.generation >= generation) else {
            return;
        };
        let rows = if project.generation == generation || reread.is_some() {
            rows
        } else {
            Arc::clone(&project.dataset)
        };
        if let Some((config, summary, has_same_rows)) = reread {
            self.on_reread(config, Arc::clone(&rows), summary, has_same_rows);
        }
        for warning in &opened.warnings {
            self.commands.toast(Level::Warning, warning);
        }
        let pending = opened.state.pending_count();
        if opened.journal.denied().is_none() {
            let csv = rows.table.path.clone();
            // Nobody waits for it.
            drop(self.jobs.start_quietly("Removing half-written files", move |_| {
                edits::remove_leftovers(&csv);
                Ok(())
            }));
        }
        let ctx = self.ctx.clone();
        let edits = LabelEdits::new(rows, opened, move || ctx.request_repaint());
        if let Some(denied) = edits.denied() {
            self.commands.toast(Level::Warning, denied);
        }
        if pending > 0 {
            let message = format!(
                "{} from an earlier session {} not in the CSV yet: Save labels writes {}",
                counted_grouped(pending, "label edit"),
                is(pending),
                plural(pending, "it", "them"),
            );
            self.commands.toast(Level::Info, message);
        }
        self.edits = Some(edits);
    }

    pub(in crate::app) fn edit(&mut self, step: Step) {
        match &mut self.edits {
            Some(edits) => match edits.denied().map(str::to_owned) {
                Some(denied) => self.toast(Level::Warning, denied),
                None => {
                    edits.edit(step);
                }
            },
            None => self.toast(Level::Info, "Label edits are still being read"),
        }
    }

    /// Takes the last edit back, or makes the one again that was taken back last.
    pub(in crate::app) fn undo(&mut self, is_undo: bool) {
        let Some(edits) = &mut self.edits else { return };
        let state = edits.state();
        let step = if is_undo { state.next_undo() } else { state.next_redo() };
        let image = step.and_then(|step| step.changes().next());
        let image = image.map(|change| change.image.to_owned());
        let changed = if is_undo { edits.undo() } else { edits.redo() };
        if let Some(image) = image.filter(|_| changed) {
            let (views, context) = self.split();
            views.label.show_image(&image, &context);
        }
    }

    pub(in crate::app) fn save_labels(&mut self) {
        if let Some(edits) = &mut self.edits {
            edits.save(&self.jobs);
        }
    }

    /// Asks in which form to export.
    pub(in crate::app) fn show_export(&mut self) {
        if let Some(edits) = &self.edits {
            self.overlays.export = Some(ExportForm::new(edits.base()));
        }
    }

    /// Whether label edits are read and can be made, and what an action needs besides.
    pub(in crate::app) fn can_change_labels(&self, besides: impl Fn(&LabelEdits) -> bool) -> bool {
        self.edits.as_ref().is_some_and(|edits| edits.denied().is_none() && besides(edits))
    }

    /// Asks where to, and then exports.
    pub(in crate::app) fn ask_where_to_export(&mut self, form: Form) {
        let Some(edits) = &self.edits else { return };
        let csv = &edits.base().table.path;
        let stem = csv.file_stem().unwrap_or(csv.as_os_str()).to_string_lossy().into_owned();
        self.errands.push(file_dialogs::ask_export(&self.jobs, form, &stem));
    }

    pub(in crate::app) fn export_labels(&mut self, form: Form, target: PathBuf) {
        let Some(edits) = &self.edits else { return };
        let (base, values, commands) = (edits.base_rows(), edits.state().values(), self.commands.clone());
        self.errands.push(self.jobs.start("Exporting labels", move |progress| {
            let written = export::export(&base, &values, &form, &target, &mut |done, of| {
                progress.set(done as u64, of as u64);
                progress.keep_going()
            })?;
            for notice in written.notices {
                commands.toast(Level::Warning, notice);
            }
            Ok(Some(AppCommand::Toast { level: Level::Success, message: written.summary }))
        }));
    }

    pub(in crate::app) fn settle_conflicts(&mut self, on_conflict: OnConflict) {
        if let Some(edits) = &mut self.edits {
            edits.settle(&self.jobs, on_conflict);
        }
    }

    fn on_labels_saved(&mut self, outcome: &merge::MergeOutcome) {
        let mut message = format!("{} of the CSV changed.", counted_grouped(outcome.rows_changed, "row"));
        if let Some(backup) = &outcome.backup {
            message += &format!(" It is kept as it was in {}.", backup.display());
        }
        self.toast(Level::Success, message);
        for notice in &outcome.notices {
            self.toast(Level::Warning, notice);
        }
        if let Some(missing) = outcome.missing.first() {
            let count = outcome.missing.len();
            let edits = counted_grouped(count, "label edit");
            let stay = plural(count, "stays", "stay");
            let message =
                format!("{edits} cannot be written into the CSV and {stay} pending: {}", missing.why);
            self.toast(Level::Warning, message);
        }
        // Another program changed the file: its rows are not those in memory.
        let has_conflicts = self.edits.as_ref().is_some_and(|edits| !edits.conflicts().is_empty());
        if outcome.file_changed && !has_conflicts {
            self.commands.send(AppCommand::Ui(UiCommand::ReloadProject));
        }
    }
}
