//! Paths for messages.

use std::path::{Component, Path, PathBuf};

/// A path without what `..` takes back, as it reads best in a message; the config of a run has many of these. A `..` behind a link, or behind what is not
/// there, stays: the system takes it elsewhere, or nowhere. Reads the disk for each `..`.
pub fn without_detours(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        let is_folder = || plain.symlink_metadata().is_ok_and(|found| found.is_dir());
        if part == Component::ParentDir && plain.file_name().is_some() && is_folder() {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_loses_what_it_takes_back_where_that_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        std::fs::create_dir_all(at("shop/runs/first")).unwrap();
        std::fs::write(at("shop/file"), "").unwrap();
        for (path, plain) in [
            ("shop/runs/first/../../labels.csv", "shop/labels.csv"),
            ("shop/runs/../runs/./first", "shop/runs/first"),
            ("shop/gone/../labels.csv", "shop/gone/../labels.csv"),
            ("shop/file/../labels.csv", "shop/file/../labels.csv"),
            ("shop/gone/../../labels.csv", "shop/gone/../../labels.csv"),
        ] {
            assert_eq!(without_detours(&at(path)), at(plain), "{path}");
        }
        #[cfg(unix)]
        {
            std::fs::create_dir_all(at("far/away")).unwrap();
            std::os::unix::fs::symlink(at("far/away"), at("shop/link")).unwrap();
            assert_eq!(without_detours(&at("shop/link/../a")), at("shop/link/../a"), "which is far/a");
        }
    }
}
