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
use crate::app::command::{AppCommand, Level, Notice, Subject, UiCommand};
use crate::app::dialogs::export::ExportForm;
use crate::app::dialogs::file_dialogs;
use crate::app::services::jobs::{Outcome, take};
use crate::app::services::label_edits::{EditNews, LabelEdits};
use crate::app::services::project::Summary;

/// Edits read from disk, and the rows that they belong to.
pub struct OpenedEdits {
    generation: u64,
    csv: PathBuf,
    opened: OpenedAnnotations,
    /// Where they are not the project's own.
    rows: Option<EditedRows>,
    /// Where the CSV changed after the project had been read.
    reread: Option<Reread>,
}

/// Rows with their label edits.
struct EditedRows {
    dataset: Arc<Dataset>,
    summary: Summary,
}

/// What else is new after the CSV was read again.
struct Reread {
    config: Config,
    /// Whether its rows are about the same images in the same order.
    has_same_rows: bool,
}

impl OpenedEdits {
    /// What the user should know even if the edits are not used.
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
            let (reread, read) = match opened.reread.take().map(|reread| *reread) {
                Some((config, dataset)) => {
                    let has_same_rows = dataset.has_rows_of(&rows);
                    (Some(Reread { config, has_same_rows }), Some(Arc::new(dataset)))
                }
                None => (None, None),
            };
            let rows = read.clone().unwrap_or(rows);
            rows.index_images();
            let edits = opened.state.overlay();
            let edited = if edits.is_empty() { read } else { Some(Arc::new(rows.with_edits(&edits))) };
            let edited = edited.map(|dataset| EditedRows { summary: Summary::of(&dataset), dataset });
            Ok(OpenedEdits { generation, csv: rows.table.path.clone(), opened, rows: edited, reread })
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
        self.tell(Notice::new(Level::Error, message).about(Subject::Labels));
        true
    }

    pub(in crate::app) fn take_in_edits(&mut self) {
        match take(&mut self.opening_edits) {
            Some(Outcome::Done(opened)) => self.on_edits_opened(opened),
            Some(Outcome::Failed(message)) => {
                let notice = Notice::new(Level::Error, message).about(Subject::Labels);
                self.tell(notice.offering("Reload", AppCommand::Ui(UiCommand::ReloadProject)));
                self.check_images();
            }
            Some(Outcome::Cancelled) | None => {}
        }
        self.settle_rows();
        let (Some(edits), Some(project)) = (&mut self.edits, &mut self.project) else { return };
        let was_refused = edits.error().is_some();
        let news = edits.poll(&mut project.dataset);
        let is_written = was_refused && edits.error().is_none() && edits.denied().is_none();
        let can_reload = edits.denied().is_some();
        if is_written {
            self.messages.settle(Subject::Labels);
            self.note("The label edits that waited are on the disk");
        }
        for news in news {
            match news {
                EditNews::Labelled(rows) => self.settling.on_labelled(rows),
                EditNews::Saved(outcome) => self.on_labels_saved(&outcome),
                EditNews::Failed(message) => {
                    let notice = Notice::new(Level::Error, message).about(Subject::Labels);
                    let reload = AppCommand::Ui(UiCommand::ReloadProject);
                    self.tell(if can_reload { notice.offering("Reload", reload) } else { notice });
                }
            }
        }
    }

    /// Takes in what the background derived from all labels.
    fn settle_rows(&mut self) {
        let Some(project) = &mut self.project else { return };
        match self.settling.poll(&self.jobs, project, self.generation + 1) {
            Some(Ok(())) => self.generation += 1,
            Some(Err(message)) => self.toast(Level::Error, message),
            None => {}
        }
    }

    fn on_edits_opened(&mut self, opened: OpenedEdits) {
        let OpenedEdits { generation, csv, opened, rows, reread } = opened;
        // Another project's edits are not wanted.
        let Some(project) = self.project.as_mut().filter(|project| project.generation == generation) else {
            return;
        };
        if let Some(EditedRows { dataset, summary }) = rows {
            self.generation += 1;
            project.generation = self.generation;
            self.jobs.let_go(std::mem::replace(&mut project.dataset, dataset));
            project.summary = Arc::new(summary);
        }
        if let Some(Reread { config, has_same_rows }) = reread {
            project.config = config;
            self.tell_of_project(true, has_same_rows);
        }
        for warning in &opened.warnings {
            self.commands.toast(Level::Warning, warning);
        }
        let pending = opened.state.pending_count();
        if opened.journal.denied().is_none() {
            let csv = csv.clone();
            // Nobody waits for it.
            drop(self.jobs.start_quietly("Removing half-written files", move |_| {
                edits::remove_leftovers(&csv);
                Ok(())
            }));
        }
        let ctx = self.ctx.clone();
        let edits = LabelEdits::new(csv, opened, move || ctx.request_repaint());
        let is_denied = edits.denied().is_some();
        if let Some(denied) = edits.denied() {
            let notice = Notice::new(Level::Warning, denied).about(Subject::Labels);
            let reload = AppCommand::Ui(UiCommand::ReloadProject);
            self.commands.notify(notice.offering("Reload", reload));
        }
        if pending > 0 && !is_denied {
            let message = format!(
                "{} from an earlier session {} not in the CSV yet",
                counted_grouped(pending, "label edit"),
                is(pending),
            );
            let notice = Notice::new(Level::Info, message).about(Subject::Labels);
            let save = AppCommand::Ui(UiCommand::SaveLabels);
            self.commands.notify(notice.offering(UiCommand::SaveLabels.text(), save));
        }
        self.edits = Some(edits);
        self.check_images();
    }

    pub(in crate::app) fn edit(&mut self, step: Step) {
        match (&mut self.edits, &mut self.project) {
            (Some(edits), Some(project)) => match edits.denied().map(str::to_owned) {
                Some(denied) => self.tell(Notice::new(Level::Warning, denied).about(Subject::Labels)),
                None => self.settling.on_labelled(edits.edit(step, &mut project.dataset)),
            },
            _ => self.toast(Level::Info, "Label edits are still being read"),
        }
    }

    /// Takes the last edit back, or makes the one again that was taken back last.
    pub(in crate::app) fn undo(&mut self, is_undo: bool) {
        let (Some(edits), Some(project)) = (&mut self.edits, &mut self.project) else { return };
        let state = edits.state();
        let step = if is_undo { state.next_undo() } else { state.next_redo() };
        let image = step.and_then(|step| step.changes().next());
        let image = image.map(|change| change.image.to_owned());
        let rows = &mut project.dataset;
        let changed = if is_undo { edits.undo(rows) } else { edits.redo(rows) };
        let Some(changed) = changed else { return };
        self.settling.on_labelled(changed);
        if let Some(image) = image {
            let (views, context) = self.split();
            views.label.show_image(&image, &context);
        }
    }

    pub(in crate::app) fn save_labels(&mut self) {
        if let (Some(edits), Some(project)) = (&mut self.edits, &self.project) {
            edits.save(&self.jobs, &project.dataset);
        }
    }

    /// Asks in which form to export.
    pub(in crate::app) fn show_export(&mut self) {
        if let (Some(_), Some(project)) = (&self.edits, &self.project) {
            self.overlays.export = Some(ExportForm::new(&project.dataset));
        }
    }

    /// Whether label edits are read and can be made, and what an action needs besides.
    pub(in crate::app) fn can_change_labels(&self, besides: impl Fn(&LabelEdits) -> bool) -> bool {
        self.edits.as_ref().is_some_and(|edits| edits.denied().is_none() && besides(edits))
    }

    /// Asks where to, and then exports.
    pub(in crate::app) fn ask_where_to_export(&mut self, form: Form) {
        let (Some(_), Some(project)) = (&self.edits, &self.project) else { return };
        let csv = &project.dataset.table.path;
        let stem = csv.file_stem().unwrap_or(csv.as_os_str()).to_string_lossy().into_owned();
        self.questions.push(file_dialogs::export(form, &stem));
    }

    pub(in crate::app) fn export_labels(&mut self, form: Form, target: PathBuf) {
        let (Some(edits), Some(project)) = (&self.edits, &self.project) else { return };
        let (rows, values) = (Arc::clone(&project.dataset), edits.state().values());
        let commands = self.commands.clone();
        self.command_jobs.push(self.jobs.start("Exporting labels", move |progress| {
            let exported = export::export(&rows, &values, &form, &target, &mut |done, of| {
                progress.set(done as u64, of as u64);
                progress.keep_going()
            })?;
            for notice in exported.notices {
                commands.toast(Level::Warning, notice);
            }
            Ok(Some(AppCommand::notify(Notice::written(exported.summary, target))))
        }));
    }

    pub(in crate::app) fn settle_conflicts(&mut self, on_conflict: OnConflict) {
        if let (Some(edits), Some(project)) = (&mut self.edits, &self.project) {
            edits.settle(&self.jobs, &project.dataset, on_conflict);
        }
    }

    fn on_labels_saved(&mut self, outcome: &merge::MergeOutcome) {
        let mut message = format!("{} of the CSV changed.", counted_grouped(outcome.rows_changed, "row"));
        if let Some(backup) = &outcome.backup {
            message += &format!(" It is kept as it was in {}.", backup.display());
        }
        self.messages.settle(Subject::Labels);
        self.tell(Notice::new(Level::Success, message).about(Subject::Labels));
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
