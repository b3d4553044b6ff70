//! A study as one HTML file that needs nothing else: two charts and the numbers behind them.

use std::fmt::Write as _;

use tasklens_data::text::counted;

use super::report::{StudyReport, TaskResult, over_seeds};
use crate::evaluation::page::{document, escape, short};

const WIDTH: f64 = 560.0;
/// Where names end and bars begin.
const LEFT: f64 = 150.0;
/// Characters of a name in a chart.
const LONGEST_NAME: usize = 20;
const BAR: f64 = 16.0;
/// Between the bars of a task and those of the next.
const GAP: f64 = 18.0;
/// Room behind the longest bar for its number.
const RIGHT: f64 = 130.0;
/// Beside the common style: the bars of single-task networks are hollow, so that the page can be printed.
const OWN_STYLE: &str =
    ".hollow{fill:none;stroke:currentColor;stroke-opacity:.55}.whisker{stroke:currentColor}";

/// The page of a study as one HTML file, without anything from elsewhere.
pub fn page(report: &StudyReport, name: &str) -> String {
    let seeds = report.seeds.len();
    let body = format!(
        "<header><h1>{}</h1><p>One network for all tasks beside one for each, {} and {} each, on the same split. \
         Accuracies are those of the images that validate, of the weights that are kept.{}</p>{}</header>\n\
         <section><h2>Accuracy</h2><figure>{}</figure>{}</section>\n\
         <section><h2>Time of a prediction</h2><figure>{}</figure><p>One network is <b>{:.2} times</b> as fast as \
         {} in batches of {}, and {:.2} times one image at a time; decoding is left out.</p></section>\n\
         <section><h2>What the features know</h2><p>How often the training image that is nearest by the features of \
         a network has the same label as an image that validates.</p>{}</section>\n",
        escape(name),
        counted(seeds, "seed"),
        counted(report.epochs, "epoch"),
        if seeds == 1 { " One seed tells nothing of the spread." } else { " Intervals are 95 % over seeds." },
        notices(report),
        accuracy_chart(&report.tasks),
        accuracy_table(&report.tasks),
        time_chart(report),
        report.times.ratio(),
        report.tasks.len(),
        report.times.batch,
        report.times.ratio_one_by_one(),
        neighbours_table(report),
    );
    document(name, OWN_STYLE, &body)
}

fn notices(report: &StudyReport) -> String {
    report.notices.iter().map(|notice| format!("<p>{}</p>", escape(notice))).collect()
}

/// One pair of bars a task, from 0 to 100 %, with whiskers over seeds.
fn accuracy_chart(tasks: &[TaskResult]) -> String {
    let full = WIDTH - LEFT - RIGHT;
    let mut svg = svg("Accuracy of each task", tasks.len() as f64 * (2.0 * BAR + GAP));
    for (index, task) in tasks.iter().enumerate() {
        let top = index as f64 * (2.0 * BAR + GAP);
        svg += &name(&task.task, top + BAR);
        for (which, values, class) in [("all tasks", &task.all, "bar"), ("alone", &task.single, "hollow")] {
            let y = top + if class == "bar" { 0.0 } else { BAR };
            let Some((value, interval)) = over_seeds(values) else { continue };
            let text = format!("{} {which}", with_interval(values));
            svg += &bar(y, full * value, class, &text);
            if let Some(found) = interval {
                let (low, high) =
                    (LEFT + full * found.low.clamp(0.0, 1.0), LEFT + full * found.high.clamp(0.0, 1.0));
                let middle = y + BAR / 2.0;
                let _ = write!(
                    svg,
                    "<line class=whisker x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/>"
                );
            }
        }
    }
    svg + "</svg>"
}

/// Milliseconds an image: one network, and one for each task together.
fn time_chart(report: &StudyReport) -> String {
    let times = report.times;
    let full = WIDTH - LEFT - RIGHT;
    let groups = [
        ("in batches", times.all, times.single),
        ("one by one", times.all_one_by_one, times.single_one_by_one),
    ];
    let longest = groups.iter().map(|(_, all, single)| all.max(*single)).fold(f64::MIN_POSITIVE, f64::max);
    let mut svg = svg("Time of a prediction", groups.len() as f64 * (2.0 * BAR + GAP));
    for (index, (group, all, single)) in groups.into_iter().enumerate() {
        let top = index as f64 * (2.0 * BAR + GAP);
        svg += &name(group, top + BAR);
        let of = report.tasks.len();
        let bars =
            [(0.0, all, "bar", "1 network".to_owned()), (BAR, single, "hollow", counted(of, "network"))];
        for (below, seconds, class, which) in bars {
            let text = format!("{:.1} ms, {which}", seconds * 1e3);
            svg += &bar(top + below, full * seconds / longest, class, &text);
        }
    }
    svg + "</svg>"
}

fn svg(label: &str, height: f64) -> String {
    format!("<svg role=img aria-label=\"{label}\" width=\"{WIDTH:.0}\" height=\"{height:.0}\">")
}

