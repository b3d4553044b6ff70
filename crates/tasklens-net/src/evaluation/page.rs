//! The report as one self-contained HTML file: tables, figures as SVG, and the worst images as small JPEGs. It can be
//! mailed, and is readable without colours.

mod figures;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use image::codecs::jpeg::JpegEncoder;
use tasklens_data::images::thumbnail::thumbnail;
use tasklens_data::work::KeepGoing;

use super::compare::FEWEST;
use super::intervals::Estimate;
use super::report::{EvaluationReport, TaskReport};
use super::scores::TaskScores;

/// Number of images to show of each kind.
const MOST: usize = 24;
/// Longer side of the images in pixels, twice the displayed size.
const PIXELS: u32 = 240;
const QUALITY: u8 = 80;
const STYLE: &str = include_str!("page/style.css");

/// Writes the page. Decodes the images that it shows, which takes a while. `keep_going` gets (done, of) and returns
/// whether to continue; after a cancel the remaining images are shown as paths.
pub fn page(report: &EvaluationReport, keep_going: &mut KeepGoing<'_>) -> String {
    let pictures = Pictures::load(report, keep_going);
    let name = report.model.file_name().unwrap_or(report.model.as_os_str()).to_string_lossy();
    let mut body = format!(
        "<header><h1>{}</h1><p>{} images. Scores have their 95 % interval; hover over a figure for its \
         numbers.</p></header>\n",
        escape(&name),
        report.images
    );
    if !report.failures.is_empty() {
        let list: String =
            report.failures.iter().map(|message| format!("<li>{}</li>", escape(message))).collect();
        let _ = write!(
            body,
            "<details><summary>{} images could not be read</summary><ul>{list}</ul></details>",
            report.failures.len()
        );
    }
    for found in &report.disagreements {
        let _ = write!(body, "<p>{}: {}.</p>", escape(&found.task), escape(&found.sentence()));
    }
    if !report.not_evaluated.is_empty() {
        let tasks = escape(&report.not_evaluated.join(", "));
        let _ = write!(body, "<p>Not evaluated, because the CSV has no column of it: {tasks}.</p>");
    }
    body += &summary(report);
    body += &comparison_section(report);
    for task in &report.tasks {
        body += &task_section(task, &pictures);
    }
    body += &duplicates_section(report, &pictures);
    document(&name, "", &body)
}

/// A file of its own from the HTML of its body, with rules beside the common style.
pub(crate) fn document(title: &str, more_style: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{} \u{2013} Tasklens</title><style>{STYLE}{more_style}</style></head>\n\
         <body>\n{body}</body></html>\n",
        escape(title)
    )
}

/// The first `most` characters of a text at most, the last of them an ellipsis where it is longer.
pub(crate) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['\u{2026}']).collect()
}

/// One row per task and part.
fn summary(report: &EvaluationReport) -> String {
    let mut rows = String::new();
    for task in &report.tasks {
        for (part, scores) in task.scores.parts() {
            let baseline = scores.baseline.as_ref();
            let _ = write!(
                rows,
                "<tr><th>{}</th><td>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td>\
                 <td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td></tr>",
                escape(&task.task.name),
                part.name(),
                scores.rows,
                with_interval(scores.accuracy),
                baseline.map_or_else(dash, |baseline| share(baseline.accuracy)),
                with_interval(scores.balanced_accuracy),
                with_interval(scores.macro_f1),
                scores.log_loss.map_or_else(dash, |loss| format!("{:.3}", loss.value)),
                scores.calibration.error.map_or_else(dash, share),
            );
        }
    }
    format!(
        "<section><table><thead><tr><th>Task<th>Part<th class=n>Images<th class=n>Accuracy\
         <th class=n title=\"Always saying the most frequent label\">Baseline<th class=n>Balanced accuracy\
         <th class=n>Macro-F1<th class=n>Log loss<th class=n>Calibration error</tr></thead>\
         <tbody>{rows}</tbody></table></section>\n"
    )
}

/// What this run fixes and breaks compared with another.
fn comparison_section(report: &EvaluationReport) -> String {
    let Some(comparison) = &report.comparison else { return String::new() };
    let mut rows = String::new();
    for task in &comparison.tasks {
        let points = |share: f64| format!("{:+.1}", 100.0 * share);
        let _ = write!(
            rows,
            "<tr><th>{}</th><td>{}</td><td>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td>\
             <td class=n>{}</td><td class=n>{}</td><td class=n>{}</td></tr>",
            escape(&task.task),
            task.part.name(),
            if task.new_to_both { "neither" } else { "one or both" },
            task.rows(),
            task.fixed.len(),
            task.broken.len(),
            task.still_wrong,
            task.difference.map_or_else(dash, |found| format!(
                "{} <small>{} to {}</small>",
                points(found.value),
                points(found.low),
                points(found.high)
            )),
            task.p_value.map_or_else(
                || if task.new_to_both { "too few images".to_owned() } else { dash() },
                |p| format!("{p:.3}")
            ),
        );
    }
    format!(
        "<section><h2>Compared with {}</h2><p>Images that are right in this run and wrong in the other are fixed. p is the \
         probability of counts at least as uneven if both were equally good (McNemar's exact test), for images that \
         neither run was trained on, and at least {FEWEST} of them: a run does better on its own training images, however \
         good it is.</p><table><thead><tr><th>Task<th>Part<th>Trained on by<th class=n>Images<th class=n>Fixed<th class=n>Broken<th class=n>Still wrong<th class=n>Accuracy, points\
         <th class=n>p</tr></thead><tbody>{rows}</tbody></table></section>\n",
        escape(&comparison.before.display().to_string())
    )
}

