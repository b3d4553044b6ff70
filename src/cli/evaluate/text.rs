//! The report as text for a terminal.

use tasklens_data::dataset::split::Part;
use tasklens_data::text::counted;
use tasklens_net::evaluation::compare::FEWEST;
use tasklens_net::evaluation::report::{EvaluationReport, TaskReport};
use tasklens_net::evaluation::run_comparison::TaskComparison;
use tasklens_net::evaluation::scores::TaskScores;

use super::MOST_OF_KIND;

/// Prints a report to standard output.
pub fn print(report: &EvaluationReport) {
    out!("{}", counted(report.images, "image"));
    for task in &report.tasks {
        out!("\n{}", task.task.name);
        for (part, scores) in task.scores.parts() {
            print_scores(part, scores);
        }
        for found in report.disagreements.iter().filter(|found| found.task == task.task.name) {
            out!("  {}", found.sentence());
        }
        if let Some((part, scores)) = task.scores.main().filter(|(_, scores)| scores.rows > 0) {
            out!("  on {}:", part.name());
            print_labels(task, scores);
            print_confusion(task, scores);
        }
        print_label_errors(task);
    }
    for task in report.comparison.iter().flat_map(|comparison| &comparison.tasks) {
        print_comparison(task);
    }
    if let Some(pairs) = report.duplicates.as_ref().filter(|pairs| !pairs.is_empty()) {
        out!("\n{} validation images look like a training image: the scores are too good", pairs.len());
        for pair in pairs.iter().take(MOST_OF_KIND) {
            out!("  {:.3}  {}  {}", pair.similarity, pair.validation.display(), pair.train.display());
        }
    }
}

fn print_comparison(task: &TaskComparison) {
    let rows = counted(task.rows(), "row");
    let conclusion = match task.difference {
        Some(difference) => format!(
            "accuracy {:+.1} points, p = {}, on {rows} that neither run was trained on",
            100.0 * difference.value,
            score(task.p_value)
        ),
        None if task.new_to_both => {
            format!("no p: only {rows} that neither run was trained on, at least {FEWEST} are needed")
        }
        None => format!("no p: at least one of the runs was trained on these {rows}"),
    };
    out!(
        "\n{} ({}): {} fixed, {} broken, {} still wrong; {conclusion}",
        task.task,
        task.part.name(),
        task.fixed.len(),
        task.broken.len(),
        task.still_wrong
    );
}

fn print_label_errors(task: &TaskReport) {
    let Some(errors) = &task.label_errors else { return };
    out!("  {}. {}", errors.headline(), errors.sentence());
    if let Some(memorised) = &errors.memorised {
        out!("  {}", memorised.warning());
    }
    for error in errors.rows.iter().take(MOST_OF_KIND) {
        out!(
            "    line {}: {}, probably {}{}  {}",
            error.line,
            error.label,
            error.proposed,
            error.record.map_or_else(String::new, |record| format!(
                " (right {} of {} times at this confidence)",
                record.right, record.of
            )),
            error.image.display()
        );
    }
}

fn print_scores(part: Part, scores: &TaskScores) {
    let name = part.name();
    if scores.rows == 0 {
        out!("  {name:<10}  no row has a label");
        return;
    }
    let interval = scores.accuracy.map_or_else(String::new, |a| format!(" ({:.3} to {:.3})", a.low, a.high));
    out!(
        "  {name:<10}  accuracy {}{interval}  balanced {}  macro-F1 {}  log loss {}  calibration error {}  ({})",
        score(scores.accuracy.map(|a| a.value)),
        score(scores.balanced_accuracy.map(|a| a.value)),
        score(scores.macro_f1.map(|a| a.value)),
        score(scores.log_loss.map(|a| a.value)),
        score(scores.calibration.error),
        counted(scores.rows, "row")
    );
}

fn score(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"))
}

fn print_labels(task: &TaskReport, scores: &TaskScores) {
    let labels = &task.task.labels;
    let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0).max(5);
    out!("  {:width$}  precision  recall     f1   rows", "label");
    for (label, scores) in labels.iter().zip(&scores.labels) {
        out!(
            "  {label:width$}  {:>9}  {:>6}  {:>5}  {:>5}",
            score(scores.precision.map(|p| p.value)),
            score(scores.recall.map(|r| r.value)),
            score(scores.f1),
            scores.rows
        );
    }
}

/// The most frequent mistakes in words: a matrix does not fit a terminal.
fn print_confusion(task: &TaskReport, scores: &TaskScores) {
    let labels = &task.task.labels;
    let cells = scores.confusion.cells().filter(|(actual, predicted, _)| actual != predicted);
    let mut mistakes: Vec<(usize, &str, &str)> =
        cells.map(|(actual, predicted, count)| (count, &*labels[actual], &*labels[predicted])).collect();
    mistakes.sort_by(|a, b| b.cmp(a));
    for (count, actual, predicted) in mistakes.iter().take(MOST_OF_KIND) {
        out!("  {count} x {actual} taken for {predicted}");
    }
}
