//! The labels of a task that are probably wrong, as a report lists them.

use std::path::PathBuf;

use serde::Serialize;
use tasklens_data::config::Task;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::Part;
use tasklens_data::text::{counted, plural};

use super::memorised::Memorised;
use super::suspects::TaskSuspects;
use super::track_record::TrackRecord;
use super::wrong_labels::WrongLabels;

/// Label errors of a task.
#[derive(Clone, Debug, Serialize)]
pub struct LabelErrors {
    /// Number of labels that were checked.
    pub labels: usize,
    /// The estimated share of wrong labels.
    pub wrong: WrongLabels,
    /// Set if the network has memorised its training rows, of which the list then misses many.
    pub memorised: Option<Memorised>,
    /// The rows to look at, worst first.
    pub rows: Vec<LabelError>,
}

impl LabelErrors {
    /// Lists the suspects of a task for a report; `task` is that of the network.
    pub fn new(found: &TaskSuspects, dataset: &Dataset, task: &Task) -> Self {
        let label = |class: u32| task.labels[class as usize].clone();
        let rows = found.suspects.iter().map(|suspect| LabelError {
            image: dataset.rows[suspect.of.row].image.to_path_buf(),
            line: dataset.table.line_of_row(suspect.of.row),
            part: suspect.part,
            label: label(suspect.given),
            proposed: label(suspect.proposed),
            quality: suspect.quality,
            record: suspect.record,
        });
        Self { labels: found.rows, wrong: found.wrong, memorised: found.memorised, rows: rows.collect() }
    }

    /// A sentence about the share of wrong labels, and what it means for the list, without a full stop.
    pub fn sentence(&self) -> String {
        self.wrong.beside_list(self.labels, self.rows.len())
    }

    /// The number of suspects, in words.
    pub fn headline(&self) -> String {
        match self.rows.len() {
            0 => "No label looks wrong".to_owned(),
            count => format!("{} {} wrong", counted(count, "label"), plural(count, "looks", "look")),
        }
    }
}

/// A label that is probably wrong.
#[derive(Clone, Debug, Serialize)]
pub struct LabelError {
    pub image: PathBuf,
    /// Its line in the CSV.
    pub line: u64,
    /// The part of the row.
    pub part: Part,
    /// Its given label.
    pub label: String,
    /// The label that it should probably have.
    pub proposed: String,
    /// 0 probably wrong, 1 probably right.
    pub quality: f64,
    /// How often the network is right at this confidence.
    pub record: Option<TrackRecord>,
}
