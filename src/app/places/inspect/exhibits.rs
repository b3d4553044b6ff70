//! What is shown of a task as values and pictures that leave the window.

use egui::Color32;
use tasklens_net::evaluation::confusion::Confusion;
use tasklens_net::evaluation::scores::Calibration;

use crate::app::services::figure::{Exhibit, Figure, FigureLine, Horizontal, LineLook, Scale, Table};
use crate::app::theme;

/// The counts of a confusion matrix, `subject` being the task and the split: a row per true label, a column per
/// predicted one, in the order of the config.
pub(super) fn confusion_matrix(subject: &str, labels: &[String], confusion: &Confusion) -> Exhibit {
    let head = std::iter::once("true label \\ predicted".to_owned()).chain(labels.iter().cloned());
    let rows = labels.iter().enumerate().map(|(actual, label)| {
        let counts = (0..labels.len()).map(|predicted| confusion.count(actual, predicted).to_string());
        std::iter::once(label.clone()).chain(counts).collect()
    });
    Exhibit::Table(Table {
        title: "Confusion matrix".to_owned(),
        subject: subject.to_owned(),
        rows: std::iter::once(head.collect()).chain(rows).collect(),
    })
}

/// The reliability diagram as a chart: the share that is right over the mean confidence of each range, with its
/// interval.
pub(super) fn calibration(subject: &str, calibration: &Calibration, color: Color32) -> Exhibit {
    let bins =
        || calibration.bins.iter().filter_map(|bin| Some((bin, bin.confidence?, bin.accuracy.as_ref()?)));
    let line =
        |name: &str, color: Color32, look, points| FigureLine { name: name.to_owned(), color, look, points };
    let color = theme::color_on_paper(color);
    let from = calibration.bins.iter().find(|bin| bin.rows > 0).map_or(0.0, |bin| bin.low);
    Exhibit::Figure(Figure {
        title: "Calibration".to_owned(),
        subject: subject.to_owned(),
        horizontal: Horizontal::Confidence,
        ends: (from, 1.0),
        scale: Scale::Share,
        lines: vec![
            line("right", color, LineLook::Solid, bins().map(|(_, x, right)| [x, right.value]).collect()),
            line(
                "95 % interval, lower end",
                color,
                LineLook::Thin,
                bins().map(|(_, x, right)| [x, right.low]).collect(),
            ),
            line("upper end", color, LineLook::Thin, bins().map(|(_, x, right)| [x, right.high]).collect()),
            line(
                "justified",
                theme::on_paper().text_weak,
                LineLook::Reference,
                vec![[from, from], [1.0, 1.0]],
            ),
        ],
        marks: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use tasklens_net::evaluation::intervals::Estimate;
    use tasklens_net::evaluation::scores::CalibrationBin;

    use super::*;

    #[test]
    fn a_confusion_matrix_is_a_table_of_counts_by_true_label() {
        let mut confusion = Confusion::new(2);
        for (actual, predicted) in [(0, 0), (0, 1), (0, 1), (1, 1)] {
            confusion.add(actual, predicted);
        }
        let labels = ["long".to_owned(), "short, wide".to_owned()];
        let table = confusion_matrix("sleeves on validation", &labels, &confusion);
        assert_eq!(
            table.csv().unwrap(),
            "true label \\ predicted,long,\"short, wide\"\nlong,1,2\n\"short, wide\",0,1\n"
        );
    }

    #[test]
    fn a_range_of_confidence_without_images_has_no_row() {
        let bin = |low: f64, rows: usize, right: f64| CalibrationBin {
            low,
            high: low + 0.25,
            rows,
            confidence: (rows > 0).then_some(low + 0.125),
            accuracy: (rows > 0).then_some(Estimate { value: right, low: right - 0.25, high: right }),
        };
        let bins = vec![bin(0.0, 0, 0.0), bin(0.25, 4, 0.5), bin(0.5, 0, 0.0), bin(0.75, 8, 1.0)];
        let shown = Calibration { error: None, error_by_chance: None, confidence: None, bins };
        let csv = calibration("print", &shown, theme::on_paper().accent_text).csv().unwrap();
        let rows = "0.375,0.5,0.25,0.5\n0.875,1,0.75,1\n";
        assert_eq!(csv, format!("confidence,right,\"95 % interval, lower end\",upper end\n{rows}"));
    }
}
