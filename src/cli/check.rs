//! `tasklens check`: every problem of a config, its CSV and its images, with row and column.

use std::borrow::Cow;

use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::problems::{self, Counts, LabelMerge, Problem};

use super::arguments::Check;
use super::open_config;
use super::progress::Bar;

/// How many problems of a kind are listed for a reader; `--json` lists all.
const MOST_OF_KIND: usize = 20;

pub fn run(arguments: &Check) -> anyhow::Result<bool> {
    let config = open_config(&arguments.config, &arguments.changes, false)?;
    let mut dataset = Dataset::open(&config)?;
    let found = {
        let bar = std::sync::Mutex::new(Bar::new("checking the images"));
        let found = problems::check_images(&dataset, problems::Look::Pixels, &|done, of| {
            if let Ok(mut bar) = bar.lock() {
                bar.set(done as u64, of as u64);
            }
            true
        });
        if let Ok(bar) = bar.lock() {
            bar.finish();
        }
        found
    };
    dataset.apply(found);
    let counts = Counts::of(&dataset.problems);
    if arguments.json {
        for problem in dataset.problems.iter() {
            out!("{}", serde_json::to_string(problem)?);
        }
    } else {
        out!("{}", dataset.table.path.display());
        for line in problems::lines(&dataset.problems, MOST_OF_KIND, told) {
            out!("{line}");
        }
        print_labels(&dataset);
        out!(
            "{} rows: {} train, {} validation, {} not used; {counts}",
            dataset.rows.len(),
            dataset.split.train.len(),
            dataset.split.validation.len(),
            dataset.rows.iter().filter(|row| !row.usable).count()
        );
    }
    Ok(counts.errors == 0)
}

/// A problem, with the command that solves it in all rows where there is one.
pub fn told(problem: &Problem) -> String {
    match &problem.merge {
        Some(LabelMerge { task, from, to }) => format!(
            "{problem}: `tasklens labels CONFIG merge {} {} {}`",
            quoted(task),
            quoted(from),
            quoted(to)
        ),
        None => problem.to_string(),
    }
}

/// Quotes a word for a command line.
fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "_-.+:,@%/=".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => Cow::Borrowed(word),
        false => Cow::Owned(format!("'{}'", word.replace('\'', "'\\''"))),
    }
}

/// How many rows each label has, a line per task.
fn print_labels(dataset: &Dataset) {
    let counts = dataset.label_counts();
    let others = dataset.missing_counts().into_iter().zip(dataset.not_applicable_counts());
    for ((task, counts), (missing, not_applicable)) in dataset.tasks.iter().zip(counts).zip(others) {
        let labels = task.labels.iter().zip(counts);
        let mut parts: Vec<String> =
            labels.map(|(label, count)| format!("{label} {}+{}", count.train, count.validation)).collect();
        if not_applicable > 0 {
            parts.push(format!("does not apply {not_applicable}"));
        }
        if missing > 0 {
            parts.push(format!("without a label {missing}"));
        }
        out!("{} (train+validation): {}", task.name, parts.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_a_shell_wants_them() {
        assert_eq!([quoted("1.0"), quoted("number of buttons")], ["1.0", "'number of buttons'"]);
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
