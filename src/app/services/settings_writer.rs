//! Writes the settings in the background: the one owner of the file. Only the newest settings count; what is waiting is
//! written before the window is gone.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, unbounded};

use tasklens_data::text::told;

use super::jobs::{Job, Jobs};
use super::settings::Settings;

/// See the module's docs.
pub struct SettingsWriter {
    /// What was handed over last.
    last: Option<Settings>,
    waiting: Option<Sender<Settings>>,
    failures: Receiver<String>,
    /// Settings that were handed over and not dealt with yet.
    count: Arc<AtomicUsize>,
    thread: Option<Job<()>>,
}

impl SettingsWriter {
    /// Starts the thread that writes `file`, each time in one piece; `now` is what is in it.
    pub fn start(file: PathBuf, now: Settings, jobs: &Jobs) -> Self {
        let (waiting, requests) = unbounded::<Settings>();
        let (sender, failures) = unbounded();
        let count = Arc::new(AtomicUsize::new(0));
        let left = Arc::clone(&count);
        let thread = jobs.start_standing("Keeping the settings", move |progress| {
            while let Ok(mut newest) = requests.recv() {
                let mut taken = 1;
                for newer in requests.try_iter() {
                    newest = newer;
                    taken += 1;
                }
                if let Err(error) = newest.write(&file) {
                    // The window may have gone: then nobody wants to know.
                    let _ = sender.send(format!("The settings could not be saved: {}", told(&error)));
                    // Wakes the window.
                    progress.say("");
                }
                left.fetch_sub(taken, Ordering::AcqRel);
            }
            Ok(())
        });
        Self { last: Some(now), waiting: Some(waiting), failures, count, thread: Some(thread) }
    }

    /// Hands over what is to be in the file; returns at once.
    pub fn keep(&mut self, settings: &Settings) {
        if self.last.as_ref() == Some(settings) {
            return;
        }
        self.last = Some(settings.clone());
        if let Some(waiting) = &self.waiting {
            self.count.fetch_add(1, Ordering::AcqRel);
            if waiting.send(settings.clone()).is_err() {
                // No thread could be started.
                self.count.fetch_sub(1, Ordering::AcqRel);
                self.last = None;
            }
        }
    }

    /// Why the settings are not on the disk; each failure once. They are tried again when they are kept the next time.
    pub fn failure(&mut self) -> Option<String> {
        let failure = self.failures.try_iter().last()?;
        self.last = None;
        Some(failure)
    }

    /// Whether all that was handed over was written.
    pub fn is_idle(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    /// Waits until all is written, and ends.
    pub fn finish(&mut self) {
        self.waiting = None;
        if let Some(thread) = self.thread.take() {
            thread.wait();
        }
    }
}

impl Drop for SettingsWriter {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::ThemeChoice;
    use super::*;

    fn zoomed(zoom: f32) -> Settings {
        Settings { theme: ThemeChoice::Light, zoom: Some(zoom), ..Settings::default() }
    }

    #[test]
    fn the_newest_settings_are_on_the_disk_when_the_window_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/settings.json");
        let jobs = Jobs::new(&egui::Context::default());
        let mut writer = SettingsWriter::start(file.clone(), Settings::default(), &jobs);
        writer.keep(&Settings::default());
        assert!(writer.is_idle() && !file.exists(), "they are there already");
        for step in 1..=50 {
            writer.keep(&zoomed(step as f32));
        }
        let mut waits = (0..5000).map(|_| std::thread::sleep(std::time::Duration::from_millis(1)));
        assert!(waits.any(|()| writer.is_idle()), "all were dealt with, also those that newer ones overtook");
        writer.keep(&zoomed(51.0));
        drop(writer);
        assert_eq!(Settings::read(&file), (zoomed(51.0), None));
    }

    #[test]
    fn a_failure_is_told_once_and_the_next_change_is_tried() {
        let folder = tempfile::tempdir().unwrap();
        // A folder is where the file goes.
        let file = folder.path().join("settings.json");
        std::fs::create_dir_all(file.join("in the way")).unwrap();
        let jobs = Jobs::new(&egui::Context::default());
        let mut writer = SettingsWriter::start(file.clone(), Settings::default(), &jobs);
        let settle = |writer: &SettingsWriter| {
            while !writer.is_idle() {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        };
        writer.keep(&zoomed(2.0));
        settle(&writer);
        let failure = writer.failure().unwrap();
        assert!(failure.starts_with("The settings could not be saved: "), "{failure}");
        assert_eq!(writer.failure(), None);
        std::fs::remove_dir_all(&file).unwrap();
        writer.keep(&zoomed(2.0));
        settle(&writer);
        assert_eq!(Settings::read(&file), (zoomed(2.0), None));
    }
}
