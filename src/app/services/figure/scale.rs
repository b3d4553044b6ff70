//! How the values of a chart are laid out and written: as numbers, shares of one, or by powers of ten.

use egui_plot::{GridInput, GridMark};

use super::Point;

/// The value axis of a chart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Numbers from 0, such as a loss.
    #[default]
    Number,
    /// Shares from 0 to 1, written as percentages, such as an accuracy.
    Share,
    /// By powers of ten, each for the epoch that ends at its point, such as a learning rate.
    Log,
}

impl Scale {
    /// A value as the readout writes it.
    pub fn exact(self, value: f64) -> String {
        match self {
            Self::Number => format!("{value:.4}"),
            Self::Share => format!("{:.1} %", value * 100.0),
            Self::Log => short_rate(value),
        }
    }

    /// Where a value lies on the axis.
    pub fn place(self, value: f64) -> f64 {
        match self {
            Self::Number | Self::Share => value,
            Self::Log => value.max(f64::MIN_POSITIVE).log10(),
        }
    }

    /// The points of the line on the axis.
    pub fn line(self, points: &[Point]) -> Vec<Point> {
        let placed = points.iter().map(|&[x, y]| [x, self.place(y)]);
        if self != Self::Log {
            return placed.collect();
        }
        // A rate holds for its epoch, which ends where its point is: a slope would show rates that never were.
        let mut line: Vec<Point> = Vec::with_capacity(2 * points.len());
        for [x, y] in placed {
            let begin = line.last().map_or(x - 1.0, |before| before[0]);
            line.extend([[begin, y], [x, y]]);
        }
        line
    }

    /// Lower and upper end of the axis for these values.
    pub fn range(self, values: impl Iterator<Item = f64>) -> (f64, f64) {
        let ends = values.fold(None, |ends: Option<(f64, f64)>, value| {
            let (low, high) = ends.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        });
        match (self, ends) {
            (Self::Number, None) => (0.0, 1.0),
            (Self::Number, Some((low, high))) => (low.min(0.0), high.max(1e-6) * 1.05),
            (Self::Share, None) => (0.0, 1.02),
            (Self::Share, Some((low, _))) => ((low * 10.0 - 0.2).floor().max(0.0) / 10.0, 1.02),
            (Self::Log, None) => (-5.0, -2.0),
            (Self::Log, Some((low, high))) => (self.place(low) - 0.5, self.place(high) + 0.5),
        }
    }

    /// The lines of the grid.
    pub fn marks(self, input: &GridInput) -> Vec<GridMark> {
        let step = match self {
            Self::Number | Self::Share => round_step(input.base_step_size * 1.5),
            Self::Log => 1.0,
        };
        marks_of_step(input.bounds, step)
    }

    /// A value as the axis writes it.
    pub fn axis_text(self, value: f64, step: f64) -> String {
        match self {
            Self::Number => format!("{value:.*}", decimals(step)),
            Self::Share => format!("{:.*} %", decimals(step * 100.0), value * 100.0),
            Self::Log => format!("1e{value:.0}"),
        }
    }
}

/// A rate in as few characters as say it exactly enough: `0.001`, `2.5e-5`.
pub fn short_rate(rate: f64) -> String {
    if rate == 0.0 || (1e-4..1e4).contains(&rate.abs()) {
        let text = format!("{rate:.6}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        return text.to_owned();
    }
    let text = format!("{rate:.2e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
}

/// Grid lines at whole epochs.
pub fn epoch_marks(input: &GridInput) -> Vec<GridMark> {
    marks_of_step(input.bounds, round_step(input.base_step_size * 1.5).max(1.0))
}

/// The next larger of 1, 2, 5 times a power of ten.
fn round_step(at_least: f64) -> f64 {
    let power = 10f64.powf(at_least.max(1e-12).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= at_least)
        .unwrap_or(power)
}

fn marks_of_step((low, high): (f64, f64), step: f64) -> Vec<GridMark> {
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    // An axis has room for dozens; anything more is a fault of the bounds.
    (first..=last.min(first + 500)).map(|n| GridMark { value: n as f64 * step, step_size: step }).collect()
}

fn decimals(step: f64) -> usize {
    (-step.max(1e-12).log10().floor()).clamp(0.0, 6.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_whole_also_when_there_is_room_for_more() {
        let marks = epoch_marks(&GridInput { bounds: (0.9, 5.1), base_step_size: 0.1 });
        let values: Vec<f64> = marks.iter().map(|mark| mark.value).collect();
        assert_eq!(values, [1.0, 2.0, 3.0, 4.0, 5.0]);
        let marks = epoch_marks(&GridInput { bounds: (0.0, 100.0), base_step_size: 9.0 });
        assert_eq!(marks.len(), 6, "every 20th of 100");
    }

    #[test]
    fn values_are_written_as_exactly_as_they_can_be_read() {
        assert_eq!(Scale::Number.exact(0.512_34), "0.5123");
        assert_eq!(Scale::Share.exact(0.9534), "95.3 %");
        assert_eq!(Scale::Log.exact(0.001), "0.001");
        assert_eq!(Scale::Log.exact(0.000_025), "2.5e-5");
        assert_eq!(Scale::Log.exact(1e-6), "1e-6");
        assert_eq!(Scale::Number.axis_text(0.5, 0.5), "0.5");
        assert_eq!(Scale::Number.axis_text(2.0, 1.0), "2");
        assert_eq!(Scale::Share.axis_text(0.25, 0.05), "25 %");
    }

    #[test]
    fn a_rate_steps_where_it_was_changed() {
        let line = Scale::Log.line(&[[1.0, 1e-3], [2.0, 1e-3], [3.0, 1e-4]]);
        let steps = [[0.0, -3.0], [1.0, -3.0], [1.0, -3.0], [2.0, -3.0], [2.0, -4.0], [3.0, -4.0]];
        assert_eq!(line, steps, "the third epoch has the new rate, from its beginning");
    }

    #[test]
    fn one_value_still_has_an_axis() {
        let (low, high) = Scale::Log.range([1e-4].into_iter());
        assert!(low < -4.0 && high > -4.0);
        let (low, high) = Scale::Number.range([0.0].into_iter());
        assert!(high > low);
    }
}
