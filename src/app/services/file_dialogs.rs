//! The system's file dialogs. They are asked for on the UI thread, as macOS wants it, and waited for
//! in a job's thread: the window goes on meanwhile.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
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

/// Asks for images.
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
        let answer = wait_for(answer);
        if answer.is_none() && asked.elapsed() < AT_ONCE {
            anyhow::bail!(
                "The system showed no file dialog. Drop the file on the window, or start with \
                 `tasklens open PATH`; on Linux, xdg-desktop-portal or zenity brings dialogs"
            );
        }
        Ok(answer)
    })
}

/// Wakes the thread that waits for a future.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait_for<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_wakes_up_when_another_thread_answers() {
        let (sender, receiver) = std::sync::mpsc::channel::<Waker>();
        let answered = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let flag = Arc::clone(&answered);
        std::thread::spawn(move || {
            let waker = receiver.recv().unwrap();
            flag.store(true, std::sync::atomic::Ordering::SeqCst);
            waker.wake();
        });
        let value = wait_for(std::future::poll_fn(move |context| {
            if answered.load(std::sync::atomic::Ordering::SeqCst) {
                return Poll::Ready(7);
            }
            let _ = sender.send(context.waker().clone());
            Poll::Pending
        }));
        assert_eq!(value, 7);
    }
}
