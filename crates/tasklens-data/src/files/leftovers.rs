//! Removes incomplete files that killed programs left behind.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use super::disk;

/// Names of files that are being written: `.tasklens-a1B2c3.new`.
pub(super) const PREFIX: &str = ".tasklens-";
pub(super) const SUFFIX: &str = ".new";
/// Number of random letters and digits between them.
pub(super) const LETTERS: usize = 6;
/// A younger file may not be locked yet.
const YOUNGEST: Duration = Duration::from_secs(60);

/// Removes incomplete files of programs that have ended from a folder, and returns how many. A file that is still
/// being written is locked.
pub fn remove_leftovers(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let is_left = |path: &Path| {
        let Ok(found) = fs::symlink_metadata(path) else { return false };
        let age = found.modified().ok().and_then(|modified| modified.elapsed().ok());
        found.is_file()
            && age.is_some_and(|age| age > YOUNGEST)
            && File::open(path).is_ok_and(|file| file.try_lock().is_ok())
    };
    let paths = entries.flatten().filter(|entry| is_ours(&entry.file_name().to_string_lossy()));
    paths.map(|entry| entry.path()).filter(|path| is_left(path) && disk::remove(path).is_ok()).count()
}

fn is_ours(name: &str) -> bool {
    let middle = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    middle.is_some_and(|middle| {
        middle.len() == LETTERS && middle.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn only_old_half_written_files_that_nobody_writes_go() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, age: u64| {
            let file = File::create(dir.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
            file
        };
        make(".tasklens-abc123.new", 3600);
        let written = make(".tasklens-abc124.new", 3600);
        written.try_lock().unwrap();
        make(".tasklens-abc125.new", 1);
        for theirs in [".tasklens-abc1.new", ".tasklens-abc-12.new", ".tasklens-abc126.old", "labels.csv"] {
            make(theirs, 3600);
        }
        fs::create_dir(dir.path().join(".tasklens-abc127.new")).unwrap();
        assert_eq!(remove_leftovers(dir.path()), 1);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 7);
        assert!(!dir.path().join(".tasklens-abc123.new").exists());
        drop(written);
        assert_eq!(remove_leftovers(dir.path()), 1);
    }
}
