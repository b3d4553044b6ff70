//! Images as they appear in a folder: each is answered once, by a row of a CSV, also after a restart.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tasklens_data::dataset::create::{FoundImages, find_images};
use tasklens_data::dataset::{Row, RowLabels};
use tasklens_data::files::{self, GrowingTable, Stamp};
use tasklens_data::text::{counted, counted_grouped};
use tasklens_data::work::cores;
use tasklens_net::inference::loader::Batching;
use tasklens_net::inference::stream::{PredictedRow, predict_rows};
use tasklens_net::inference::{Prediction, Predictor};

use super::output::line;
use super::table::{cells_of_image, header_of_images};
use crate::cli::arguments::Predict;
use crate::cli::interrupt::Flag;
use crate::cli::{output, stdout};

/// Between two looks at the folder; more where a look takes long.
const PERIOD: Duration = Duration::from_secs(1);
/// One part in so many of the time goes into looking, at most.
const MOST_LOOKING: u32 = 10;
/// How long an image that cannot be read must stay as it is until that is its answer: it may still be on its way.
const PATIENCE: Duration = Duration::from_secs(20);
/// Rows that are written at once.
const ROWS: usize = 64;

/// An image without an answer yet.
struct Pending {
    stamp: Stamp,
    /// Since when it is as it is.
    since: Instant,
    has_failed: bool,
}

/// What of an image was seen at a look.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// It was not there as it is, at the last look: somebody may still be writing it.
    Wait,
    Predict,
    /// It could not be read, and may yet change.
    WaitLonger,
}

/// The images that have no answer, by name.
#[derive(Default)]
struct Waiting(HashMap<String, Pending>);

impl Waiting {
    fn look(&mut self, name: &str, stamp: Stamp, now: Instant) -> Verdict {
        match self.0.get(name) {
            Some(pending) if pending.stamp == stamp => match pending.has_failed {
                true if now.duration_since(pending.since) < PATIENCE => Verdict::WaitLonger,
                _ => Verdict::Predict,
            },
            _ => {
                self.0.insert(name.to_owned(), Pending { stamp, since: now, has_failed: false });
                Verdict::Wait
            }
        }
    }

    /// Whether an image that cannot be read is to be answered so.
    fn is_final(&mut self, name: &str, now: Instant) -> bool {
        let Some(pending) = self.0.get_mut(name) else { return true };
        pending.has_failed = true;
        now.duration_since(pending.since) >= PATIENCE
    }
}

/// Answers until Ctrl-C.
pub fn run(arguments: &Predict, folder: &Path, csv: &Path, stop: &Flag) -> anyhow::Result<bool> {
    let files::Output::File(csv) = output("--csv", csv)? else {
        bail!(
            "--csv {}: it says after a restart which images are answered, so it has to be a file",
            csv.display()
        );
    };
    let csv = csv.as_path();
    let predictor = Predictor::open(&arguments.model, arguments.device)?;
    // Before anything is written: it may not be there.
    let mut first = Some(find_images(folder, &mut |_| !stop.is_set())?);
    let (table, answered) = GrowingTable::open(csv, &header_of_images(predictor.tasks()))?;
    out!(
        "watching {}: {} answered before; Ctrl-C ends it",
        folder.display(),
        counted_grouped(answered.len(), "image")
    );
    stdout::flush();
    let mut watch = Watch {
        predictor: &predictor,
        batch: arguments.batch_size.into(),
        table,
        answered: answered.into_iter().collect(),
        waiting: Waiting::default(),
        new: 0,
        failures: 0,
    };
    let mut last_trouble = None;
    while !stop.is_set() {
        let began = Instant::now();
        let found = first.take().map_or_else(|| find_images(folder, &mut |_| !stop.is_set()), Ok);
        let trouble = match found.and_then(|found| watch.look(&found, stop)) {
            Ok(()) => None,
            // A network disk may come back. What has no row is answered then.
            Err(error) => Some(format!("{error:#}")),
        };
        if let Some(trouble) = trouble.as_ref().filter(|_| trouble != last_trouble && !stop.is_set()) {
            say!("warning: {trouble}; trying again");
        }
        last_trouble = trouble;
        let until = began + PERIOD.max(began.elapsed() * MOST_LOOKING);
        while !stop.is_set() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    out!("{} answered in {}", counted(watch.new, "image"), csv.display());
    Ok(watch.failures == 0)
}

struct Watch<'a> {
    predictor: &'a Predictor,
    batch: usize,
    table: GrowingTable,
    answered: HashSet<String>,
    waiting: Waiting,
    new: usize,
    failures: usize,
}