/// A name left of the bars, cut where it is too long for its place.
fn name(text: &str, y: f64) -> String {
    let (at, baseline) = (LEFT - 8.0, y + 4.0);
    format!(
        "<text x=\"{at:.1}\" y=\"{baseline:.1}\" text-anchor=end>{}</text>",
        escape(&short(text, LONGEST_NAME))
    )
}

fn bar(y: f64, length: f64, class: &str, text: &str) -> String {
    let (length, end) = (length.max(0.0), LEFT + length.max(0.0) + 8.0);
    let (height, baseline) = (BAR - 3.0, y + BAR - 5.0);
    format!(
        "<rect class={class} x=\"{LEFT}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{height}\"/>\
         <text x=\"{end:.1}\" y=\"{baseline:.1}\">{}</text>",
        escape(text)
    )
}

fn accuracy_table(tasks: &[TaskResult]) -> String {
    let mut rows = String::new();
    for task in tasks {
        let _ = write!(
            rows,
            "<tr><th>{}</th><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td></tr>",
            escape(&task.task),
            with_interval(&task.all),
            with_interval(&task.single),
            points(&task.differences())
        );
    }
    format!(
        "<table><thead><tr><th>Task<th class=n>All tasks in one<th class=n>Alone<th class=n>Difference, points</tr>\
         </thead><tbody>{rows}</tbody></table>"
    )
}

fn neighbours_table(report: &StudyReport) -> String {
    let heads: String =
        report.tasks.iter().map(|task| format!("<th class=n>{}", escape(&task.task))).collect();
    let mut rows = String::new();
    for row in &report.neighbours {
        let cells: String = row
            .accuracies
            .iter()
            .map(|(right, of)| match of {
                0 => "<td class=n>\u{2013}</td>".to_owned(),
                _ => format!("<td class=n>{:.1} %</td>", 100.0 * *right as f64 / *of as f64),
            })
            .collect();
        let _ = write!(rows, "<tr><th>{}</th>{cells}</tr>", escape(&row.network));
    }
    format!("<table><thead><tr><th>Features of{heads}</tr></thead><tbody>{rows}</tbody></table>")
}

/// `92.0 % (87.0 to 97.0)`.
pub fn with_interval(values: &[f64]) -> String {
    match over_seeds(values) {
        None => "\u{2013}".to_owned(),
        Some((value, None)) => format!("{:.1} %", 100.0 * value),
        Some((value, Some(found))) => {
            // No share is above all.
            let (low, high) = (found.low.max(0.0), found.high.min(1.0));
            format!("{:.1} % ({:.1} to {:.1})", 100.0 * value, 100.0 * low, 100.0 * high)
        }
    }
}

/// `+0.4 (-0.8 to +1.6)`, in percentage points.
pub fn points(differences: &[f64]) -> String {
    match over_seeds(differences) {
        None => "\u{2013}".to_owned(),
        Some((value, None)) => format!("{:+.1}", 100.0 * value),
        Some((value, Some(found))) => {
            format!("{:+.1} ({:+.1} to {:+.1})", 100.0 * value, 100.0 * found.low, 100.0 * found.high)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::{NeighbourRow, Times};
    use super::*;

    fn report() -> StudyReport {
        let task = |name: &str, all: &[f64], single: &[f64]| TaskResult {
            task: name.to_owned(),
            all: all.to_vec(),
            single: single.to_vec(),
        };
        StudyReport {
            epochs: 4,
            seeds: vec![1, 2],
            tasks: vec![task("print", &[0.9, 0.94], &[0.91, 0.93]), task("<neck>", &[0.8, 0.8], &[0.7, 0.7])],
            times: Times {
                batch: 16,
                all: 0.010,
                single: 0.021,
                all_one_by_one: 0.012,
                single_one_by_one: 0.018,
            },
            neighbours: vec![NeighbourRow {
                network: "all tasks".to_owned(),
                accuracies: vec![(9, 10), (0, 0)],
            }],
            runs: Vec::new(),
            notices: vec!["The labels of <neck> were changed".to_owned()],
        }
    }

    #[test]
    fn the_page_has_both_charts_and_the_numbers_and_no_markup_of_the_users() {
        let page = page(&report(), "study");
        for text in [
            "aria-label=\"Accuracy of each task\"",
            "aria-label=\"Time of a prediction\"",
            "<b>2.10 times</b>",
            "1.50 times one image at a time",
            "21.0 ms, 2 networks",
            "+10.0 (+10.0 to +10.0)",
            "90.0 %",
            "&lt;neck&gt;",
            "<p>The labels of &lt;neck&gt; were changed</p>",
        ] {
            assert!(page.contains(text), "{text}");
        }
        assert!(!page.contains("<neck>"));
    }

    #[test]
    fn a_share_and_its_interval_stay_between_nothing_and_all() {
        assert_eq!(with_interval(&[0.9, 1.0]), "95.0 % (31.5 to 100.0)");
        assert_eq!(with_interval(&[0.5]), "50.0 %");
        assert_eq!(points(&[0.004]), "+0.4");
        assert_eq!(points(&[]), "\u{2013}");
    }
}
