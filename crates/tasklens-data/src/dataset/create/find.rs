//! Finds the images of a folder and its sub-folders.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::folder_split::{FolderSplit, class_folder};
use super::left_out::LeftOut;
use crate::images::decode::has_image_ending;
use crate::images::shape::common_aspect;

/// More images than this are refused.
pub const MOST_IMAGES: usize = 1_000_000;
/// Files between two checks for a cancel.
const STEP: usize = 256;

/// The content of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundImages {
    pub folder: PathBuf,
    /// Paths of the images as written in a CSV in the folder: relative, with `/`, in natural order (img2 before
    /// img10).
    pub images: Vec<String>,
    /// Names of the sub-folders that have images, if there are at least two; those of the second level if the first
    /// level is a split.
    pub sub_folders: Vec<String>,
    /// The split, if all first-level folders are called `train`, `valid`, `test` or the like.
    pub split: Option<FolderSplit>,
    /// Messages about what was left out.
    pub notices: Vec<String>,
}

impl FoundImages {
    /// Location of an image.
    pub fn path(&self, image: usize) -> PathBuf {
        self.images.get(image).map(|image| self.folder.join(image)).unwrap_or_default()
    }

    /// Height over width of most images, see [`common_aspect`].
    pub fn aspect(&self) -> Option<f32> {
        common_aspect(self.images.len(), |image| Some(self.path(image)))
    }

    /// The folder whose name may be the label of an image.
    pub(super) fn class_folder<'a>(&self, image: &'a str) -> Option<&'a str> {
        class_folder(image, self.split.is_some())
    }
}

/// Finds the images of a folder and all its sub-folders; links to folders are followed. The notices report what a
/// user may miss: hidden files and folders, what macOS adds to a zip file (`__MACOSX`), unsupported formats, targets
/// that were found already, and the folders `runs` that Tasklens writes (but not its `*.edits`). `progress` gets the
/// number of images so far and returns whether to continue.
///
/// # Errors
/// The folder cannot be read or has more than [`MOST_IMAGES`], or the user cancelled. A sub-folder that cannot be
/// read is a notice.
pub fn find_images(folder: &Path, progress: &mut dyn FnMut(usize) -> bool) -> anyhow::Result<FoundImages> {
    let cannot = || format!("{} cannot be read", folder.display());
    let folder = std::path::absolute(folder).with_context(cannot)?;
    let real = fs::canonicalize(&folder).with_context(cannot)?;
    let mut walk = Walk {
        seen: HashSet::from([real.clone()]),
        real,
        images: Vec::new(),
        links: Vec::new(),
        files: 0,
        left_out: LeftOut::default(),
        progress,
    };
    let entries = fs::read_dir(&folder).with_context(cannot)?;
    walk.folder(entries, &folder, "")?;
    walk.leave_out_links(&folder);
    let split = FolderSplit::of(&walk.images);
    let sub_folders = sub_folders(&walk.images, split.is_some());
    Ok(FoundImages { images: walk.images, sub_folders, split, notices: walk.left_out.notices(), folder })
}

fn sub_folders(images: &[String], is_split: bool) -> Vec<String> {
    let mut folders: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for folder in images.iter().filter_map(|image| class_folder(image, is_split)) {
        if !folder.is_empty() && seen.insert(folder) {
            folders.push(folder.to_owned());
        }
    }
    if folders.len() < 2 { Vec::new() } else { folders }
}

struct Walk<'a> {
    /// The folder with all links resolved.
    real: PathBuf,
    /// Folders already visited, with all links resolved.
    seen: HashSet<PathBuf>,
    images: Vec<String>,
    /// Images that are links, with their targets.
    links: Vec<(usize, PathBuf)>,
    files: usize,
    left_out: LeftOut,
    progress: &'a mut dyn FnMut(usize) -> bool,
}

