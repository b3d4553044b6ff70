//! Figures of the page as SVG: the confusion matrix and the reliability diagram.

use std::fmt::Write as _;

use super::{escape, share, short};
use crate::evaluation::confusion::{Confusion, Normalisation, order};
use crate::evaluation::scores::Calibration;

/// Side of a cell in pixels; smaller if there are many labels.
const CELL: f64 = 34.0;
/// Up to this many labels have their names and numbers in the figure.
const NAMED: usize = 40;
const WIDTH: f64 = 560.0;
/// Characters of a label in the figure.
const LONGEST_NAME: usize = 18;

/// The confusion matrix, with confused labels side by side; each row sums to 1.
pub fn confusion(labels: &[String], confusion: &Confusion) -> String {
    let order = order(confusion);
    let shares = confusion.normalised(Normalisation::Actual);
    let named = labels.len() <= NAMED;
    let longest =
        labels.iter().map(|label| label.chars().count()).max().unwrap_or(0).min(LONGEST_NAME) as f64;
    let margin = if named { longest * 6.2 + 10.0 } else { 8.0 };
    let cell = ((WIDTH - margin) / labels.len().max(1) as f64).min(CELL);
    let side = cell * labels.len() as f64;
    let mut svg = format!(
        "<svg role=img aria-label=\"Confusion matrix\" width=\"{0:.0}\" height=\"{0:.0}\">",
        margin + side + 1.0
    );
    for (row, &actual) in order.iter().enumerate() {
        let y = margin + row as f64 * cell;
        if named {
            let name = escape(&short(&labels[actual], LONGEST_NAME));
            let middle = y + cell / 2.0 + 4.0;
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{middle:.1}\" text-anchor=end>{name}</text>",
                margin - 6.0
            );
            let _ = write!(
                svg,
                "<text transform=\"translate({middle:.1} {:.1}) rotate(-90)\">{name}</text>",
                margin - 6.0
            );
        }
        for (column, &predicted) in order.iter().enumerate() {
            let count = confusion.count(actual, predicted);
            if count == 0 && actual != predicted {
                continue;
            }
            let (x, value) = (margin + column as f64 * cell, shares[actual][predicted]);
            let value = if value.is_nan() { 0.0 } else { value };
            let title = format!(
                "{count} of {} {} are taken for {} ({})",
                confusion.actual(actual),
                escape(&labels[actual]),
                escape(&labels[predicted]),
                share(value)
            );
            let _ = write!(
                svg,
                "<g><title>{title}</title><rect class=cell x=\"{x:.1}\" y=\"{y:.1}\" width=\"{cell:.1}\" \
                 height=\"{cell:.1}\" fill-opacity=\"{:.3}\"/>",
                0.08 + 0.62 * value
            );
            if cell >= 22.0 {
                let _ = write!(
                    svg,
                    "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=middle>{count}</text>",
                    x + cell / 2.0,
                    y + cell / 2.0 + 4.0
                );
            }
            svg += "</g>";
        }
    }
    let _ = write!(
        svg,
        "<rect class=frame x=\"{margin:.1}\" y=\"{margin:.1}\" width=\"{side:.1}\" height=\"{side:.1}\"/>"
    );
    svg + "</svg>"
}

/// The reliability diagram: accuracy by confidence; a calibrated network is on the diagonal.
pub fn reliability(calibration: &Calibration) -> String {
    const SIDE: f64 = 280.0;
    const LEFT: f64 = 40.0;
    const TOP: f64 = 8.0;
    let mut svg = format!(
        "<svg role=img aria-label=\"Reliability diagram\" width=\"{:.0}\" height=\"{:.0}\">\
         <rect class=frame x=\"{LEFT}\" y=\"{TOP}\" width=\"{SIDE}\" height=\"{SIDE}\"/>\
         <line class=diagonal x1=\"{LEFT}\" y1=\"{}\" x2=\"{}\" y2=\"{TOP}\"/>",
        LEFT + SIDE + 24.0,
        TOP + SIDE + 36.0,
        TOP + SIDE,
        LEFT + SIDE
    );
    let most = calibration.bins.iter().map(|bin| bin.rows).max().unwrap_or(0).max(1) as f64;
    for bin in &calibration.bins {
        let (Some(confidence), Some(accuracy)) = (bin.confidence, bin.accuracy) else { continue };
        let x = LEFT + confidence * SIDE;
        let at = |value: f64| TOP + (1.0 - value) * SIDE;
        let radius = 2.5 + 4.5 * (bin.rows as f64 / most).sqrt();
        let _ = write!(
            svg,
            "<g><title>{} predictions at {} are right in {} ({} to {})</title>\
             <line class=right x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
             <circle class=bar cx=\"{x:.1}\" cy=\"{:.1}\" r=\"{radius:.1}\"/></g>",
            bin.rows,
            share(confidence),
            share(accuracy.value),
            share(accuracy.low),
            share(accuracy.high),
            at(accuracy.low),
            at(accuracy.high),
            at(accuracy.value)
        );
    }
    for tick in [0.0, 0.5, 1.0] {
        let _ = write!(
            svg,
            "<text class=weak x=\"{:.1}\" y=\"{:.1}\" text-anchor=end>{:.0} %</text>\
             <text class=weak x=\"{:.1}\" y=\"{:.1}\" text-anchor=middle>{:.0} %</text>",
            LEFT - 6.0,
            TOP + (1.0 - tick) * SIDE + 4.0,
            tick * 100.0,
            LEFT + tick * SIDE,
            TOP + SIDE + 15.0,
            tick * 100.0
        );
    }
    let _ = write!(
        svg,
        "<text class=weak x=\"{:.1}\" y=\"{:.1}\" text-anchor=middle>x: confidence, y: share that is right</text>",
        LEFT + SIDE / 2.0,
        TOP + SIDE + 31.0
    );
    svg + "</svg>"
}
