//! The questions for files and folders, and how they are put: by the system's dialog, asked for on the UI thread, as
//! macOS wants it, and waited for in a job's thread, so that the window goes on meanwhile.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// Whether the window has the keyboard. A dialog of the system takes it away, so that one that ends while the window
/// kept it was never shown: on a busy computer that takes longer than [`AT_ONCE`].
#[derive(Clone, Default)]
pub struct KeyboardWatch {
    /// Frames in which another window had it, or none.
    frames_without: Arc<AtomicU64>,
    has_it: bool,
}

impl KeyboardWatch {
    /// To be called in each frame.
    pub fn look(&mut self, ctx: &egui::Context) {
        self.has_it = ctx.input(|input| input.viewport().focused == Some(true));
        if !self.has_it {
            self.frames_without.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether the window has had it from now on until the result is called.
    fn keeps_it(&self) -> impl Fn() -> bool + Send + 'static {
        let (had_it, frames) = (self.has_it, Arc::clone(&self.frames_without));
        let before = frames.load(Ordering::Relaxed);
        move || had_it && frames.load(Ordering::Relaxed) == before
    }
}

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
pub fn ask(
    question: FileQuestion,
    jobs: &Jobs,
    keyboard: &KeyboardWatch,
    parent: &eframe::Frame,
) -> Job<Option<AppCommand>> {
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
    let window_kept_keyboard = keyboard.keeps_it();
    jobs.start_asking("Waiting for the file dialog", move |_| {
        let asked = Instant::now();
        Ok(match pollster::block_on(chosen) {
            Some(paths) => question.answer(paths),
            None if asked.elapsed() < AT_ONCE || window_kept_keyboard() => {
                Some(AppCommand::TypePath(Box::new(question)))
            }
            None => None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialog_that_was_shown_has_taken_the_keyboard_from_the_window() {
        let ctx = egui::Context::default();
        let mut keyboard = KeyboardWatch::default();
        let frame = |keyboard: &mut KeyboardWatch, focused| {
            let mut input = egui::RawInput::default();
            input.viewports.entry(egui::ViewportId::ROOT).or_default().focused = Some(focused);
            ctx.run_ui(input, |ui| keyboard.look(ui.ctx())).textures_delta.clear();
        };
        frame(&mut keyboard, true);
        let keeps_it = keyboard.keeps_it();
        frame(&mut keyboard, true);
        assert!(keeps_it(), "no dialog");
        frame(&mut keyboard, false);
        frame(&mut keyboard, true);
        assert!(!keeps_it(), "there was a dialog");
        assert!(keyboard.keeps_it()(), "and has gone");
        frame(&mut keyboard, false);
        assert!(!keyboard.keeps_it()(), "nothing can be said of a window that never had it");
    }

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