impl Walk<'_> {
    /// Adds a folder, whose images get the path prefix `prefix`.
    fn folder(&mut self, entries: fs::ReadDir, path: &Path, prefix: &str) -> anyhow::Result<()> {
        let mut named: Vec<(String, fs::FileType)> = Vec::new();
        for entry in entries {
            self.go_on()?;
            let Ok((entry, kind)) = entry.and_then(|entry| entry.file_type().map(|kind| (entry, kind)))
            else {
                self.left_out.unreadable.add(|| path.display().to_string());
                continue;
            };
            match entry.file_name().into_string() {
                Ok(name) if self.left_out.takes(path, &name, kind) => {}
                Ok(name) => named.push((name, kind)),
                Err(name) => {
                    let name = Path::new(&name);
                    if kind.is_dir() || has_image_ending(name) {
                        self.left_out.unnameable.add(|| path.join(name).display().to_string());
                    }
                }
            }
        }
        named.sort_by(|(a, _), (b, _)| natural(a, b));
        for (name, kind) in named {
            self.go_on()?;
            let path = path.join(&name);
            let is_folder = if kind.is_symlink() { path.is_dir() } else { kind.is_dir() };
            if is_folder {
                self.sub_folder(&path, &name, prefix, kind.is_symlink())?;
            } else if has_image_ending(Path::new(&name)) && (kind.is_file() || path.is_file()) {
                self.image(&path, &name, prefix, kind.is_symlink())?;
            }
        }
        Ok(())
    }

    /// Leaves out links to files that were found under their own names or through another link.
    fn leave_out_links(&mut self, folder: &Path) {
        let mut led_to: HashMap<&OsStr, HashSet<&Path>> = HashMap::new();
        for (_, file) in &self.links {
            led_to.entry(file.file_name().unwrap_or_default()).or_default().insert(file);
        }
        let links: HashSet<usize> = self.links.iter().map(|(image, _)| *image).collect();
        let mut seen: HashSet<PathBuf> = HashSet::new();
        for (image, name) in self.images.iter().enumerate().filter(|(image, _)| !links.contains(image)) {
            let files = Path::new(name).file_name().and_then(|name| led_to.get(name));
            if files.is_some_and(|files| !files.is_empty())
                && let Ok(real) = fs::canonicalize(folder.join(&self.images[image]))
            {
                seen.insert(real);
            }
        }
        let is_again = |(image, file): &(usize, PathBuf)| (!seen.insert(file.clone())).then_some(*image);
        let again: HashSet<usize> = self.links.iter().filter_map(is_again).collect();
        let mut image = 0..;
        self.images.retain(|name| {
            let is_left_out = image.next().is_some_and(|image| again.contains(&image));
            if is_left_out {
                self.left_out.links.add(|| name.clone());
            }
            !is_left_out
        });
    }

    fn sub_folder(&mut self, path: &Path, name: &str, prefix: &str, is_link: bool) -> anyhow::Result<()> {
        if name == "runs" {
            self.left_out.runs.add(|| path.display().to_string());
            return Ok(());
        }
        let entries = fs::canonicalize(path).and_then(|real| Ok((real, fs::read_dir(path)?)));
        let Ok((real, entries)) = entries else {
            self.left_out.unreadable.add(|| path.display().to_string());
            return Ok(());
        };
        // Targets within the folder are found there, and a parent folder is not what was asked for.
        let leads_back = is_link && (real.starts_with(&self.real) || self.real.starts_with(&real));
        if leads_back || !self.seen.insert(real) {
            self.left_out.links.add(|| path.display().to_string());
            return Ok(());
        }
        self.folder(entries, path, &format!("{}{name}/", start(prefix, name)))
    }

    fn image(&mut self, path: &Path, name: &str, prefix: &str, is_link: bool) -> anyhow::Result<()> {
        // A CSV may come from Windows, so a backslash is read as a separator.
        if cfg!(not(windows)) && (name.contains('\\') || prefix.contains('\\')) {
            self.left_out.unnameable.add(|| path.display().to_string());
            return Ok(());
        }
        if self.images.len() == MOST_IMAGES {
            bail!("there are more than 1,000,000 images: choose a folder with fewer");
        }
        if is_link && let Ok(file) = fs::canonicalize(path) {
            self.links.push((self.images.len(), file));
        }
        self.images.push(format!("{}{name}", start(prefix, name)));
        Ok(())
    }

    fn go_on(&mut self) -> anyhow::Result<()> {
        self.files += 1;
        if self.files.is_multiple_of(STEP) && !(self.progress)(self.images.len()) {
            bail!("cancelled");
        }
        Ok(())
    }
}

/// Cells are trimmed, so a name that starts with a space needs a prefix.
fn start<'a>(prefix: &'a str, name: &str) -> &'a str {
    if prefix.is_empty() && name.starts_with(char::is_whitespace) { "./" } else { prefix }
}

/// Natural order, img2 before img10: compares by runs of digits and of other characters, ignoring case; equal only if the texts are identical.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let (number_a, number_b) = (digits(left), digits(right));
        let order = if number_a.is_empty() || number_b.is_empty() {
            let (x, y) = (first_char(&mut left), first_char(&mut right));
            x.to_lowercase().cmp(y.to_lowercase())
        } else {
            (left, right) = (&left[number_a.len()..], &right[number_b.len()..]);
            let (x, y) = (number_a.trim_start_matches('0'), number_b.trim_start_matches('0'));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

fn digits(text: &str) -> &str {
    &text[..text.bytes().take_while(u8::is_ascii_digit).count()]
}

fn first_char(text: &mut &str) -> char {
    let mut chars = text.chars();
    let first = chars.next().unwrap_or_default();
    *text = chars.as_str();
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = ["img10.png", "IMG2.png", "img1.png", "b", "a9b", "a10", "img02.png", "a", "10", "9"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            ["9", "10", "a", "a9b", "a10", "b", "img1.png", "IMG2.png", "img02.png", "img10.png"]
        );
    }
}
