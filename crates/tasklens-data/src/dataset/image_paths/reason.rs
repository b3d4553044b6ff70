//! Explains why an image was not found, the likeliest cause first.

use std::path::{Path, PathBuf};

use super::ImageFinder;
use super::search::of_other_format;
use super::written::{is_address, is_of_windows, plain, under};

impl ImageFinder {
    /// The message for a cell whose image does not exist, with what to do.
    pub fn why_missing(&self, cell: &str) -> String {
        if is_of_windows(cell) && cfg!(not(windows)) {
            let advice = self.relative(cell);
            return format!("`{cell}` is a Windows path of another computer: {advice}");
        }
        if is_address(cell) {
            return format!(
                "`{cell}` is an address: fetch it first, and write the path of the file into the CSV"
            );
        }
        let path = under(&self.roots[0], cell);
        let missing = format!("{} is missing", path.display());
        match &self.listings.nearest(&self.roots, cell)[..] {
            [] => {}
            [(near, _)] => {
                return format!("{missing}, but {} is there: write it so in the CSV", near.display());
            }
            several => {
                let several: Vec<_> = several.iter().map(|(path, _)| path.display().to_string()).collect();
                return format!(
                    "{missing}, and it could be any of {}: write the one that is meant into the CSV",
                    several.join(", ")
                );
            }
        }
        if let [other, ..] = &of_other_format(&path)[..] {
            return format!(
                "{missing}, but {} is there: if that is meant, write it so in the CSV",
                other.display()
            );
        }
        let no_folder = first_missing_folder(&path);
        if Path::new(&*plain(cell)).is_absolute() {
            let what = match &no_folder {
                Some(folder) => format!("there is no folder {} on this computer", folder.display()),
                None => "its folder has no such file".to_owned(),
            };
            return format!("{missing}: {what}; {}", self.relative(cell));
        }
        let also = match &self.roots[1..] {
            [images, ..] => format!(", nor is it in {}", images.display()),
            [] => String::new(),
        };
        match no_folder {
            Some(folder) => format!(
                "{missing}{also}: there is no folder {}; check the path in the CSV, or put the folder there",
                folder.display()
            ),
            None => format!("{missing}{also}: check the path in the CSV, or put the file there"),
        }
    }

    /// How to write a path that is absolute on another computer: with its trailing part that exists here, if any.
    fn relative(&self, cell: &str) -> String {
        let plain = plain(cell);
        let names: Vec<&str> = plain.split('/').filter(|name| !name.is_empty()).collect();
        let mut ends = (1..names.len()).map(|start| names[start..].join("/"));
        let there = ends.find(|end| self.roots.iter().any(|root| root.join(end).is_file()));
        match there {
            Some(end) => {
                format!("write its path from the folder of the CSV on, here `{end}`, which is there")
            }
            None => {
                let end = names[names.len().saturating_sub(2)..].join("/");
                format!(
                    "write its path from the folder of the CSV on, such as `{end}`, and put the file there"
                )
            }
        }
    }
}

/// The topmost missing folder on the way to a file.
fn first_missing_folder(path: &Path) -> Option<PathBuf> {
    let folders = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
    folders.take_while(|folder| !folder.is_dir()).last().map(Path::to_path_buf)
}
