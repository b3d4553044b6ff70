//! Dated backups of the CSV and of the config from before each save.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use time::OffsetDateTime;
use time::macros::format_description;

use super::folder_of;
use crate::files::{self, Stamped, disk};

/// Number of backups to keep; older ones are removed.
pub(in crate::dataset) const MOST: usize = 20;
pub(in crate::dataset) const FOLDER: &str = "backups";
/// Time in the name of a backup, such as `2025-11-20 14-02-11`.
const DATE: usize = 19;

/// A file that was replaced.
pub(in crate::dataset) struct BackedUp {
    /// The backup: a copy of the old bytes, with the date in its name.
    pub backup: PathBuf,
    /// Messages for the user.
    pub notices: Vec<String>,
}

/// Backs up `file` (the CSV or a file that belongs to it) as it was read, and replaces it; `None`, without a backup,
/// if another program has written it since.
///
/// # Errors
/// The backup or the file cannot be written; the file is then unchanged, and no backup is left.
pub(in crate::dataset) fn replace(
    csv: &Path,
    file: &Path,
    read: &Stamped,
    new: &[u8],
) -> anyhow::Result<Option<BackedUp>> {
    let now = OffsetDateTime::now_local().unwrap_or_else(|_| OffsetDateTime::now_utc());
    let other_names = files::other_names(file);
    let backup = keep(csv, file, &read.bytes, now)?;
    let replaced = match files::replace_read(file, read, new) {
        Ok(Some(replaced)) => replaced,
        not => {
            // A backup of an unchanged file is of no use.
            let _ = disk::remove(&backup);
            not.with_context(|| format!("{} cannot be written", file.display()))?;
            return Ok(None);
        }
    };
    prune(csv, file, &backup);
    let name = file.display();
    let mut notices: Vec<String> =
        replaced.lost.iter().map(|lost| format!("{name} was written, but could not keep {lost}.")).collect();
    if let Some(error) = replaced.unconfirmed {
        notices.push(format!(
            "{name} was written, but the disk did not confirm it ({error}); keep a copy elsewhere and have the disk \
             checked."
        ));
    }
    match other_names {
        0 => {}
        1 => notices.push(format!(
            "{name} has another name on this disk (a hard link), under which the file is unchanged."
        )),
        _ => notices.push(format!(
            "{name} has {other_names} other names on this disk (hard links), under which the file is unchanged."
        )),
    }
    Ok(Some(BackedUp { backup, notices }))
}

/// Writes a backup with `bytes` of a file before a save, and returns its path: `garments.csv.edits/backups/garments
/// 2025-11-20 14-02-11.csv`. Its permissions are those of the file.
fn keep(csv: &Path, file: &Path, bytes: &[u8], time: OffsetDateTime) -> anyhow::Result<PathBuf> {
    let folder = folder_of(csv).join(FOLDER);
    let (stem, extension) = names(file);
    let time = time.format(format_description!("[year]-[month]-[day] [hour]-[minute]-[second]"))?;
    let path = (1..)
        .map(|attempt| match attempt {
            1 => folder.join(format!("{stem} {time}{extension}")),
            _ => folder.join(format!("{stem} {time} ({attempt}){extension}")),
        })
        .find(|path| fs::symlink_metadata(path).is_err())
        .context("there is no free name for a backup")?;
    files::create_like(&path, file, bytes)
        .with_context(|| format!("the backup {} cannot be written; nothing was saved", path.display()))?;
    Ok(path)
}

/// Removes all but the newest [`MOST`] backups of `file`, never `just_made`. One that cannot be removed stays, which
/// does no harm.
fn prune(csv: &Path, file: &Path, just_made: &Path) {
    let (stem, extension) = names(file);
    let Ok(entries) = fs::read_dir(folder_of(csv).join(FOLDER)) else { return };
    let is_copy = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let rest = name.strip_prefix(&stem).and_then(|rest| rest.strip_suffix(&extension));
        rest.is_some_and(is_date) && fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
    };
    let paths = entries.flatten().map(|entry| entry.path()).filter(|path| path != just_made && is_copy(path));
    let now = SystemTime::now();
    let written = |path: &PathBuf| {
        let modified = fs::metadata(path).and_then(|found| found.modified()).ok();
        // Dated in the future by a wrong clock: their age is unknown, so they are removed first.
        modified.filter(|modified| *modified <= now)
    };
    let mut backups: Vec<_> = paths.map(|path| (written(&path), path)).collect();
    // By time of writing; names break ties.
    backups.sort();
    for (_, path) in backups.iter().take((backups.len() + 1).saturating_sub(MOST)) {
        let _ = disk::remove(path);
    }
}

/// ` 2025-11-20 14-02-11`, and perhaps ` (2)`.
fn is_date(rest: &str) -> bool {
    let Some((date, number)) = rest.strip_prefix(' ').and_then(|rest| rest.split_at_checked(DATE)) else {
        return false;
    };
    let is_date = date.bytes().zip("0000-00-00 00-00-00".bytes()).all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        _ => byte == form,
    });
    let digits = number.strip_prefix(" (").and_then(|number| number.strip_suffix(')'));
    is_date && (number.is_empty() || digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit())))
}

/// Stem and extension: `garments` and `.csv`.
fn names(csv: &Path) -> (String, String) {
    let text = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let extension = text(csv.extension()).map(|extension| format!(".{extension}"));
    (text(csv.file_stem()).unwrap_or_default(), extension.unwrap_or_default())
}

#[cfg(test)]
mod tests;
