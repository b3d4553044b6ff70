//! Changing tasks and labels of the open project: the label edits are given back, the files change, and the
//! project is opened anew where it was.

use std::path::PathBuf;

use tasklens_data::dataset::vocabulary::{self, Applied, VocabularyChange};
use tasklens_data::text::grouped;

use crate::app::command::{LabelAction, LabelName, Level};
use crate::app::place::Place;
use crate::app::services::jobs::{Job, Outcome};
use crate::app::services::label_edits::LabelEdits;
use crate::app::{App, ToCopy};

/// A change on its way.
pub struct Changing {
    config: PathBuf,
    change: VocabularyChange,
    job: Job<Applied>,
}

impl Changing {
    /// Waits for its end; not for the UI thread, but when the window closes.
    pub fn wait(self) -> Outcome<Applied> {
        self.job.wait()
    }
}

impl App {
    /// Does with a label what was chosen in its menu.
    pub(in crate::app) fn on_label(&mut self, action: LabelAction, name: LabelName) {
        match action {
            LabelAction::ShowInLabel => self.go_to(Place::Label),
            LabelAction::ShowInData => self.go_to(Place::Data),
            LabelAction::Inspect => self.go_to(Place::Inspect),
            _ => {}
        }
        let (views, context) = self.split();
        let Some(project) = context.project else { return };
        match action {
            LabelAction::ShowInLabel => views.label.show_label(&name, &project.dataset.tasks),
            LabelAction::ShowInData => views.data.show_label(&name, &project.dataset.tasks),
            LabelAction::Inspect => views.inspect.show_label(name),
            LabelAction::Rename => views.vocabulary.rename(&name),
            // A frame is needed for it: see `App::ui`.
            LabelAction::CopyName => self.to_copy = Some(ToCopy::Text(name.label)),
            // Whoever shows the label does these.
            LabelAction::ShowImages | LabelAction::ChooseKey => {}
        }
    }

    /// Makes a change in the files of the project, in the background.
    pub(in crate::app) fn change_vocabulary(&mut self, change: VocabularyChange) {
        let Some(project) = &self.project else { return };
        let obstacle = match &self.edits {
            _ if self.changing.is_some() => {
                Some("Tasks and labels are already being changed; try again when that is done")
            }
            None => Some("Label edits are still being read; try again in a moment"),
            Some(edits) if edits.is_saving() => Some("Labels are being saved; try again when that is done"),
            Some(edits) if !edits.is_kept() && edits.error().is_none() => {
                Some("The last label edits are still being written to disk; try again in a moment")
            }
            Some(edits) => edits.denied().or(edits.error()),
        };
        if let Some(obstacle) = obstacle.map(str::to_owned) {
            self.toast(Level::Warning, obstacle);
            return;
        }
        let (config, file) = (project.config.file.clone(), project.config.file.clone());
        let (edits, made) = (self.edits.take(), change.clone());
        let job = self.jobs.start_whole("Changing tasks and labels", move |_| {
            // Waits for the disk, and gives the lock back. All edits were on the disk: nothing can be lost here.
            if let Some(lost) = edits.and_then(LabelEdits::finish) {
                anyhow::bail!("{lost}");
            }
            vocabulary::apply(&file, &made)
        });
        self.changing = Some(Changing { config, change, job });
    }

    pub(in crate::app) fn take_in_vocabulary(&mut self) {
        // What is being opened now may have been read before the change: it is waited for, and read again.
        let Some(changing) = self.changing.as_mut().filter(|_| self.opening.is_none()) else { return };
        let Some(outcome) = changing.job.poll() else { return };
        let Some(Changing { config, change, .. }) = self.changing.take() else { return };
        match outcome {
            Outcome::Done(applied) => self.on_vocabulary_changed(&change, &applied),
            Outcome::Failed(message) => self.toast(Level::Error, message),
            Outcome::Cancelled => {}
        }
        let is_still_open = self.project.as_ref().is_some_and(|project| project.config.file == config);
        if is_still_open {
            self.open_paths(vec![config]);
        }
    }

    fn on_vocabulary_changed(&mut self, change: &VocabularyChange, applied: &Applied) {
        for warning in &applied.warnings {
            self.toast(Level::Warning, warning);
        }
        let mut message = format!("Done: {change}.");
        match applied.rows_changed {
            0 => {}
            1 => message += " 1 row of the CSV changed.",
            rows => message += &format!(" {} rows of the CSV changed.", grouped(rows as u64)),
        }
        if let Some(backup) = applied.csv_backup.as_ref().or(applied.config_backup.as_ref())
            && let Some(folder) = backup.parent()
        {
            message += &format!(" The previous files are kept in {}.", folder.display());
        }
        self.toast(Level::Success, message);
    }
}
