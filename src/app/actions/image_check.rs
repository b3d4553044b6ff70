//! Looking at the header of every image file of a project, in the background.

use std::sync::Arc;

use tasklens_data::dataset::{self, Dataset};
use tasklens_data::text::counted;

use crate::app::App;
use crate::app::command::Level;
use crate::app::services::label_edits::LabelEdits;
use crate::app::services::project::Summary;

impl App {
    /// The rows as the CSV has them, without edits.
    fn base_rows(&self) -> Option<Arc<Dataset>> {
        let of_project = || self.project.as_ref().map(|project| Arc::clone(&project.dataset));
        self.edits.as_ref().map(LabelEdits::base_rows).or_else(of_project)
    }

    /// Looks at the header of every image file, in the background.
    pub(in crate::app) fn check_images(&mut self) {
        let Some(rows) = self.base_rows() else { return };
        self.image_check = Some(self.jobs.start("Checking images", move |progress| {
            let said = |done: usize, of: usize| {
                progress.set(done as u64, of as u64);
                progress.keep_going()
            };
            let found = dataset::problems::check_images(&rows, dataset::problems::Look::Header, &said);
            let mut checked = Dataset::clone(&rows);
            checked.apply(found);
            let summary = Summary::of(&checked);
            Ok(CheckedImages { rows, checked: Arc::new(checked), summary })
        }));
    }

    /// Takes in what the check found, if the rows are still those that were checked.
    pub(in crate::app) fn on_images_checked(
        &mut self,
        CheckedImages { rows, checked, summary }: CheckedImages,
    ) {
        let Some(project) = &mut self.project else { return };
        let usable = |rows: &Dataset| rows.rows.iter().filter(|row| row.usable).count();
        let found = usable(&rows).saturating_sub(usable(&checked));
        match &mut self.edits {
            // The project follows with the edits in the rows.
            Some(edits) if Arc::ptr_eq(&edits.base_rows(), &rows) => edits.set_base(checked),
            None if Arc::ptr_eq(&project.dataset, &rows) => {
                self.generation += 1;
                project.generation = self.generation;
                project.dataset = checked;
                project.summary = Arc::new(summary);
            }
            _ => return,
        }
        if found > 0 {
            let message = format!("{} cannot be used: see Problems in Data", counted(found, "image"));
            self.toast(Level::Warning, message);
        }
    }
}

/// What the check of the images found.
pub struct CheckedImages {
    rows: Arc<Dataset>,
    checked: Arc<Dataset>,
    summary: Summary,
}
