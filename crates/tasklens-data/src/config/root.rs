//! Where the relative paths of a config start: at its own folder, or, as the Python project has it (configs in
//! `config/`, scripts run from above), at a folder around it that holds the CSV.

use std::path::{Component, Path, PathBuf};

use super::reader::under;

/// The folder that the relative paths of a config start at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The folder: that of the config, its parent, or the one that the program was started in.
    pub folder: PathBuf,
    /// Where else the CSV was looked for in vain: nothing where it was found.
    pub looked_in: Vec<PathBuf>,
}

impl Root {
    /// The first of the folders that holds the CSV which a config in `own` names; `own` where none does.
    pub(super) fn of(own: &Path, csv: &str) -> Self {
        let started_in = std::env::current_dir().ok();
        Self::among(own, own.parent().map(Path::to_path_buf).into_iter().chain(started_in), csv)
    }

    fn among(own: &Path, others: impl Iterator<Item = PathBuf>, csv: &str) -> Self {
        // Whatever is there in the config's own folder is meant. A path that leads up says itself where it starts.
        if leads_away(csv) || under(own, csv).symlink_metadata().is_ok() {
            return Self { folder: own.to_path_buf(), looked_in: Vec::new() };
        }
        let mut looked_in: Vec<PathBuf> = Vec::new();
        for folder in others.filter(|folder| folder != own) {
            if under(&folder, csv).is_file() {
                return Self { folder, looked_in: Vec::new() };
            }
            if !looked_in.contains(&folder) {
                looked_in.push(folder);
            }
        }
        Self { folder: own.to_path_buf(), looked_in }
    }

    /// What to tell of it where it is not the folder of the config.
    pub(super) fn notice(&self, own: &Path, csv: &str) -> Option<String> {
        (self.folder != own).then(|| {
            format!(
                "all relative paths of this config start at {}, which holds `{csv}`; {} does not",
                self.folder.display(),
                own.display()
            )
        })
    }
}

fn leads_away(csv: &str) -> bool {
    let plain = csv.replace('\\', "/");
    let path = Path::new(&plain);
    path.is_absolute() || path.components().any(|part| part == Component::ParentDir)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Folders of which some hold `data/a.csv`.
    fn folders(holding: &[&str]) -> (tempfile::TempDir, [PathBuf; 3]) {
        let dir = tempfile::tempdir().unwrap();
        let folders = ["p/config", "p", "elsewhere"].map(|name| dir.path().join(name));
        folders.iter().for_each(|folder| fs::create_dir_all(folder).unwrap());
        for name in holding {
            fs::create_dir_all(dir.path().join(name).join("data")).unwrap();
            fs::write(dir.path().join(name).join("data/a.csv"), "").unwrap();
        }
        (dir, folders)
    }

    fn root(folders: &[PathBuf; 3], csv: &str) -> Root {
        Root::among(&folders[0], folders[1..].iter().cloned(), csv)
    }

    #[test]
    fn the_first_folder_that_holds_the_csv_is_the_root() {
        let all = ["p/config", "p", "elsewhere"];
        for first in 0..3 {
            let (_dir, folders) = folders(&all[first..]);
            let found = root(&folders, "./data/a.csv");
            assert_eq!(found, Root { folder: folders[first].clone(), looked_in: Vec::new() });
            assert_eq!(found.notice(&folders[0], "./data/a.csv").is_some(), first > 0);
        }
    }

    #[test]
    fn where_none_holds_it_the_config_means_its_own_folder_and_knows_where_it_was_looked_for() {
        let (_dir, folders) = folders(&[]);
        let found = root(&folders, "data/a.csv");
        assert_eq!(found, Root { folder: folders[0].clone(), looked_in: folders[1..].to_vec() });
        assert_eq!(found.notice(&folders[0], "data/a.csv"), None);
        let twice = Root::among(&folders[0], [&folders[1]; 2].into_iter().cloned(), "data/a.csv");
        assert_eq!(twice.looked_in, [folders[1].clone()]);
    }

    #[test]
    fn a_path_that_says_where_it_starts_is_looked_for_nowhere_else() {
        let (dir, folders) = folders(&["p"]);
        fs::write(dir.path().join("a.csv"), "").unwrap();
        fs::create_dir(folders[0].join("data")).unwrap();
        for csv in ["../a.csv", "..\\a.csv", &dir.path().join("b.csv").display().to_string(), "data"] {
            let found = root(&folders, csv);
            assert_eq!(found, Root { folder: folders[0].clone(), looked_in: Vec::new() }, "{csv}");
        }
    }

    #[cfg(not(windows))]
    #[test]
    fn a_path_of_windows_is_found_too() {
        let (_dir, folders) = folders(&["p"]);
        assert_eq!(root(&folders, r".\data\a.csv").folder, folders[1]);
    }
}
