//! Finds labels that are probably wrong, in rows of every part.
//!
//! Confident learning needs probabilities from a network that was not trained on the row. For validation and test
//! rows, those of the network itself qualify. For training rows, heads are refitted to the features of its backbone
//! in five-fold cross-validation. The backbone has seen these rows, so this is less strict than training five
//! networks, and about a hundred times faster; heads do not memorise a wrong label as a whole network does. If the
//! network has memorised its images ([`Memorised`]), its features encode their labels, too: these rows are then
//! judged by heads on the features of a pretrained network that never saw a label, if there is one.
//!
//! The two kinds of probabilities differ in confidence, so each has its own thresholds. The share of wrong labels is
//! estimated only from rows that the network was not trained on ([`wrong_labels`]).

mod out_of_sample;

use std::collections::HashSet;
use std::path::Path;

use tasklens_data::dataset::split::Part;
use tasklens_data::dataset::{Dataset, ImageRow};
use tasklens_data::work::KeepGoing;

use super::inspection::Inspection;
use super::label_issues::{self, Issue, Quality};
use super::memorised::Memorised;
use super::track_record::{TrackRecord, TrackRecords};
use super::wrong_labels::{self, WrongLabels};
use crate::inference::most_probable;
pub use out_of_sample::Unseen;

/// Margin by which another label must be more probable than the given one.
const MARGIN: f64 = 0.25;
/// A label that is probably wrong, with what speaks against it.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspect {
    /// The image with its row in the dataset.
    pub of: ImageRow,
    /// The part of the row.
    pub part: Part,
    /// The given label: a class index of the network's task.
    pub given: u32,
    /// The label that it should probably have.
    pub proposed: u32,
    /// 0 probably wrong, 1 probably right.
    pub quality: f64,
    /// The out-of-sample probabilities behind this, one per label.
    pub probabilities: Vec<f32>,
    /// How often predictions with this confidence are right; `None` if there are too few rows, or rows whose label
    /// was learnt by heart.
    pub record: Option<TrackRecord>,
}

/// The least share of right predictions at a confidence at which they are accepted without a look at each.
pub const TRUSTED: f64 = 0.9;

/// The suspects of one task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskSuspects {
    /// Number of labelled rows that were checked.
    pub rows: usize,
    /// The estimated share of wrong labels.
    pub wrong: WrongLabels,
    /// Set if the network has memorised its training rows.
    pub memorised: Option<Memorised>,
    /// The rows to look at, worst first.
    pub suspects: Vec<Suspect>,
}

/// Finds the suspects of every task; `inspection` belongs to `dataset`. Expensive results are kept in `folder` (that
/// of the outputs) until labels change. `unseen` is called if the network has memorised its rows. `keep_going` gets
/// (done, of); `None` if it cancelled.
///
/// # Errors
/// Out of memory.
pub fn find(
    dataset: &Dataset,
    inspection: &Inspection,
    folder: &Path,
    unseen: &mut Unseen<'_>,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Vec<TaskSuspects>>> {
    let (trained, held_out): (Vec<usize>, Vec<usize>) =
        (0..inspection.len()).partition(|item| inspection.parts[*item] == Part::Train);
    let mut by_heart: Vec<_> =
        inspection.tasks.iter().map(|task| Memorised::of(task, &trained, &held_out)).collect();
    let Some(probabilities) =
        out_of_sample::probabilities(inspection, folder, &mut by_heart, unseen, keep_going)?
    else {
        return Ok(None);
    };
    let tasks = inspection.tasks.iter().zip(&probabilities).zip(by_heart);
    let found = tasks.map(|((task, probabilities), memorised)| {
        let classes = task.task.labels.len();
        let judged = Judged { labels: &task.labels, probabilities, classes };
        let (held_labels, held_probabilities) = judged.of(&held_out);
        let mut suspects = Vec::new();
        let is_by_heart = memorised.is_some_and(|memorised| !memorised.judged_by_other);
        for (items, by_heart) in [(&held_out, false), (&trained, is_by_heart)] {
            suspects.extend(judged.issues(items, by_heart).into_iter().map(|(issue, record)| Suspect {
                of: ImageRow::of(dataset, inspection.rows[issue.item]),
                part: inspection.parts[issue.item],
                given: issue.given,
                proposed: issue.proposed,
                quality: issue.quality,
                probabilities: judged.row(issue.item).to_vec(),
                record,
            }));
        }
        suspects.sort_by(|a, b| a.quality.total_cmp(&b.quality).then(a.of.row.cmp(&b.of.row)));
        TaskSuspects {
            rows: task.labels.iter().flatten().count(),
            wrong: wrong_labels::estimate(&held_labels, &held_probabilities, classes),
            memorised,
            suspects,
        }
    });
    Ok(Some(found.collect()))
}

