//! `split.csv`: which images train and which validate, so that a resumed run and an evaluation keep to
//! it even when the CSV has changed since.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::run_folder::SPLIT;
use crate::dataset::split::{Part, Split};
use crate::dataset::{Dataset, Row};
use crate::files;

/// Writes the split of a run into its folder.
///
/// # Errors
/// The file cannot be written.
pub fn write(folder: &Path, rows: &[Row], split: &Split) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["image_path", "split"])?;
    for (part, members) in [("train", &split.train), ("validation", &split.validation)] {
        for &row in members {
            writer.write_record([&*rows[row].image.to_string_lossy(), part])?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    let path = folder.join(SPLIT);
    files::replace(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// The split of a run for rows read now: those that it knows, where they were. Rows that have come since
/// are in neither part. `None` where the run has no such file.
///
/// # Errors
/// The file is damaged.
pub fn read(folder: &Path, rows: &[Row]) -> anyhow::Result<Option<Split>> {
    let path = folder.join(SPLIT);
    if !path.is_file() {
        return Ok(None);
    }
    let damaged = || format!("{} is damaged", path.display());
    let mut known: HashMap<PathBuf, bool> = HashMap::new();
    for record in csv::Reader::from_path(&path).with_context(damaged)?.records() {
        let record = record.with_context(damaged)?;
        let trains = match record.get(1) {
            Some("train") => true,
            Some("validation") => false,
            _ => bail!(damaged()),
        };
        known.insert(PathBuf::from(&record[0]), trains);
    }
    let mut split = Split::default();
    for (index, row) in rows.iter().enumerate().filter(|(_, row)| row.usable) {
        match known.get(&row.image) {
            Some(true) => split.train.push(index),
            Some(false) => split.validation.push(index),
            None => {}
        }
    }
    Ok(Some(split))
}

/// What each row was for when a run began, or would be now where the run does not say; rows kept for a test
/// are what the CSV says.
///
/// # Errors
/// The file is damaged.
pub fn parts(folder: &Path, dataset: &Dataset) -> anyhow::Result<Vec<Option<Part>>> {
    let mut parts = dataset.parts();
    if let Some(split) = read(folder, &dataset.rows)? {
        parts.iter_mut().for_each(|part| *part = part.filter(|part| *part == Part::Test));
        split.train.iter().for_each(|row| parts[*row] = Some(Part::Train));
        split.validation.iter().for_each(|row| parts[*row] = Some(Part::Validation));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_have_come_since_are_in_neither_part() {
        let row = |name: &str, usable| Row { image: name.into(), labels: vec![Some(0)], usable };
        let dir = tempfile::tempdir().unwrap();
        let then = [row("/a.jpg", true), row("/b.jpg", true), row("/c,c.jpg", true)];
        write(dir.path(), &then, &Split { train: vec![0, 2], validation: vec![1] }).unwrap();
        let now = [row("/new.jpg", true), row("/b.jpg", true), row("/c,c.jpg", true), row("/a.jpg", false)];
        let split = read(dir.path(), &now).unwrap().unwrap();
        assert_eq!(split, Split { train: vec![2], validation: vec![1] });
    }
}