fn task_section(task: &TaskReport, pictures: &Pictures) -> String {
    let mut html = format!("<section><h2>{}</h2>", escape(&task.task.name));
    if task.unknown_labels > 0 {
        let _ =
            write!(html, "<p>{} rows have a label that the network does not know.</p>", task.unknown_labels);
    }
    // Figures of a part that the network was not trained on, if there is one.
    if let Some((part, scores)) = task.scores.main() {
        let _ = write!(
            html,
            "<p class=part>{}, {} images</p><div class=figures><figure><figcaption>What is taken for \
             what</figcaption>{}</figure><figure><figcaption>Can the probabilities be \
             believed?</figcaption>{}</figure></div>{}",
            part.name(),
            scores.rows,
            figures::confusion(&task.task.labels, &scores.confusion),
            figures::reliability(&scores.calibration),
            labels_table(task, scores)
        );
    }
    if !task.mistakes.is_empty() {
        let cards = task.mistakes.iter().take(MOST).map(|mistake| {
            let text = format!(
                "<b>{}</b> taken for <b>{}</b> ({})<br>{}, line {}",
                escape(&mistake.label),
                escape(&mistake.predicted),
                share(f64::from(mistake.confidence)),
                mistake.part.name(),
                mistake.line
            );
            pictures.card(&mistake.image, &text)
        });
        let cards: String = cards.collect();
        let _ = write!(
            html,
            "<h3>The worst of {} mistakes</h3><div class=cards>{cards}</div>",
            task.mistakes.len()
        );
    }
    if let Some(errors) = &task.label_errors {
        let _ = write!(html, "<h3>{}</h3><p>{}.</p>", errors.headline(), escape(&errors.sentence()));
        if let Some(memorised) = &errors.memorised {
            let _ = write!(html, "<p>{}.</p>", escape(&memorised.warning()));
        }
        let cards: String = errors
            .rows
            .iter()
            .take(MOST)
            .map(|error| {
                let record = error
                    .record
                    .map_or_else(String::new, |record| format!("<br>{}", escape(&record.sentence())));
                let text = format!(
                    "<b>{}</b>, probably <b>{}</b><br>{}, line {}{record}",
                    escape(&error.label),
                    escape(&error.proposed),
                    error.part.name(),
                    error.line
                );
                pictures.card(&error.image, &text)
            })
            .collect();
        let _ = write!(html, "<div class=cards>{cards}</div>");
    }
    html + "</section>\n"
}

fn labels_table(task: &TaskReport, scores: &TaskScores) -> String {
    let mut rows = String::new();
    for (name, label) in task.task.labels.iter().zip(&scores.labels) {
        let _ = write!(
            rows,
            "<tr><th>{}</th><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td>\
             <td class=n>{}</td></tr>",
            escape(name),
            with_interval(label.precision),
            with_interval(label.recall),
            label.f1.map_or_else(dash, share),
            label.rows,
            label.predicted
        );
    }
    format!(
        "<table><thead><tr><th>Label<th class=n>Precision<th class=n>Recall<th class=n>F1<th class=n>Images\
         <th class=n>Predicted</tr></thead><tbody>{rows}</tbody></table>"
    )
}

fn duplicates_section(report: &EvaluationReport, pictures: &Pictures) -> String {
    let Some(pairs) = report.duplicates.as_ref().filter(|pairs| !pairs.is_empty()) else {
        return String::new();
    };
    let cards: String = pairs
        .iter()
        .take(MOST)
        .map(|pair| {
            let validation = pictures.card(&pair.validation, "validation");
            format!("<div class=pair>{validation}{}</div>", pictures.card(&pair.train, "train"))
        })
        .collect();
    format!(
        "<section><h2>Near-duplicates</h2><p>{} validation images look like a training image: they make the \
         scores too good.</p><div class=cards>{cards}</div></section>\n",
        pairs.len()
    )
}

/// The images of the page, as `data:` URLs.
struct Pictures(HashMap<PathBuf, String>);

