//! What a shared backbone costs and saves: one network for all tasks, beside one network for each task that is
//! trained with the same budget, split and seeds.
//!
//! The networks of a study are ordinary runs. A study that was stopped goes on from them, and one that is over is
//! measured again from them.

mod course;
mod measure;
pub mod page;
mod plan;
pub mod report;

pub use course::run;
pub use plan::{PlannedRun, Scope, StudyPlan};

use crate::training::events::Event;

/// How far a study is.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A run begins or goes on, or is known to be over.
    Run {
        /// The network that is trained.
        run: &'a PlannedRun,
        /// From 1.
        number: usize,
        /// Runs of the study.
        of: usize,
        /// Whether it was over before.
        is_over: bool,
    },
    /// The run says something.
    Event(&'a Event),
    /// Something is measured of the runs.
    Measuring {
        /// What is measured, in words.
        what: &'static str,
        /// How much is done.
        done: usize,
        /// How much there is.
        of: usize,
    },
}
