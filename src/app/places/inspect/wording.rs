//! Scores in words: names, what they mean to somebody who is no statistician, and how they are written.

use tasklens_data::dataset::split::Part;
use tasklens_data::text::{counted_grouped, percent};
use tasklens_net::evaluation::intervals::Estimate;
use tasklens_net::evaluation::scores::TaskScores;

use crate::app::widgets::glossary::Word;

/// A score of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Score {
    Accuracy,
    Balanced,
    MacroF1,
    LogLoss,
    Calibration,
}

impl Score {
    pub const ALL: [Self; 5] =
        [Self::Accuracy, Self::Balanced, Self::MacroF1, Self::LogLoss, Self::Calibration];

    /// The word that explains it.
    pub fn word(self) -> Word {
        match self {
            Self::Accuracy => Word::Accuracy,
            Self::Balanced => Word::BalancedAccuracy,
            Self::MacroF1 => Word::MacroF1,
            Self::LogLoss => Word::LogLoss,
            Self::Calibration => Word::Ece,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Balanced => "Balanced",
            _ => self.word().name(),
        }
    }

    /// Its name and what it means.
    pub fn meaning(self) -> String {
        format!("{}: {}", self.word().name(), self.word().meaning())
    }

    pub fn of(self, scores: &TaskScores) -> Option<f64> {
        match self {
            Self::Calibration => scores.calibration.error,
            _ => self.interval(scores).map(|estimate| estimate.value),
        }
    }

    /// With its interval; the calibration error has none.
    pub fn interval(self, scores: &TaskScores) -> Option<Estimate> {
        match self {
            Self::Accuracy => scores.accuracy,
            Self::Balanced => scores.balanced_accuracy,
            Self::MacroF1 => scores.macro_f1,
            Self::LogLoss => scores.log_loss,
            Self::Calibration => None,
        }
    }

    /// What to beat: the score of always predicting the most frequent label; for the calibration error, what chance
    /// alone makes of it.
    pub fn to_beat(self, scores: &TaskScores) -> Option<f64> {
        let baseline = scores.baseline.as_ref();
        match self {
            Self::Accuracy => baseline.map(|baseline| baseline.accuracy),
            Self::Balanced => baseline.map(|baseline| baseline.balanced_accuracy),
            Self::MacroF1 => baseline.map(|baseline| baseline.macro_f1),
            Self::LogLoss => baseline.map(|baseline| baseline.log_loss),
            Self::Calibration => scores.calibration.error_by_chance,
        }
    }

    /// Whether more is better.
    pub fn is_gain(self) -> bool {
        !matches!(self, Self::LogLoss | Self::Calibration)
    }

    pub fn text(self, value: f64) -> String {
        match self {
            Self::LogLoss => format!("{value:.3}"),
            _ => percent(value),
        }
    }

    /// `78 – 93 %`.
    pub fn range(self, estimate: &Estimate) -> String {
        match self {
            Self::LogLoss if estimate.high.is_infinite() => format!("from {:.2}", estimate.low),
            Self::LogLoss => format!("{:.2} \u{2013} {:.2}", estimate.low, estimate.high),
            _ => range(estimate),
        }
    }
}

/// `78 – 93 %`.
pub(super) fn range(estimate: &Estimate) -> String {
    format!("{:.0} \u{2013} {:.0} %", estimate.low * 100.0, estimate.high * 100.0)
}

/// `78 % to 93 %`, within sentences.
pub(super) fn from_to(estimate: &Estimate) -> String {
    format!("{:.0} % to {:.0} %", estimate.low * 100.0, estimate.high * 100.0)
}

/// `1 image`, `12,345 images`.
pub(super) fn images(count: usize) -> String {
    counted_grouped(count, "image")
}

/// Such as `validation image`; only `image` for all splits.
pub(super) fn image_of(part: Option<Part>) -> String {
    part.map_or("image".to_owned(), |part| format!("{} image", part.adjective()))
}

/// What a part is called within a sentence.
pub(super) fn part_name(part: Option<Part>) -> &'static str {
    part.map_or("all splits", Part::name)
}

/// A dash where there is no number.
pub(super) fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "\u{2013}".to_owned())
}
