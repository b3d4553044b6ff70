//! Background work: each job has a thread, says how far it is, can be cancelled, and hands its result
//! back through a channel. A panic in a job is an error message, never the end of the window.

mod news;
mod pace;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
pub use news::JobNews;
use news::JobStep;
use pace::Pace;
use tasklens_data::panics;
use tasklens_data::text::told;

/// How a job ended.
#[derive(Debug)]
pub enum Outcome<T> {
    /// It is done; this is its result.
    Done(T),
    /// With a message for the user.
    Failed(String),
    /// The user cancelled it.
    Cancelled,
}

/// The end of a job that its owner keeps. Dropping it cancels the job.
pub struct Job<T> {
    result: Receiver<Outcome<T>>,
    progress: Progress,
}

impl<T> Job<T> {
    /// The outcome, once, as soon as it is there. Never waits.
    pub fn poll(&mut self) -> Option<Outcome<T>> {
        self.result.try_recv().ok()
    }

    /// Waits for the outcome; not for the UI thread, but when the window closes.
    pub fn wait(self) -> Outcome<T> {
        self.result.recv().unwrap_or(Outcome::Cancelled)
    }

    /// How far it is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Asks the job to end soon.
    pub fn cancel(&self) {
        self.progress.cancel();
    }
}

/// The outcome of a job that has one, which then is gone.
pub fn take<T>(job: &mut Option<Job<T>>) -> Option<Outcome<T>> {
    let outcome = job.as_mut()?.poll()?;
    *job = None;
    Some(outcome)
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.progress.cancel();
    }
}

/// Where a job shows, and whether it can be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app) enum JobKind {
    /// In the status bar, with Cancel.
    Shown,
    /// Where its owner shows it.
    Quiet,
    /// In the status bar, to its end.
    Whole,
    /// In the status bar while nothing else is: it waits for the user, in a window of the system.
    Asking,
    /// A thread that waits for requests until its owner goes: it never ends by itself.
    Standing,
}

struct Shared {
    title: String,
    kind: JobKind,
    pace: Mutex<Pace>,
    done: AtomicU64,
    of: AtomicU64,
    cancelled: AtomicBool,
    text: Mutex<String>,
    ctx: egui::Context,
}

/// A job's handle on how far it is, shared between its thread and the window. Cheap to clone.
#[derive(Clone)]
pub struct Progress(Arc<Shared>);

impl Progress {
    /// The progress of a job that has not done anything yet.
    pub(in crate::app) fn new(title: String, kind: JobKind, ctx: &egui::Context) -> Self {
        Self(Arc::new(Shared {
            title,
            kind,
            pace: Mutex::default(),
            done: AtomicU64::new(0),
            of: AtomicU64::new(0),
            cancelled: AtomicBool::new(false),
            text: Mutex::default(),
            ctx: ctx.clone(),
        }))
    }

    /// What the job does, in words for the user.
    pub fn title(&self) -> &str {
        &self.0.title
    }

    /// Says how far the job is; `of` 0 means unknown.
    pub fn set(&self, done: u64, of: u64) {
        self.0.done.store(done, Ordering::Relaxed);
        self.0.of.store(of, Ordering::Relaxed);
        lock(&self.0.pace).mark(Instant::now(), done, of);
        // The bar needs no more than ten steps a second.
        self.0.ctx.request_repaint_after(Duration::from_millis(100));
    }

    /// As [`Self::set`], where what is done says nothing of how long the rest takes.
    pub fn set_without_pace(&self, done: u64, of: u64) {
        self.set(done, of);
        lock(&self.0.pace).forget();
    }

    /// Says what is being done now; something else has a pace of its own.
    pub fn say(&self, text: impl Into<String>) {
        let text = text.into();
        let before = std::mem::replace(&mut *lock(&self.0.text), text.clone());
        if before != text {
            lock(&self.0.pace).forget();
        }
        self.0.ctx.request_repaint();
    }

