//! The processor that training would use: looked for in a job, once for each choice.

use tasklens_data::config::DeviceChoice;
use tasklens_net::device::{self, Device};
use tasklens_net::inference::engine;

use crate::app::services::jobs::{Job, Jobs, Outcome, take};

/// See the module's docs.
#[derive(Default)]
pub struct DeviceSearch {
    /// What `found` answers, or is being looked for.
    choice: Option<DeviceChoice>,
    found: Option<Device>,
    /// What predicts on it, in words.
    predicts: String,
    job: Option<Job<(Device, String)>>,
}

impl DeviceSearch {
    /// The answer is known.
    pub fn known(choice: DeviceChoice, device: Device) -> Self {
        Self { choice: Some(choice), found: Some(device), ..Self::default() }
    }

    /// The processor, once it is known.
    pub fn found(&self) -> Option<&Device> {
        self.found.as_ref()
    }

    /// What predicts on it, in words; empty until that is known.
    pub fn predicts(&self) -> &str {
        &self.predicts
    }

    /// Looks for the processor that a config chooses.
    pub fn look(&mut self, choice: DeviceChoice, jobs: &Jobs) {
        if self.choice != Some(choice) {
            let job = jobs.start_quietly("Looking for a GPU", move |_| {
                let device = device::pick(choice)?;
                let predicts = engine::told(&device);
                Ok((device, predicts))
            });
            *self = Self { choice: Some(choice), job: Some(job), ..Self::default() };
        }
    }

    /// Takes in what was found; returns an error to show.
    pub fn poll(&mut self) -> Option<String> {
        match take(&mut self.job)? {
            Outcome::Done((device, predicts)) => (self.found, self.predicts) = (Some(device), predicts),
            Outcome::Failed(message) => return Some(message),
            Outcome::Cancelled => {}
        }
        None
    }
}
