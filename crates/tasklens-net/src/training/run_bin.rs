//! Runs that were deleted: they go into a folder beside the others, from which they come back whole.
//!
//! Not into the system's bin: not every system lets a program take something out of it again, and where a disk has
//! none, deleting is final.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::run_folder;

/// The folder of deleted runs within the folder of runs.
pub const BIN: &str = ".bin";

/// Moves a run into the bin; returns where it lies there.
///
/// # Errors
/// Somebody is training in it, or the folder cannot be moved. It stays as it was.
pub fn throw_away(run: &Path) -> anyhow::Result<PathBuf> {
    let name = run_folder::name(run);
    ensure!(run_folder::is_run(run), "{} is not a run folder: nothing was deleted", run.display());
    ensure!(!run_folder::is_in_use(run), "{name} is being trained: stop it before you delete it");
    let runs = run.parent().context("the folder of runs itself is no run")?;
    let bin = runs.join(BIN);
    fs::create_dir_all(&bin).with_context(|| format!("cannot make the folder {}", bin.display()))?;
    let target = free(&bin, &name)?;
    fs::rename(run, &target)
        .with_context(|| format!("{} cannot be moved to {}", run.display(), bin.display()))?;
    Ok(target)
}

/// Takes a run out of the bin, to where it was.
///
/// # Errors
/// Something else has taken its place, or it cannot be moved. It stays in the bin.
pub fn take_back(thrown: &Path, run: &Path) -> anyhow::Result<()> {
    ensure!(
        run.symlink_metadata().is_err(),
        "{} exists again: the deleted run stays at {}",
        run.display(),
        thrown.display()
    );
    fs::rename(thrown, run).with_context(|| format!("{} cannot be moved back", thrown.display()))
}

/// A path in `bin` that nothing has, by the run's name.
fn free(bin: &Path, name: &str) -> anyhow::Result<PathBuf> {
    for attempt in 1..10_000 {
        let path = bin.join(if attempt == 1 { name.to_owned() } else { format!("{name} ({attempt})") });
        match path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(path),
            Ok(_) | Err(_) => {}
        }
    }
    bail!("no free name for {name} in {}", bin.display())
}

#[cfg(test)]
mod tests {
    use super::super::run_folder::{EVENTS, list_runs};
    use super::*;

    fn write(runs: &Path, name: &str) -> PathBuf {
        let run = runs.join(name);
        fs::create_dir_all(&run).unwrap();
        fs::write(run.join(EVENTS), name).unwrap();
        run
    }

    #[test]
    fn a_deleted_run_comes_back_whole_and_two_of_one_name_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let run = write(folder.path(), "a");
        let first = throw_away(&run).unwrap();
        assert!(list_runs(folder.path()).is_empty() && first.join(EVENTS).is_file());
        let run = write(folder.path(), "a");
        let second = throw_away(&run).unwrap();
        assert_ne!(first, second);
        take_back(&second, &run).unwrap();
        assert_eq!(list_runs(folder.path()), std::slice::from_ref(&run));
        let error = take_back(&first, &run).unwrap_err().to_string();
        assert!(error.contains("exists again"), "{error}");
        assert!(first.is_dir());
    }

    #[test]
    fn neither_a_run_in_progress_nor_another_folder_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let run = write(folder.path(), "a");
        let held = fs::OpenOptions::new().append(true).open(run.join(EVENTS)).unwrap();
        held.lock().unwrap();
        assert!(run_folder::is_in_use(&run));
        let error = throw_away(&run).unwrap_err().to_string();
        assert!(error.contains("is being trained"), "{error}");
        drop(held);
        assert!(!run_folder::is_in_use(&run));
        let other = folder.path().join("pictures");
        fs::create_dir(&other).unwrap();
        assert!(throw_away(&other).unwrap_err().to_string().contains("is not a run folder"));
        assert!(run.is_dir() && other.is_dir());
    }
}