impl Watch<'_> {
    /// Answers what of the images that are there has come.
    fn look(&mut self, found: &FoundImages, stop: &Flag) -> anyhow::Result<()> {
        let now = Instant::now();
        let there: HashSet<&str> = found.images.iter().map(String::as_str).collect();
        self.waiting.0.retain(|name, _| there.contains(name.as_str()));
        let mut names = Vec::new();
        for name in &found.images {
            if self.answered.contains(name) {
                continue;
            }
            // It may have gone since.
            let Ok(stamp) = Stamp::of(&found.folder.join(name)) else { continue };
            if self.waiting.look(name, stamp, now) == Verdict::Predict {
                names.push(name.clone());
            }
        }
        let row = |name: &String| Row {
            image: found.folder.join(name).into(),
            labels: RowLabels::new(),
            usable: true,
        };
        let rows: Vec<Row> = names.iter().map(row).collect();
        let which: Vec<usize> = (0..rows.len()).collect();
        let batching = Batching { size: self.batch, workers: cores() };
        let (mut answers, mut outcome) = (Vec::new(), Ok(()));
        predict_rows(
            self.predictor,
            rows.into(),
            &which,
            batching,
            &mut |PredictedRow { row, result, note }| {
                if let Some(note) = note {
                    say!("warning: {note}");
                }
                answers.push((names[row].clone(), result));
                if answers.len() >= ROWS {
                    outcome = self.write(std::mem::take(&mut answers));
                }
                outcome.is_ok() && !stop.is_set()
            },
        )?;
        outcome?;
        self.write(answers)
    }

    fn write(&mut self, mut answers: Vec<(String, Result<Prediction, String>)>) -> anyhow::Result<()> {
        let now = Instant::now();
        answers.retain(|(name, answer)| answer.is_ok() || self.waiting.is_final(name, now));
        if answers.is_empty() {
            return Ok(());
        }
        let tasks = self.predictor.tasks();
        let rows: Vec<_> = answers.iter().map(|(name, answer)| cells_of_image(tasks, name, answer)).collect();
        self.table.append(&rows).context("answers are not written, and asked for again")?;
        for (name, answer) in answers {
            match answer {
                Ok(prediction) => out!("{}", line(&name, tasks, &prediction)),
                Err(message) => {
                    self.failures += 1;
                    say!("warning: {message}");
                }
            }
            self.new += 1;
            self.waiting.0.remove(&name);
            self.answered.insert(name);
        }
        stdout::flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_predicted_once_it_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.png");
        let stamp = |text: &str| {
            std::fs::write(&file, text).unwrap();
            Stamp::of(&file).unwrap()
        };
        let (mut waiting, began) = (Waiting::default(), Instant::now());
        let at = |secs| began + Duration::from_secs(secs);
        assert_eq!(waiting.look("a.png", stamp("half"), at(0)), Verdict::Wait);
        let whole = stamp("a whole one");
        assert_eq!(waiting.look("a.png", whole.clone(), at(1)), Verdict::Wait, "it has changed");
        assert_eq!(waiting.look("a.png", whole.clone(), at(2)), Verdict::Predict);
        // It cannot be read: is it still on its way?
        assert!(!waiting.is_final("a.png", at(2)));
        assert_eq!(waiting.look("a.png", whole.clone(), at(3)), Verdict::WaitLonger);
        assert_eq!(waiting.look("a.png", whole, at(21)), Verdict::Predict);
        assert!(waiting.is_final("a.png", at(21)));
        assert_eq!(waiting.look("a.png", stamp("another"), at(22)), Verdict::Wait);
    }
}
