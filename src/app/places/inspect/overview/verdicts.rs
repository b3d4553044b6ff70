//! What the scores of a task come to, in a few sentences for people who did not study them.

use tasklens_data::text::whole_percent;
use tasklens_net::evaluation::scores::{Calibration, CalibrationBin, TaskScores};

use crate::app::places::inspect::wording::{from_to, images};

/// A bound this much above the baseline is better by far.
const BY_FAR: f64 = 0.2;
/// An interval wider than this leaves the accuracy open.
const WIDE: f64 = 0.25;
/// An interval wider than this is worth a word.
const NOT_EXACT: f64 = 0.08;

/// How a sentence is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good news.
    Good,
    /// Something to keep in mind.
    Note,
    /// Something to act upon.
    Warning,
}

/// A sentence about the scores, and how it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub tone: Tone,
    /// The sentence, without a full stop.
    pub text: String,
}

/// What is to be said of `scores`; `train` are those on the rows that the network learnt from, where these are
/// others. Nothing without rows.
pub fn verdicts(scores: &TaskScores, labels: &[String], train: Option<&TaskScores>) -> Vec<Verdict> {
    let all = [
        baseline(scores, labels),
        certainty(scores),
        train.and_then(|train| overfitting(scores, train)),
        calibration(scores),
    ];
    all.into_iter().flatten().collect()
}

fn verdict(tone: Tone, text: String) -> Option<Verdict> {
    Some(Verdict { tone, text })
}

fn baseline(scores: &TaskScores, labels: &[String]) -> Option<Verdict> {
    let (accuracy, baseline) = (scores.accuracy?, scores.baseline.as_ref()?);
    let label = labels.get(baseline.label as usize).map_or("", String::as_str);
    let always = format!("always predicting `{label}` ({})", whole_percent(baseline.accuracy));
    if baseline.accuracy >= 1.0 {
        return verdict(
            Tone::Warning,
            format!("Every image here is `{label}`: this says nothing about the other labels"),
        );
    }
    if accuracy.low >= baseline.accuracy + BY_FAR {
        verdict(Tone::Good, format!("Much better than {always}"))
    } else if accuracy.low > baseline.accuracy {
        verdict(Tone::Good, format!("Better than {always}"))
    } else if accuracy.high < baseline.accuracy {
        verdict(Tone::Warning, format!("Worse than {always}"))
    } else {
        verdict(Tone::Warning, format!("Not clearly better than {always}"))
    }
}

fn certainty(scores: &TaskScores) -> Option<Verdict> {
    let accuracy = scores.accuracy?;
    let (count, between) = (images(scores.rows), from_to(&accuracy));
    match accuracy.high - accuracy.low {
        width if width > WIDE => {
            verdict(Tone::Warning, format!("{count} are too few to be certain: accuracy {between}"))
        }
        width if width > NOT_EXACT => {
            verdict(Tone::Note, format!("{count} show the accuracy only roughly: {between}"))
        }
        _ => None,
    }
}

fn overfitting(scores: &TaskScores, train: &TaskScores) -> Option<Verdict> {
    let (here, there) = (scores.accuracy?, train.accuracy?);
    if there.low <= here.high {
        return None;
    }
    let (there, here) = (whole_percent(there.value), whole_percent(here.value));
    verdict(Tone::Note, format!("More accurate on training images ({there}) than on these ({here})"))
}

fn calibration(scores: &TaskScores) -> Option<Verdict> {
    let Calibration { error, error_by_chance, confidence, bins } = &scores.calibration;
    let (confidence, accuracy) = ((*confidence)?, scores.accuracy?.value);
    if (*error)? <= (*error_by_chance)? {
        return verdict(Tone::Good, "Its confidence can be trusted, as far as these images show".to_owned());
    }
    let is_over = confidence > accuracy;
    let excess = |bin: &CalibrationBin| {
        let gap = bin.confidence? - bin.accuracy?.value;
        Some(bin.rows as f64 * if is_over { gap } else { -gap })
    };
    // The range that most of the error comes from.
    let worst = bins.iter().filter(|bin| excess(bin) > Some(0.0));
    let worst = worst.max_by(|a, b| excess(a).unwrap_or(0.0).total_cmp(&excess(b).unwrap_or(0.0)))?;
    let (sure, right) = (whole_percent(worst.confidence?), whole_percent(worst.accuracy?.value));
    if is_over {
        let text = format!("Overconfident: of the predictions at about {sure}, only {right} are right");
        verdict(Tone::Warning, text)
    } else {
        let text =
            format!("Underconfident: of the predictions at about {sure}, as many as {right} are right");
        verdict(Tone::Note, text)
    }
}

#[cfg(test)]
mod tests {
    use tasklens_net::evaluation::scores::score;

    use super::*;

    /// `right` of `of` images of two labels, each predicted with `sure`; of every three images, two are `solid`.
    fn scores(right: usize, of: usize, sure: f32) -> TaskScores {
        let labels: Vec<Option<u32>> = (0..of).map(|row| Some(u32::from(row % 3 == 2))).collect();
        let said = |row: usize| {
            let is_second = (row % 3 == 2) == (row * 7 % of < right);
            if is_second { [1.0 - sure, sure] } else { [sure, 1.0 - sure] }
        };
        let probabilities: Vec<f32> = (0..of).flat_map(said).collect();
        score(&labels, &probabilities, 2)
    }

    fn said(scores: &TaskScores, train: Option<&TaskScores>) -> Vec<String> {
        let labels = ["solid".to_owned(), "striped".to_owned()];
        verdicts(scores, &labels, train).into_iter().map(|verdict| verdict.text).collect()
    }

    #[test]
    fn many_images_and_true_certainty_are_good_news() {
        let all = said(&scores(1080, 1200, 0.9), None);
        assert_eq!(
            all,
            [
                "Much better than always predicting `solid` (67 %)",
                "Its confidence can be trusted, as far as these images show"
            ]
        );
    }

    #[test]
    fn few_images_are_said_to_be_few() {
        let all = said(&scores(10, 12, 0.8), None);
        assert_eq!(all[0], "Not clearly better than always predicting `solid` (67 %)");
        assert_eq!(all[1], "12 images are too few to be certain: accuracy 55 % to 95 %");
        assert!(said(&scores(70, 100, 0.7), None)[1].contains("only roughly: 60 % to 78 %"));
    }

    #[test]
    fn too_much_and_too_little_certainty_are_told_apart() {
        let all = said(&scores(780, 1000, 0.9), None);
        let text = "Overconfident: of the predictions at about 90 %, only 78 % are right";
        assert_eq!(all.last().unwrap(), text);
        let all = said(&scores(900, 1000, 0.6), None);
        let text = "Underconfident: of the predictions at about 60 %, as many as 90 % are right";
        assert_eq!(all.last().unwrap(), text);
    }

    #[test]
    fn a_network_that_knows_its_training_images_by_heart_is_noticed() {
        let (here, train) = (scores(780, 1000, 0.8), scores(2940, 3000, 0.98));
        let text = "More accurate on training images (98 %) than on these (78 %)";
        assert!(said(&here, Some(&train)).iter().any(|line| line == text));
        assert!(!said(&here, Some(&here)).iter().any(|line| line.starts_with("More accurate")));
    }

    #[test]
    fn without_rows_there_is_nothing_to_say() {
        assert!(verdicts(&score(&[], &[], 2), &[], None).is_empty());
    }
}
