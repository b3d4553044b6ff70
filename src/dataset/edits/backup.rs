//! Dated copies of the CSV, and of the config, as they were before each save.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use time::OffsetDateTime;
use time::macros::format_description;

use super::folder_of;

/// So many are kept; older ones go.
pub(in crate::dataset) const MOST: usize = 20;
const FOLDER: &str = "backups";

/// Keeps `bytes`, the CSV (or another `file` that goes with it) as it is before a save, and returns where:
/// `garments.csv.edits/backups/garments 2025-11-20 14-02-11.csv`.
pub(in crate::dataset) fn keep(
    csv: &Path,
    file: &Path,
    bytes: &[u8],
    time: OffsetDateTime,
) -> anyhow::Result<PathBuf> {
    let folder = folder_of(csv).join(FOLDER);
    let (stem, extension) = names(file);
    let time = time.format(format_description!("[year]-[month]-[day] [hour]-[minute]-[second]"))?;
    let path = (1..)
        .map(|attempt| match attempt {
            1 => folder.join(format!("{stem} {time}{extension}")),
            _ => folder.join(format!("{stem} {time} ({attempt}){extension}")),
        })
        .find(|path| !path.exists())
        .context("there is no free name for a backup")?;
    crate::files::replace(&path, bytes)
        .with_context(|| format!("the backup {} cannot be written; nothing was saved", path.display()))?;
    Ok(path)
}

/// Removes all but the newest [`MOST`] of `file`. A backup that cannot be removed stays: it harms nobody.
pub(in crate::dataset) fn prune(csv: &Path, file: &Path) {
    let (stem, extension) = names(file);
    let is_backup = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let rest = name.strip_prefix(&stem).and_then(|rest| rest.strip_suffix(&extension));
        rest.is_some_and(|rest| rest.starts_with(" 2") && rest.len() >= " 2025-11-20 14-02-11".len())
    };
    let Ok(entries) = fs::read_dir(folder_of(csv).join(FOLDER)) else { return };
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path()).filter(is_backup);
    let mut backups: Vec<_> =
        paths.map(|path| (fs::metadata(&path).and_then(|m| m.modified()).ok(), path)).collect();
    // By when they were written; names break ties.
    backups.sort();
    for (_, path) in backups.iter().take(backups.len().saturating_sub(MOST)) {
        let _ = fs::remove_file(path);
    }
}

/// `garments` and `.csv`.
fn names(csv: &Path) -> (String, String) {
    let text = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let extension = text(csv.extension()).map(|extension| format!(".{extension}"));
    (text(csv.file_stem()).unwrap_or_default(), extension.unwrap_or_default())
}
