//! Other programs are asked to show something.

use std::path::PathBuf;

use crate::app::App;

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
}