/// The labels of one task and the probabilities to judge them by.
struct Judged<'a> {
    labels: &'a [Option<u32>],
    probabilities: &'a [f32],
    classes: usize,
}

impl<'a> Judged<'a> {
    fn row(&self, item: usize) -> &'a [f32] {
        &self.probabilities[item * self.classes..][..self.classes]
    }

    fn of(&self, items: &[usize]) -> (Vec<Option<u32>>, Vec<f32>) {
        let labels = items.iter().map(|item| self.labels[*item]).collect();
        (labels, items.iter().flat_map(|item| self.row(*item)).copied().collect())
    }

    /// The suspects among `items`, worst first, each with the track record of its judge at that confidence.
    fn issues(&self, items: &[usize], by_heart: bool) -> Vec<(Issue, Option<TrackRecord>)> {
        let (labels, probabilities) = self.of(items);
        let records = TrackRecords::new(&labels, &probabilities, self.classes);
        let issues = issues(&labels, &probabilities, self.classes).into_iter().map(|issue| {
            let sure = probabilities[issue.item * self.classes + issue.proposed as usize];
            let record = records.at(sure, issue.item).filter(|_| !by_heart);
            (Issue { item: items[issue.item], ..issue }, record)
        });
        issues.collect()
    }
}

/// The suspects, worst first.
///
/// Confident learning counts a row as wrong if another label is as probable as it is on average among the rows that
/// have it. With features that have seen a wrong label this is too strict: of 5 % flipped labels of the sample it
/// found half, without false alarms. So rows are added whose given label is less probable than another by [`MARGIN`];
/// the order stays the same.
fn issues(labels: &[Option<u32>], probabilities: &[f32], classes: usize) -> Vec<Issue> {
    let mut issues = label_issues::find(labels, probabilities, classes).issues;
    let known: HashSet<usize> = issues.iter().map(|issue| issue.item).collect();
    let qualities = label_issues::qualities(labels, probabilities, classes, Quality::NormalizedMargin);
    for (item, (label, quality)) in labels.iter().zip(qualities).enumerate() {
        let (Some(given), Some(quality)) = (*label, quality) else { continue };
        if quality <= (1.0 - MARGIN) / 2.0 && !known.contains(&item) {
            let row = &probabilities[item * classes..(item + 1) * classes];
            issues.push(Issue { item, given, proposed: most_probable(row) as u32, quality });
        }
    }
    issues.sort_by(|a, b| a.quality.total_cmp(&b.quality).then(a.item.cmp(&b.item)));
    issues
}

impl TaskSuspects {
    /// Whether a suspect may be accepted without a look of its own: the share of wrong labels could be measured, and
    /// where the network was as sure, it was right at least [`TRUSTED`] of the times.
    pub fn is_trusted(&self, suspect: &Suspect) -> bool {
        let share = |record: TrackRecord| record.right as f64 / record.of.max(1) as f64;
        matches!(self.wrong, WrongLabels::Share { .. })
            && suspect.record.is_some_and(|record| share(record) >= TRUSTED)
    }

    /// A sentence about the share of wrong labels, and what it means for the list, without a full stop.
    pub fn sentence(&self) -> String {
        self.wrong.beside_list(self.rows, self.suspects.len())
    }

