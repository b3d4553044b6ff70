//! Values in rows and columns.

use anyhow::Context as _;

use super::{Figure, Horizontal, LineLook, Point};

/// Values, for a CSV.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub title: String,
    /// What it is of; may be empty.
    pub subject: String,
    /// The first row has the names of the columns.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// The values of a chart: a row per x, a column per line, empty where a line has no value.
    pub(super) fn of(figure: &Figure) -> Self {
        let lines: Vec<_> = figure.lines.iter().filter(|line| line.look != LineLook::Reference).collect();
        let mut all: Vec<f64> = lines.iter().flat_map(|line| &line.points).map(|point| point[0]).collect();
        all.sort_by(f64::total_cmp);
        all.dedup();
        let first = match figure.horizontal {
            Horizontal::Epoch => "epoch",
            Horizontal::Confidence => "confidence",
        };
        let names = std::iter::once(first.to_owned()).chain(lines.iter().map(|line| line.name.clone()));
        let mut rows = vec![names.collect()];
        rows.extend(all.into_iter().map(|x| {
            let values = lines.iter().map(|line| value_at(&line.points, x).map(number).unwrap_or_default());
            std::iter::once(number(x)).chain(values).collect()
        }));
        Self { title: figure.title.clone(), subject: figure.subject.clone(), rows }
    }

    pub(super) fn csv(&self) -> anyhow::Result<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in &self.rows {
            writer.write_record(row)?;
        }
        let bytes = writer.into_inner().context("the CSV cannot be made")?;
        Ok(String::from_utf8(bytes)?)
    }
}

/// The shortest text that is read as the same number again.
pub fn number(value: f64) -> String {
    value.to_string()
}

fn value_at(points: &[Point], x: f64) -> Option<f64> {
    let index = points.binary_search_by(|point| point[0].total_cmp(&x)).ok()?;
    points.get(index).map(|point| point[1])
}
