//! What goes on, at the right of the status bar: a job, the run in progress, or one of another process.

use std::path::PathBuf;

use tasklens_data::text::{duration, grouped, percent};

use crate::app::App;
use crate::app::context::TrainingState;
use crate::app::services::jobs::Progress;

/// Words, a bar and a button.
pub struct Doing {
    /// What it is, where the words do not say it; may be empty.
    pub title: String,
    /// How far it is; may be empty.
    pub text: String,
    /// The same in fewer letters; the same words where they can only be cut.
    pub short: String,
    /// How much is done (0 to 1), where there is a bar; within it `None` where that is unknown.
    pub bar: Option<Option<f32>>,
    /// What ends it.
    pub end: Option<End>,
}

/// What the button does.
pub enum End {
    /// Cancels a job.
    Cancel(Progress),
    /// Stops the run of another process in this folder.
    Stop(PathBuf),
}

impl App {
    /// What goes on, if anything does: what the user began last matters most.
    pub(super) fn doing(&self) -> Option<Doing> {
        if let Some(job) = self.jobs.running().first() {
            return Some(Doing::job(job));
        }
        if let Some((text, share)) = self.views.train.doing().filter(|_| self.training.is_some()) {
            let text = match self.training_state() {
                TrainingState::Pausing => format!("{text}, pausing\u{2026}"),
                TrainingState::Paused => format!("{text}, paused"),
                TrainingState::Stopping => format!("{text}, stopping\u{2026}"),
                _ => text,
            };
            let short = text.clone();
            return Some(Doing { title: String::new(), text, short, bar: Some(Some(share)), end: None });
        }
        let run = self.trained_elsewhere()?;
        let text = format!("{} in the background, {}", run.record.name, run.state());
        let end = Some(End::Stop(run.record.folder.clone()));
        Some(Doing { title: String::new(), short: text.clone(), text, bar: None, end })
    }
}

impl Doing {
    fn job(job: &Progress) -> Self {
        let (done, of) = job.counts();
        let both = |text: String| (text.clone(), text);
        let (text, short) = match (of, job.time_left(), job.fraction()) {
            _ if !job.keep_going() => both("cancelling\u{2026}".to_owned()),
            (0, ..) | (_, _, None) => both(job.text()),
            (_, Some(left), _) => {
                let left = format!("{} left", duration(left));
                (format!("{} of {}, {left}", grouped(done), grouped(of)), left)
            }
            (_, None, Some(share)) => {
                (format!("{} of {}", grouped(done), grouped(of)), percent(f64::from(share)))
            }
        };
        Self {
            title: job.title().to_owned(),
            text,
            short,
            bar: Some(job.fraction()),
            end: job.can_cancel().then(|| End::Cancel(job.clone())),
        }
    }
}