    /// The same suspects in a dataset that may have been reloaded: each keeps its image and gets its current row;
    /// those without a row are dropped.
    #[must_use]
    pub fn renumbered(&self, dataset: &Dataset) -> Self {
        let rows = ImageRow::find_all(self.suspects.iter().map(|suspect| &suspect.of), dataset);
        let found = self.suspects.iter().zip(rows).filter_map(|(suspect, row)| {
            let of = ImageRow { row: row?, ..suspect.of.clone() };
            Some(Suspect { of, ..suspect.clone() })
        });
        Self { suspects: found.collect(), ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::intervals::Estimate;
    use crate::inference::outputs::Features;

    #[test]
    fn a_suspect_is_trusted_only_where_the_network_was_right_nine_times_in_ten() {
        let suspect = |record| Suspect {
            of: ImageRow { image: "a".to_owned(), row: 0 },
            part: Part::Train,
            given: 0,
            proposed: 1,
            quality: 0.1,
            probabilities: vec![0.1, 0.9],
            record,
        };
        let share = Estimate { value: 0.1, low: 0.05, high: 0.2 };
        let found = |wrong| TaskSuspects { rows: 100, wrong, memorised: None, suspects: Vec::new() };
        let measured = found(WrongLabels::Share { rows: 100, share });
        assert!(measured.is_trusted(&suspect(Some(TrackRecord { right: 45, of: 50 }))));
        assert!(!measured.is_trusted(&suspect(Some(TrackRecord { right: 44, of: 50 }))));
        assert!(!measured.is_trusted(&suspect(None)), "nothing is known of it");
        let weak = found(WrongLabels::NetworkTooWeak { rows: 100 });
        assert!(!weak.is_trusted(&suspect(Some(TrackRecord { right: 50, of: 50 }))));
    }

    #[test]
    fn a_label_that_another_one_clearly_beats_is_looked_at_the_worst_first() {
        // Ten rows of each label that are sure of it: confident learning wants as much of the others.
        let mut labels = [Some(0), Some(1)].repeat(10);
        let mut probabilities = [0.99, 0.01, 0.01, 0.99].repeat(10);
        for (label, given) in [(Some(0), 0.3), (Some(0), 0.45), (Some(0), 0.2), (None, 0.1), (Some(1), 0.9)] {
            labels.push(label);
            probabilities.extend([given, 1.0 - given]);
        }
        let issues = issues(&labels, &probabilities, 2);
        let found: Vec<_> = issues.iter().map(|issue| (issue.item, issue.given, issue.proposed)).collect();
        assert_eq!(found, [(24, 1, 0), (22, 0, 1), (20, 0, 1)], "21 is a toss-up, 23 has no label");
    }

    /// A network that is sure of rows that it trained with, and heads that are less so: pooled, the thresholds of
    /// one part would be those of neither.
    #[test]
    fn each_part_has_its_own_thresholds_and_track_record() {
        let labels = [Some(0), Some(1)].repeat(40);
        let mut probabilities = [0.99, 0.01, 0.01, 0.99].repeat(20);
        probabilities.extend([0.60, 0.40, 0.40, 0.60].repeat(20));
        // The given label 0 of item 40: as sure of the other as its part ever is.
        (probabilities[80], probabilities[81]) = (0.39, 0.61);
        let judged = Judged { labels: &labels, probabilities: &probabilities, classes: 2 };
        let (sure, less): (Vec<usize>, Vec<usize>) = ((0..40).collect(), (40..80).collect());
        assert_eq!(judged.issues(&(0..80).collect::<Vec<_>>(), false), [], "pooled");
        assert_eq!(judged.issues(&sure, false), []);
        let found = judged.issues(&less, false);
        let [(issue, record)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((issue.item, issue.given, issue.proposed), (40, 0, 1));
        assert_eq!(*record, Some(TrackRecord { right: 39, of: 39 }));
        assert_eq!(judged.issues(&less, true)[0].1, None, "learnt by heart");
    }

    /// A network, and its features, that have learnt a wrong label by heart.
    #[test]
    fn what_a_network_knows_by_heart_is_judged_by_features_that_saw_no_label() {
        use crate::evaluation::inspection::tests::{dataset, outputs};
        const WRONG: usize = 7;
        let truth = |row: usize| row % 2;
        let given = |row: usize| if row == WRONG { 1 - truth(row) } else { truth(row) };
        let names = ["plain", "dotted"];
        let row = |row: usize| {
            let part = if row < 100 { "train" } else { "validation" };
            format!("{row}.jpg,{},v,{part}\n", names[given(row)])
        };
        let csv: String = (0..200).map(row).collect();
        let dataset = dataset(&format!("path,print,neck,split\n{csv}"), "plain, dotted");
        let images: Vec<String> = (0..200).map(|row| format!("{row}.jpg")).collect();
        let images: Vec<&str> = images.iter().map(String::as_str).collect();
        // Right of what it trained with, and of four in five others.
        let says = |row: usize| if row >= 100 && row.is_multiple_of(5) { 1 - given(row) } else { given(row) };
        let print = (0..200).flat_map(|row| if says(row) == 0 { [0.99, 0.01] } else { [0.01, 0.99] });
        let outputs = outputs(&images, print.collect(), vec![0.5; 400]);
        let mut inspection = Inspection::new(&dataset, &dataset.parts(), &outputs);
        let drawn = |class: fn(usize) -> usize, rows| {
            Features::drawn(rows, 2, move |row, i| {
                f32::from(u8::from(class(row) == i)) + (row % 7) as f32 / 50.0
            })
        };
        inspection.features = drawn(|row| if row == WRONG { 0 } else { row % 2 }, 200);
        let folder = tempfile::tempdir().unwrap();
        let found = |unseen: &mut Unseen<'_>| {
            find(&dataset, &inspection, folder.path(), unseen, &mut |_, _| true)
                .unwrap()
                .unwrap()
                .swap_remove(0)
        };
        let in_training = |found: &TaskSuspects| {
            found.suspects.iter().map(|s| s.of.row).filter(|row| *row < 100).collect::<Vec<_>>()
        };
        let alone = found(&mut |_, _| Ok(None));
        assert_eq!(in_training(&alone), Vec::<usize>::new(), "its features agree with the wrong label");
        assert!(alone.memorised.is_some_and(|memorised| !memorised.judged_by_other), "{:?}", alone.memorised);
        let failed = found(&mut |_, _| anyhow::bail!("no weights"));
        assert_eq!(failed, alone);
        let judged = found(&mut |rows, _| {
            assert_eq!(rows, (0..100).collect::<Vec<_>>());
            Ok(Some(drawn(|row| row % 2, 100)))
        });
        assert_eq!(in_training(&judged), [WRONG]);
        assert!(judged.memorised.is_some_and(|memorised| memorised.judged_by_other));
        assert!(judged.suspects.iter().any(|suspect| suspect.of.row == WRONG && suspect.record.is_some()));
        // What was made for both kinds of features is kept beside each other.
        assert_eq!(found(&mut |_, _| Ok(None)), alone);
    }

    #[test]
    fn a_suspect_stays_with_its_image_when_rows_move_and_goes_with_it() {
        use crate::evaluation::inspection::tests::dataset;
        let csv = |images: &[&str]| images.iter().map(|image| format!("{image},plain,v,train\n")).collect();
        let rows = |images: &[&str]| {
            let rows: String = csv(images);
            dataset(&format!("path,print,neck,split\n{rows}"), "plain, dotted")
        };
        let before = rows(&["a.jpg", "b.jpg", "c.jpg"]);
        let suspect = |row| Suspect {
            of: ImageRow::of(&before, row),
            part: Part::Train,
            given: 0,
            proposed: 1,
            quality: 0.1,
            probabilities: vec![0.1, 0.9],
            record: None,
        };
        let found = TaskSuspects {
            rows: 3,
            wrong: WrongLabels::TooFewRows { rows: 0 },
            memorised: None,
            suspects: vec![suspect(2), suspect(0)],
        };
        assert_eq!(found.renumbered(&before), found);
        let moved = found.renumbered(&rows(&["new.jpg", "c.jpg", "b.jpg"]));
        let of: Vec<_> =
            moved.suspects.iter().map(|suspect| (suspect.of.image.as_str(), suspect.of.row)).collect();
        assert_eq!(of, [("c.jpg", 1)]);
        assert_eq!((moved.rows, moved.wrong), (3, found.wrong));
    }
}
