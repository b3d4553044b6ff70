//! What leaves the window: pages that are written, and files that other programs show.

use std::path::PathBuf;

use anyhow::Context as _;
use tasklens_data::files::Output;

use crate::app::App;
use crate::app::command::{AppCommand, Level, Notice};
use crate::app::dialogs::file_dialogs;
use crate::app::services::figure::{Exhibit, FigureAction, FigureForm};
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

    /// Copies a chart, or asks where to save it.
    pub(super) fn of_figure(&mut self, action: FigureAction, exhibit: Box<Exhibit>) {
        let commands = self.commands.clone();
        let copied = move |what: &str, exhibit: &Exhibit| {
            commands.toast(Level::Success, format!("{}: {what} on the clipboard", exhibit.title()));
        };
        let job = match action {
            FigureAction::Save(form) => {
                self.questions.push(file_dialogs::figure(exhibit, form));
                return;
            }
            FigureAction::CopyValues => self.jobs.start_quietly("Copying the values", move |_| {
                let values = exhibit.csv()?;
                copied("the values are", &exhibit);
                Ok(Some(AppCommand::CopyText(values)))
            }),
            FigureAction::CopyPicture => self.jobs.start_quietly("Copying the picture", move |_| {
                let picture = exhibit.image()?;
                copied("the picture is", &exhibit);
                Ok(Some(AppCommand::CopyImage(Box::new(picture))))
            }),
        };
        self.command_jobs.push(job);
    }

    /// Writes a chart or its values, and offers to show the file.
    pub(super) fn save_figure(&mut self, file: PathBuf, form: FigureForm, exhibit: Exhibit) {
        self.command_jobs.push(self.jobs.start_whole("Saving the chart", move |_| {
            let bytes = exhibit.bytes(form)?;
            let written = Output::of(&file).and_then(|output| output.write(&bytes));
            written.with_context(|| format!("{} cannot be written", file.display()))?;
            let message = format!("{} is in {}", exhibit.title(), file.display());
            Ok(Some(AppCommand::notify(Notice::written(message, file))))
        }));
    }
}