    /// What is being done now; may be empty.
    pub fn text(&self) -> String {
        lock(&self.0.text).clone()
    }

    /// Whether to go on; `false` once the user cancelled.
    pub fn keep_going(&self) -> bool {
        !self.0.cancelled.load(Ordering::Relaxed)
    }

    /// Asks the job to end soon; a [whole](Self::is_whole) one goes on.
    pub fn cancel(&self) {
        if !self.is_whole() {
            self.0.cancelled.store(true, Ordering::Relaxed);
        }
    }

    /// Whether the job must reach its end: half of it would be worse than a late one.
    pub fn is_whole(&self) -> bool {
        self.0.kind == JobKind::Whole
    }

    /// Whether the status bar shows it as work.
    fn is_shown(&self) -> bool {
        matches!(self.0.kind, JobKind::Shown | JobKind::Whole)
    }

    /// Whether it can be cancelled from the status bar.
    pub fn can_cancel(&self) -> bool {
        self.0.kind == JobKind::Shown && self.keep_going()
    }

    /// Done and of; `of` is 0 while unknown.
    pub fn counts(&self) -> (u64, u64) {
        (self.0.done.load(Ordering::Relaxed), self.0.of.load(Ordering::Relaxed))
    }

    /// Share done, 0 to 1, where it is known.
    pub fn fraction(&self) -> Option<f32> {
        let (done, of) = self.counts();
        (of > 0).then(|| (done as f64 / of as f64).clamp(0.0, 1.0) as f32)
    }

    /// Time to the end at the pace of late, once it is known.
    pub fn time_left(&self) -> Option<Duration> {
        lock(&self.0.pace).left(Instant::now())
    }
}

/// Starts jobs and knows the running ones. Cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    ctx: egui::Context,
    running: Arc<Mutex<Vec<Progress>>>,
    news: (Sender<JobNews>, Receiver<JobNews>),
}

impl Jobs {
    /// Without jobs yet; each one wakes the window when it ends.
    pub fn new(ctx: &egui::Context) -> Self {
        Self { ctx: ctx.clone(), running: Arc::default(), news: unbounded() }
    }

