//! The system's file dialogs. They are asked for on the UI thread, as macOS wants it, and waited for
//! in a job's thread: the window goes on meanwhile.

use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tasklens_data::dataset::export::{self, Form};
use tasklens_data::images::decode::ENDINGS;

use crate::app::command::AppCommand;
use crate::app::services::jobs::{Job, Jobs};
use crate::app::services::open::TABLE_ENDINGS;

/// A dialog that was never shown gives up at once; a person takes longer.
const AT_ONCE: Duration = Duration::from_millis(150);

/// Asks for a CSV or config.
pub fn ask_project(jobs: &Jobs) -> Job<Option<AppCommand>> {
    let mut endings = vec!["yml", "yaml"];
    endings.extend(TABLE_ENDINGS);
    let dialog =
        rfd::AsyncFileDialog::new().set_title("Open a CSV or config").add_filter("CSV or config", &endings);
    let chosen = dialog.pick_file();
    ask(jobs, async move { chosen.await.map(|file| AppCommand::OpenPath(file.path().to_path_buf())) })
}

/// Asks for a folder of images to label.
pub fn ask_folder(jobs: &Jobs) -> Job<Option<AppCommand>> {
    let dialog = rfd::AsyncFileDialog::new().set_title("Label a folder of images");
    let chosen = dialog.pick_folder();
    ask(jobs, async move { chosen.await.map(|folder| AppCommand::OpenPath(folder.path().to_path_buf())) })
}

/// Asks which images to predict.
pub fn ask_images(jobs: &Jobs) -> Job<Option<AppCommand>> {
    let dialog = rfd::AsyncFileDialog::new().set_title("Open images").add_filter("Images", &ENDINGS);
    let chosen = dialog.pick_files();
    ask(jobs, async move {
        let files: Vec<PathBuf> = chosen.await?.iter().map(|file| file.path().to_path_buf()).collect();
        Some(AppCommand::OpenPaths(files))
    })
}

/// Asks for a checkpoint.
pub fn ask_model(jobs: &Jobs) -> Job<Option<AppCommand>> {
    let dialog =
        rfd::AsyncFileDialog::new().set_title("Open a checkpoint").add_filter("Checkpoint", &["safetensors"]);
    let chosen = dialog.pick_file();
    ask(jobs, async move { chosen.await.map(|file| AppCommand::UseModel(file.path().to_path_buf())) })
}

/// Asks where to write predictions, and writes them with `then`.
pub fn ask_csv(
    jobs: &Jobs,
    then: impl FnOnce(PathBuf) -> AppCommand + Send + 'static,
) -> Job<Option<AppCommand>> {
    let dialog = rfd::AsyncFileDialog::new()
        .set_title("Export predictions")
        .set_file_name("predictions.csv")
        .add_filter("CSV", &["csv"]);
    let chosen = dialog.save_file();
    ask(jobs, async move { chosen.await.map(|file| then(file.path().to_path_buf())) })
}

/// Asks where to save a page of HTML; `name` is offered.
pub fn ask_page(jobs: &Jobs, name: &str, page: String) -> Job<Option<AppCommand>> {
    let dialog = rfd::AsyncFileDialog::new()
        .set_title("Save as page")
        .set_file_name(name)
        .add_filter("Web page", &["html"]);
    let chosen = dialog.save_file();
    ask(jobs, async move {
        chosen.await.map(|file| AppCommand::SavePage { file: file.path().to_path_buf(), page })
    })
}

/// Asks where to export labels; `stem` begins the name of what is written.
pub fn ask_export(jobs: &Jobs, form: Form, stem: &str) -> Job<Option<AppCommand>> {
    let dialog = rfd::AsyncFileDialog::new().set_title("Export labels");
    let dialog = match form {
        Form::Csv => dialog.set_file_name(format!("{stem}_corrected.csv")).add_filter("CSV", &["csv"]),
        Form::JsonLines => dialog.set_file_name(format!("{stem}.jsonl")).add_filter("JSON lines", &["jsonl"]),
        Form::Folders { .. } => {
            let (chosen, name) = (dialog.pick_folder(), format!("{stem}_by_label"));
            return ask(jobs, async move {
                let target = export::folder_in(chosen.await?.path(), &name);
                Some(AppCommand::ExportLabels(form, target))
            });
        }
    };
    let chosen = dialog.save_file();
    ask(jobs, async move {
        let target = chosen.await?.path().to_path_buf();
        Some(AppCommand::ExportLabels(form, target))
    })
}

fn ask(
    jobs: &Jobs,
    answer: impl Future<Output = Option<AppCommand>> + Send + 'static,
) -> Job<Option<AppCommand>> {
    jobs.start_quietly("Asking for a file", move |_| {
        let asked = Instant::now();
        let answer = pollster::block_on(answer);
        if answer.is_none() && asked.elapsed() < AT_ONCE {
            anyhow::bail!(
                "The system showed no file dialog. Drop the file on the window, or start with \
                 `tasklens open PATH`; on Linux, xdg-desktop-portal or zenity brings dialogs"
            );
        }
        Ok(answer)
    })
}
