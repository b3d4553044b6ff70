//! What leaves the window: pages that are written, and files that other programs show.

use std::path::PathBuf;

use crate::app::App;
use crate::app::command::{AppCommand, Notice};
use crate::app::services::report::ReportRequest;

impl App {
    /// Shows the file in the system's file manager.
    pub(super) fn show_in_folder(&mut self, file: PathBuf) {
        self.command_jobs.push(self.jobs.start_quietly("Opening the folder", move |_| {
            anyhow::ensure!(file.exists(), "{} no longer exists: reload the project", file.display());
            opener::reveal(&file).map_err(|error| {
                let error = anyhow::Error::new(error);
                error.context(format!(
                    "no file manager could be opened for {}; copy its path instead",
                    file.display()
                ))
            })?;
            Ok(None)
        }));
    }

    /// Writes the page about an inspected run, and offers to show it.
    pub(super) fn save_report(&mut self, file: PathBuf, request: ReportRequest) {
        self.command_jobs.push(self.jobs.start("Writing the report", move |progress| {
            request.write(&file, progress)?;
            let message = format!("The report is in {}", file.display());
            Ok(Some(AppCommand::notify(Notice::written(message, file))))
        }));
    }
}