    /// Starts a job that the status bar shows with progress and Cancel.
    pub fn start<T: Send + 'static>(
        &self,
        title: impl Into<String>,
        work: impl FnOnce(&Progress) -> anyhow::Result<T> + Send + 'static,
    ) -> Job<T> {
        self.spawn(title.into(), JobKind::Shown, work)
    }

    /// Starts a job that the status bar shows without Cancel, and that also ends when nobody waits for it: half
    /// of it would be worse than a late end.
    pub fn start_whole<T: Send + 'static>(
        &self,
        title: impl Into<String>,
        work: impl FnOnce(&Progress) -> anyhow::Result<T> + Send + 'static,
    ) -> Job<T> {
        self.spawn(title.into(), JobKind::Whole, work)
    }

    /// Starts a job that shows only where its owner shows it (a dialog, a short look-up).
    pub fn start_quietly<T: Send + 'static>(
        &self,
        title: impl Into<String>,
        work: impl FnOnce(&Progress) -> anyhow::Result<T> + Send + 'static,
    ) -> Job<T> {
        self.spawn(title.into(), JobKind::Quiet, work)
    }

    /// Lets go of something large where no frame waits for it: to free a million rows takes longer than that.
    pub fn let_go(&self, old: impl Send + 'static) {
        drop(self.start_quietly("Freeing old rows", move |_| {
            drop(old);
            Ok(())
        }));
    }

    /// Draws a frame after so long, for work that may begin then.
    pub fn wake_after(&self, time: Duration) {
        self.ctx.request_repaint_after(time);
    }

    /// Starts a job that waits for the user in a window of the system; the status bar says so.
    pub fn start_asking<T: Send + 'static>(
        &self,
        title: impl Into<String>,
        work: impl FnOnce(&Progress) -> anyhow::Result<T> + Send + 'static,
    ) -> Job<T> {
        self.spawn(title.into(), JobKind::Asking, work)
    }

    /// The jobs that the status bar shows, oldest first; what waits for the user comes last.
    pub fn running(&self) -> Vec<Progress> {
        let running = lock(&self.running);
        let asking = running.iter().filter(|progress| progress.0.kind == JobKind::Asking);
        running.iter().filter(|progress| progress.is_shown()).chain(asking).cloned().collect()
    }

    /// The titles of all jobs, oldest first.
    pub fn titles(&self) -> Vec<String> {
        lock(&self.running).iter().map(|progress| progress.title().to_owned()).collect()
    }

    /// What happened to the jobs that the status bar shows since the last call.
    pub fn news(&self) -> impl Iterator<Item = JobNews> {
        self.news.1.try_iter()
    }

    /// Starts a thread that waits for requests until its owner goes.
    pub fn start_standing<T: Send + 'static>(
        &self,
        title: impl Into<String>,
        work: impl FnOnce(&Progress) -> anyhow::Result<T> + Send + 'static,
    ) -> Job<T> {
        self.spawn(title.into(), JobKind::Standing, work)
    }

    /// Whether any job runs that will end by itself, also one that the status bar does not show.
    pub fn is_any_running(&self) -> bool {
        lock(&self.running).iter().any(|progress| progress.0.kind != JobKind::Standing)
    }

    /// Waits until no job runs any more, but those that wait for the user, for at most so long; whether none does.
    pub fn wait_for_end(&self, patience: Duration) -> bool {
        let begin = Instant::now();
        let is_any = || lock(&self.running).iter().any(|progress| progress.0.kind != JobKind::Asking);
        while is_any() {
            if begin.elapsed() >= patience {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    fn spawn<T: Send + 'static>(
        &self,
        title: String,
        kind: JobKind,
        work: impl FnOnce(&Progress) -> anyhow::Result<T> + Send + 'static,
    ) -> Job<T> {
        let progress = Progress::new(title, kind, &self.ctx);
        let (sender, result) = bounded(1);
        lock(&self.running).push(progress.clone());
        let news = self.news.0.clone();
        let tell = move |progress: &Progress, what| {
            if progress.is_shown() {
                // There is a receiver as long as there is a sender.
                let _ = news.send(JobNews { title: progress.title().to_owned(), what });
            }
        };
        tell(&progress, JobStep::Started);
        let begin = Instant::now();
        let thread = {
            let (progress, running, sender) = (progress.clone(), Arc::clone(&self.running), sender.clone());
            std::thread::Builder::new().name(format!("job: {}", progress.title())).spawn(move || {
                let outcome = match panics::guard(|| work(&progress)) {
                    Ok(_) if !progress.keep_going() => Outcome::Cancelled,
                    Ok(Ok(value)) => Outcome::Done(value),
                    Ok(Err(error)) => Outcome::Failed(told(&error)),
                    Err(what) => {
                        let title = progress.title();
                        Outcome::Failed(format!(
                            "{title} failed because of an internal error ({what}). Please report it."
                        ))
                    }
                };
                match outcome {
                    Outcome::Done(_) => tell(&progress, JobStep::Done(begin.elapsed())),
                    Outcome::Cancelled => tell(&progress, JobStep::Cancelled),
                    Outcome::Failed(_) => {}
                }
                lock(&running).retain(|other| !Arc::ptr_eq(&other.0, &progress.0));
                // The owner may have gone away: then nobody wants the result.
                let _ = sender.send(outcome);
                progress.0.ctx.request_repaint();
            })
        };
        if let Err(error) = thread {
            lock(&self.running).retain(|other| !Arc::ptr_eq(&other.0, &progress.0));
            let _ = sender
                .send(Outcome::Failed(format!("{}: no thread could be started: {error}", progress.title())));
        }
        Job { result, progress }
    }
}

/// A lock that a panicking job cannot poison for the window: the data are plain values.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