impl Pictures {
    fn load(report: &EvaluationReport, keep_going: &mut KeepGoing<'_>) -> Self {
        let mut wanted: Vec<&Path> = Vec::new();
        for task in &report.tasks {
            wanted.extend(task.mistakes.iter().take(MOST).map(|mistake| mistake.image.as_path()));
            let errors = task.label_errors.iter().flat_map(|errors| errors.rows.iter().take(MOST));
            wanted.extend(errors.map(|error| error.image.as_path()));
        }
        for pair in report.duplicates.iter().flatten().take(MOST) {
            wanted.extend([pair.validation.as_path(), pair.train.as_path()]);
        }
        wanted.sort_unstable();
        wanted.dedup();
        let mut pictures = HashMap::new();
        for (done, path) in wanted.iter().enumerate() {
            if !keep_going(done, wanted.len()) {
                break;
            }
            pictures.extend(encode(path).map(|data| (path.to_path_buf(), data)));
        }
        Self(pictures)
    }

    /// An image with HTML text below it.
    fn card(&self, path: &Path, text: &str) -> String {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let (name, path_text) = (escape(&name), escape(&path.to_string_lossy()));
        let picture = match self.0.get(path) {
            Some(data) => format!("<img src=\"{data}\" alt=\"{name}\" loading=lazy>"),
            None => "<div class=missing>cannot be read</div>".to_owned(),
        };
        format!(
            "<figure class=card title=\"{path_text}\">{picture}<figcaption>{text}<br><span>{name}</span>\
             </figcaption></figure>"
        )
    }
}

fn encode(path: &Path) -> Option<String> {
    let small = thumbnail(path, PIXELS).ok()?;
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&small).ok()?;
    Some(format!("data:image/jpeg;base64,{}", base64::engine::general_purpose::STANDARD.encode(jpeg)))
}

fn share(value: f64) -> String {
    format!("{:.1} %", value * 100.0)
}

fn with_interval(estimate: Option<Estimate>) -> String {
    estimate.map_or_else(dash, |Estimate { value, low, high }| {
        format!("{} <small>{:.0}\u{2013}{:.0}</small>", share(value), low * 100.0, high * 100.0)
    })
}

fn dash() -> String {
    "\u{2013}".to_owned()
}

/// Escapes text for HTML, also within quotes.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::inspection::Inspection;
    use crate::evaluation::inspection::tests::{dataset, outputs};
    use crate::evaluation::run_comparison::RunComparison;

    #[test]
    fn the_page_shows_the_worst_image_and_no_markup_of_the_user() {
        let dir = tempfile::tempdir().unwrap();
        let csv = "path,print,neck,split\na.jpg,plain,v,train\nb.jpg,<b>dotted,v,validation\n";
        let mut dataset = dataset(csv, "plain, \"<b>dotted\"");
        let picture = dir.path().join("b.png");
        tasklens_data::images::Rgb::from_pixel(300, 200, image::Rgb([9, 80, 160])).save(&picture).unwrap();
        let mut outputs = outputs(&["a.jpg", "b.jpg"], vec![0.9, 0.1, 0.6, 0.4], vec![0.9, 0.1, 0.9, 0.1]);
        outputs.tasks[0].labels[1] = "<b>dotted".to_owned();
        let mut inspection = Inspection::new(&dataset, &dataset.parts(), &outputs);
        dataset.rows[1].image = picture.into();
        inspection.tasks[0].task.name = "print & \"more\"".to_owned();
        let tasks = (0..2).map(|task| TaskReport::new(&dataset, &inspection, task)).collect();
        let report = EvaluationReport {
            model: "runs/x<y".into(),
            images: 2,
            failures: vec!["c.jpg is missing".into()],
            tasks,
            not_evaluated: vec!["light & <i>".into()],
            disagreements: Vec::new(),
            duplicates: None,
            comparison: Some(RunComparison::new(
                &dataset,
                &inspection,
                "runs/old".into(),
                &inspection,
                &[false, false],
            )),
        };
        let html = page(&report, &mut |_, _| true);
        assert!(html.contains("<h1>x&lt;y</h1>") && html.contains("<h2>print &amp; &quot;more&quot;</h2>"));
        assert!(!html.contains("<b>dotted"), "a label is text");
        assert!(html.contains("data:image/jpeg;base64,/9j/") && html.contains("c.jpg is missing"));
        assert!(html.contains("&lt;b&gt;dotted</b> taken for <b>plain</b> (60.0 %)"));
        assert!(html.contains("no column of it: light &amp; &lt;i&gt;."));
        assert!(html.contains("<h2>Compared with runs/old</h2>") && html.contains("too few images"));
        // Nothing is fetched from anywhere.
        assert!(!html.contains("http://") && !html.contains("https://"));
        let without = page(&report, &mut |_, _| false);
        assert!(without.contains("cannot be read"));
    }
}
