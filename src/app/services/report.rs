//! The page about an inspected run, as `tasklens evaluate --html` writes it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tasklens_data::config::Config;
use tasklens_data::dataset::Dataset;
use tasklens_data::files::Output;
use tasklens_net::evaluation::agreement::Disagreement;
use tasklens_net::evaluation::findings::{self, labelled_tasks};
use tasklens_net::evaluation::inspection::Inspection;
use tasklens_net::evaluation::page::page;
use tasklens_net::evaluation::report::{EvaluationReport, TaskReport};
use tasklens_net::inference::outputs::OutputStore;

use super::jobs::Progress;

/// What the page is about.
pub struct ReportRequest {
    /// The run's folder.
    pub run: PathBuf,
    /// Its rows.
    pub dataset: Arc<Dataset>,
    /// What the network says of them.
    pub inspection: Arc<Inspection>,
    /// Where its outputs are.
    pub store: OutputStore,
    /// Where the images are, and how they are prepared.
    pub config: Config,
    /// Where the scores are not those that the run recorded.
    pub disagreements: Vec<Disagreement>,
}

impl fmt::Debug for ReportRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ReportRequest").field("run", &self.run).finish_non_exhaustive()
    }
}

impl ReportRequest {
    /// Makes the page and writes it; looks for label errors and duplicates first, and decodes the images that it
    /// shows. Not for the UI thread. Nothing is written after a cancel.
    ///
    /// # Errors
    /// What is needed cannot be read, or the file cannot be written.
    pub fn write(self, file: &Path, progress: &Progress) -> anyhow::Result<()> {
        let Self { run, dataset, inspection, store, config, disagreements } = self;
        let tasks =
            labelled_tasks(&inspection).map(|task| TaskReport::new(&dataset, &inspection, task)).collect();
        let mut report = EvaluationReport {
            model: run,
            images: inspection.len(),
            failures: Vec::new(),
            tasks,
            not_evaluated: Vec::new(),
            disagreements,
            duplicates: None,
            comparison: None,
        };
        findings::add(&mut report, &dataset, &inspection, &store, &config, &mut |search, done, of| {
            progress.say(search.title());
            progress.set_without_pace(done as u64, of as u64);
            progress.keep_going()
        })?;
        progress.say("reading the images of the page");
        let html = page(&report, &mut |done, of| {
            progress.set_without_pace(done as u64, of as u64);
            progress.keep_going()
        });
        anyhow::ensure!(progress.keep_going(), "the report was cancelled");
        Output::of(file)
            .and_then(|output| output.write(html.as_bytes()))
            .map_err(|error| anyhow::anyhow!("{} cannot be written: {error}", file.display()))
    }
}
