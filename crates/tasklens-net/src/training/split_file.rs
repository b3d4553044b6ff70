//! `split.csv`: which images are for training and which for validation, so that resuming and evaluation use the same
//! split even if the CSV has changed. Images have their names from the CSV, so that the project can be moved.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::{Part, Split};
use tasklens_data::files;

use super::run_folder::SPLIT;

/// Writes the split of a run into its folder.
///
/// # Errors
/// The file cannot be written.
pub fn write(folder: &Path, dataset: &Dataset, split: &Split) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["image_path", "split"])?;
    for (part, members) in [("train", &split.train), ("validation", &split.validation)] {
        for &row in members {
            writer.write_record([&*dataset.image_key(row), part])?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    let path = folder.join(SPLIT);
    files::replace(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Whether a run tells which images it used. Those of the first versions, imported models and single checkpoints do not.
pub fn is_in(folder: &Path) -> bool {
    folder.join(SPLIT).is_file()
}

/// The split of a run for a dataset read now: known rows are in their original part, later rows in neither. `None` if
/// the run has no such file.
///
/// # Errors
/// The file is damaged.
pub fn read(folder: &Path, dataset: &Dataset) -> anyhow::Result<Option<Split>> {
    if !is_in(folder) {
        return Ok(None);
    }
    let known: HashMap<String, Part> = entries(folder)?.into_iter().collect();
    let mut split = Split::default();
    for (index, row) in dataset.rows.iter().enumerate().filter(|(_, row)| row.usable) {
        // Runs of earlier versions have absolute paths.
        let part = known.get(&*dataset.image_key(index)).or_else(|| known.get(&*row.image.to_string_lossy()));
        match part {
            Some(Part::Train) => split.train.push(index),
            Some(_) => split.validation.push(index),
            None => {}
        }
    }
    Ok(Some(split))
}

/// The images of a run as named in its file, each with its part.
///
/// # Errors
/// The file cannot be read or is damaged.
pub fn entries(folder: &Path) -> anyhow::Result<Vec<(String, Part)>> {
    let path = folder.join(SPLIT);
    let damaged = || format!("{} is damaged", path.display());
    let mut entries = Vec::new();
    for record in csv::Reader::from_path(&path).with_context(damaged)?.records() {
        let record = record.with_context(damaged)?;
        let part = match record.get(1) {
            Some("train") => Part::Train,
            Some("validation") => Part::Validation,
            _ => bail!(damaged()),
        };
        entries.push((record[0].to_owned(), part));
    }
    Ok(entries)
}

/// The part of each row when a run started, or as it would be now if the run does not tell; test rows are as in the
/// CSV.
///
/// # Errors
/// The file is damaged.
pub fn parts(folder: &Path, dataset: &Dataset) -> anyhow::Result<Vec<Option<Part>>> {
    let mut parts = dataset.parts();
    if let Some(split) = read(folder, dataset)? {
        parts.iter_mut().for_each(|part| *part = part.filter(|part| *part == Part::Test));
        split.train.iter().for_each(|row| parts[*row] = Some(Part::Train));
        split.validation.iter().for_each(|row| parts[*row] = Some(Part::Validation));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use tasklens_data::config::Config;
    use tasklens_data::dataset::table::Table;

    use super::*;

    fn dataset(folder: &Path, csv: &str) -> Dataset {
        let config =
            "{paths: {model_dataframe: x.csv}, model: {paths: image, target_encoder: {print: [a, b]}}}";
        let config = Config::parse(config, &folder.join("config.yml")).unwrap();
        Dataset::from_table(Table::from_bytes(csv.into(), &folder.join("x.csv")).unwrap(), &config).unwrap()
    }

    #[test]
    fn rows_are_known_again_by_their_images_wherever_the_project_is() {
        let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut then = dataset(dir.path(), "image,print\na.jpg,a\nsub/b.jpg,b\n\"c,c.jpg\",a\n");
        then.split = Split { train: vec![0, 2], validation: vec![1] }.into();
        write(dir.path(), &then, &then.split).unwrap();
        let csv = "image,print\nnew.jpg,a\nsub/b.jpg,b\n\"c,c.jpg\",a\na.jpg,\n";
        let now = dataset(elsewhere.path(), csv);
        let split = read(dir.path(), &now).unwrap().unwrap();
        assert_eq!(split, Split { train: vec![2], validation: vec![1] }, "a row without a label is not used");
    }

    #[test]
    fn a_split_of_an_earlier_version_has_the_paths_of_the_files() {
        let dir = tempfile::tempdir().unwrap();
        let now = dataset(dir.path(), "image,print\na.jpg,a\nb.jpg,b\n");
        let file = |name: &str| dir.path().join(name).display().to_string();
        let text = format!("image_path,split\n{},train\n{},validation\n", file("b.jpg"), file("a.jpg"));
        std::fs::write(dir.path().join(SPLIT), text).unwrap();
        let split = read(dir.path(), &now).unwrap().unwrap();
        assert_eq!(split, Split { train: vec![1], validation: vec![0] });
    }
}
