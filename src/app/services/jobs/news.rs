//! What is told of jobs in the log.

use std::time::Duration;

use tasklens_data::text::duration;

/// What happened to a job that the status bar shows; an error is told by the job's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobNews {
    pub(super) title: String,
    pub(super) what: JobStep,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JobStep {
    Started,
    Done(Duration),
    Cancelled,
}

impl JobNews {
    /// In words.
    pub fn told(&self) -> String {
        let title = &self.title;
        match self.what {
            JobStep::Started => format!("Started: {title}"),
            JobStep::Done(time) if time.as_secs() == 0 => format!("Finished: {title}"),
            JobStep::Done(time) => format!("Finished: {title}, in {}", duration(time)),
            JobStep::Cancelled => format!("Cancelled: {title}"),
        }
    }
}
