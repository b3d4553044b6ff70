//! Determines the part of a CSV's images in a run, whatever their names in that CSV: images of the run's own CSV by
//! the text of their cells, all others by file identity.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tasklens_data::config::Config;
use tasklens_data::dataset::split::Part;
use tasklens_data::dataset::{Dataset, images_named};
use tasklens_data::files::{FileId, is_one_file};

use super::run_folder::{CONFIG, SPLIT};
use super::split_file;

/// The result, see the module's docs.
#[derive(Debug, Default)]
pub struct Seen {
    /// Per row its part in the run; `None` if the run never saw its image.
    pub parts: Vec<Option<Part>>,
    /// Number of images of the run that are missing: a row of another CSV may be one of them unnoticed.
    pub lost: usize,
}

/// The parts of a dataset's rows (of any CSV) in a run; `None` if the run does not tell which images it used, such as
/// a single checkpoint.
///
/// # Errors
/// The run's list of images, or its config, is damaged.
pub fn of_run(run: &Path, dataset: &Dataset) -> anyhow::Result<Option<Seen>> {
    // A checkpoint in its run folder is as good as the run.
    let folder = if run.is_file() { run.parent().unwrap_or(run) } else { run };
    let (split, config) = (folder.join(SPLIT), folder.join(CONFIG));
    if !split.is_file() || !config.is_file() {
        return Ok(None);
    }
    let config = Config::open(&config)?;
    let id = |file: &Path| FileId::of(file).ok();
    let csv = id(&config.paths.model_dataframe);
    let mut seen = Seen { parts: vec![None; dataset.rows.len()], lost: 0 };
    if csv.is_some()
        && csv == id(&dataset.table.path)
        && let Some(own) = split_file::read(folder, dataset)?
    {
        own.train.iter().for_each(|row| seen.parts[*row] = Some(Part::Train));
        own.validation.iter().for_each(|row| seen.parts[*row] = Some(Part::Validation));
    }
    let open: Vec<usize> = (0..dataset.rows.len())
        .filter(|row| dataset.rows[*row].usable && seen.parts[*row].is_none())
        .collect();
    if open.is_empty() {
        return Ok(Some(seen));
    }
    let (names, parts): (Vec<String>, Vec<Part>) = split_file::entries(folder)?.into_iter().unzip();
    let mut files: HashMap<FileId, Vec<(PathBuf, Part)>> = HashMap::new();
    for (image, part) in images_named(&config, &names).into_iter().zip(parts) {
        match FileId::of(&image) {
            Ok(id) => files.entry(id).or_default().push((image, part)),
            Err(_) => seen.lost += 1,
        }
    }
    for row in open {
        let image = &dataset.rows[row].image;
        let known = FileId::of(image).ok().and_then(|id| files.get(&id));
        let known = known.into_iter().flatten().filter(|(file, _)| is_one_file(file, image));
        // An image under two names may have been in both parts: then it counts as training.
        seen.parts[row] = known.map(|(_, part)| *part).min_by_key(|part| *part != Part::Train);
    }
    Ok(Some(seen))
}

#[cfg(test)]
mod tests;
