//! The questions for files and folders, and how they are put: by the system's dialog, asked for on the UI thread, as
//! macOS wants it, and waited for in a job's thread, so that the window goes on meanwhile.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tasklens_data::dataset::export::{self, Form};
use tasklens_data::images::decode::ENDINGS;
use tasklens_net::training::imported_run::KERAS_ENDINGS;

use crate::app::command::{AppCommand, AskedFile, FileQuestion, ImportCommand, ImportField};
use crate::app::services::figure::{Exhibit, FigureForm};
use crate::app::services::jobs::{Job, Jobs};
use crate::app::services::open::TABLE_ENDINGS;

/// A dialog that was never shown gives up at once; a person takes longer.
const AT_ONCE: Duration = Duration::from_millis(150);

/// For a CSV or config.
pub fn project() -> FileQuestion {
    let mut endings = vec!["yml", "yaml"];
    endings.extend(TABLE_ENDINGS);
    FileQuestion::new("Open a CSV or config", AskedFile::File, AppCommand::OpenPath)
        .with_endings("CSV or config", endings)
}

/// For a folder of images to label.
pub fn folder() -> FileQuestion {
    FileQuestion::new("Label a folder of images", AskedFile::Folder, AppCommand::OpenPath)
}

/// For one of the places that the import of DeepFashion needs.
pub fn import(field: ImportField) -> FileQuestion {
    let then = move |path| AppCommand::Import(ImportCommand::Choose(field, path));
    match field {
        ImportField::Data => {
            FileQuestion::new("The folder with img and Anno_fine of DeepFashion", AskedFile::Folder, then)
        }
        ImportField::Out => FileQuestion::new("Where the project goes", AskedFile::Folder, then),
        ImportField::Config => FileQuestion::new("A dataset config", AskedFile::File, then)
            .with_endings("Dataset config", ["yml", "yaml"]),
    }
}

/// For a model that Keras saved. Files of other kinds are told what they are.
pub fn keras() -> FileQuestion {
    let then = |file| AppCommand::Import(ImportCommand::Keras(file));
    FileQuestion::new("Import a Keras model", AskedFile::File, then)
        .with_endings("Keras model", KERAS_ENDINGS)
}

/// For images to predict.
pub fn images() -> FileQuestion {
    FileQuestion::of_files("Open images", AppCommand::OpenPaths).with_endings("Images", ENDINGS)
}

/// For a checkpoint.
pub fn model() -> FileQuestion {
    FileQuestion::new("Open a checkpoint", AskedFile::File, AppCommand::UseModel)
        .with_endings("Checkpoint", ["safetensors"])
}

/// For where to write predictions; `then` writes them.
pub fn predictions(then: impl FnOnce(PathBuf) -> AppCommand + Send + 'static) -> FileQuestion {
    let asked = AskedFile::NewFile { name: "predictions.csv".to_owned() };
    FileQuestion::new("Export predictions", asked, then).with_endings("CSV", ["csv"])
}

/// For where to save a page of HTML; `name` is offered.
pub fn page(name: String, page: String) -> FileQuestion {
    let then = |file| AppCommand::SavePage { file, page };
    FileQuestion::new("Save as page", AskedFile::NewFile { name }, then).with_endings("Web page", ["html"])
}

/// For where to save the report about a run; `name` is offered, and the file goes to `then`.
pub fn report(name: String, then: impl FnOnce(PathBuf) -> AppCommand + Send + 'static) -> FileQuestion {
    FileQuestion::new("Save report", AskedFile::NewFile { name }, then).with_endings("Web page", ["html"])
}

/// For where to save a chart.
pub fn figure(exhibit: Box<Exhibit>, form: FigureForm) -> FileQuestion {
    let asked = AskedFile::NewFile { name: exhibit.file_name(form) };
    let title = format!("Save {} as {}", exhibit.title(), form.name());
    let then = move |file| AppCommand::SaveFigure { file, form, exhibit };
    FileQuestion::new(title, asked, then).with_endings(form.name(), [form.ending()])
}

/// For where to export a model; `name` begins the name of the file.
pub fn model_export(model: PathBuf, name: &str) -> FileQuestion {
    let then = |file| AppCommand::ExportModel { model, file };
    FileQuestion::new("Export model", AskedFile::NewFile { name: format!("{name}.onnx") }, then)
        .with_endings("ONNX", ["onnx"])
}

/// For where to export labels; `stem` begins the name of what is written.
pub fn export(form: Form, stem: &str) -> FileQuestion {
    let new_file = |form, name: String| {
        let then = |target| AppCommand::ExportLabels(form, target);
        FileQuestion::new("Export labels", AskedFile::NewFile { name }, then)
    };
    match form {
        Form::Csv => new_file(form, format!("{stem}_corrected.csv")).with_endings("CSV", ["csv"]),
        Form::JsonLines => new_file(form, format!("{stem}.jsonl")).with_endings("JSON lines", ["jsonl"]),
        Form::Folders { .. } => {
            let name = format!("{stem}_by_label");
            let then =
                move |folder: PathBuf| AppCommand::ExportLabels(form, export::folder_in(&folder, &name));
            FileQuestion::new("Export labels", AskedFile::Folder, then)
        }
    }
}

/// What the user chose; `None` if nothing.
type Chosen = Pin<Box<dyn Future<Output = Option<Vec<PathBuf>>> + Send>>;

/// Puts a question by the system's dialog, over the window of `parent`. Where none is shown, the window asks itself.
pub fn ask(question: FileQuestion, jobs: &Jobs, parent: &eframe::Frame) -> Job<Option<AppCommand>> {
    let mut dialog = rfd::AsyncFileDialog::new().set_title(&question.title).set_parent(parent);
    if let Some((name, endings)) = &question.filter {
        dialog = dialog.add_filter(*name, endings);
    }
    let path = |file: rfd::FileHandle| vec![file.path().to_path_buf()];
    let chosen: Chosen = match &question.asked {
        AskedFile::File => {
            let chosen = dialog.pick_file();
            Box::pin(async move { chosen.await.map(path) })
        }
        AskedFile::Folder => {
            let chosen = dialog.pick_folder();
            Box::pin(async move { chosen.await.map(path) })
        }
        AskedFile::NewFile { name } => {
            let chosen = dialog.set_file_name(name).save_file();
            Box::pin(async move { chosen.await.map(path) })
        }
        AskedFile::Files => {
            let chosen = dialog.pick_files();
            Box::pin(
                async move { Some(chosen.await?.iter().map(|file| file.path().to_path_buf()).collect()) },
            )
        }
    };
    jobs.start_asking("Waiting for the file dialog", move |_| {
        let asked = Instant::now();
        Ok(match pollster::block_on(chosen) {
            Some(paths) => question.answer(paths),
            None if asked.elapsed() < AT_ONCE => Some(AppCommand::TypePath(Box::new(question))),
            None => None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_is_chosen_for_a_model_is_what_it_is_exported_to() {
        let question = model_export(PathBuf::from("runs/a"), "All the prints");
        assert_eq!(question.asked, AskedFile::NewFile { name: "All the prints.onnx".to_owned() });
        assert_eq!(question.filter, Some(("ONNX", vec!["onnx"])));
        let command = question.answer(vec![PathBuf::from("mine.onnx")]);
        assert!(
            matches!(&command, Some(AppCommand::ExportModel { model, file })
                if model.ends_with("runs/a") && file.ends_with("mine.onnx")),
            "{command:?}"
        );
    }
}
