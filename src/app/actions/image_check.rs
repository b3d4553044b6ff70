//! Looking at the header of every image file of a project, in the background.

use std::sync::Arc;

use tasklens_data::dataset::problems::{self, Checked, Look};
use tasklens_data::dataset::{Dataset, Reading};
use tasklens_data::text::{counted, counted_grouped};

use crate::app::App;
use crate::app::command::{AppCommand, Level, Notice, Subject, UiCommand};

impl App {
    /// Looks at the header of every image file of a project that was opened, unless the user cancelled that before. The
    /// label edits come first: they tell which images are used.
    pub(in crate::app) fn check_images(&mut self) {
        if !self.skips_image_check() {
            self.start_image_check();
            return;
        }
        let message = "The image files were not looked at, because that was cancelled before";
        let does = AppCommand::Ui(UiCommand::CheckImages);
        let notice = Notice::new(Level::Info, message);
        self.tell(notice.offering(UiCommand::CheckImages.text(), does));
    }

    /// The user wants it, whatever was cancelled before.
    pub(super) fn check_images_anyway(&mut self) {
        self.set_skips_image_check(false);
        self.start_image_check();
    }

    /// The user cancelled it: it does not begin again by itself, after a restart neither.
    pub(super) fn on_image_check_cancelled(&mut self) {
        self.set_skips_image_check(true);
    }

    fn skips_image_check(&self) -> bool {
        let file = self.project.as_ref().map(|project| &project.config.file);
        let view = file.and_then(|file| self.settings.views.get(file));
        view.is_some_and(|view| view.skips_image_check)
    }

    fn set_skips_image_check(&mut self, skips: bool) {
        let Some(file) = self.project.as_ref().map(|project| project.config.file.clone()) else { return };
        self.settings.views.entry(file).or_default().skips_image_check = skips;
        self.save_settings();
    }

    fn start_image_check(&mut self) {
        let Some(project) = &self.project else { return };
        let rows = Arc::clone(&project.dataset);
        self.image_check = Some(self.jobs.start("Checking images", move |progress| {
            let said = |done: usize, of: usize| {
                progress.set(done as u64, of as u64);
                progress.keep_going()
            };
            let found = problems::check_images(&rows, Look::Header, &said);
            let usable = |rows: &Dataset| rows.rows.iter().filter(|row| row.usable).count();
            let left = usable(&rows.with_images_checked(found.clone()));
            let lost = usable(&rows).saturating_sub(left);
            Ok(CheckedImages { reading: rows.reading().clone(), found, lost, rows: left })
        }));
    }

    /// Takes in what the check found, if the rows are still those of the CSV that was read then.
    pub(in crate::app) fn on_images_checked(&mut self, checked: CheckedImages) {
        let CheckedImages { reading, found, lost, rows } = checked;
        if !self.project.as_ref().is_some_and(|project| *project.dataset.reading() == reading) {
            return;
        }
        self.settling.on_checked(found);
        self.messages.settle(Subject::Rows);
        if lost > 0 {
            let message = format!("{} cannot be used", counted(lost, "image"));
            let notice = Notice::new(Level::Warning, message).about(Subject::Rows);
            self.tell(notice.offering("Show rows", AppCommand::ShowProblems));
        } else {
            self.note(format!("The images of {} can be used", counted_grouped(rows, "row")));
        }
    }
}

/// What the check of the images found, of which reading of the CSV.
pub struct CheckedImages {
    reading: Reading,
    found: Checked,
    /// Images that cannot be used.
    lost: usize,
    /// Rows whose images can.
    rows: usize,
}
