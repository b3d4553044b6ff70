//! The images of a folder and of those below it.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::folder_split::{FolderSplit, class_folder};
use super::left_out::LeftOut;
use super::order::natural;
use crate::images::decode::has_image_ending;

/// More images than this are refused.
pub const MOST_IMAGES: usize = 1_000_000;
/// Files between two looks at whether to go on.
const STEP: usize = 256;

/// What there is in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundImages {
    /// The folder.
    pub folder: PathBuf,
    /// The images as a CSV in the folder names them: relative, with `/`. Img2 comes before img10.
    pub images: Vec<String>,
    /// The names of the folders in it that have images, where there are at least two; of those one level below where
    /// the first level is a split.
    pub sub_folders: Vec<String>,
    /// What the folders of the first level are for, where all of them are called `train`, `valid`, `test` or the like.
    pub split: Option<FolderSplit>,
    /// What was left out that a user may miss, in words.
    pub notices: Vec<String>,
}

impl FoundImages {
    /// Where an image is.
    pub fn path(&self, image: usize) -> PathBuf {
        self.images.get(image).map(|image| self.folder.join(image)).unwrap_or_default()
    }

    /// The folder whose name may be the label of an image.
    pub(super) fn class_folder<'a>(&self, image: &'a str) -> Option<&'a str> {
        class_folder(image, self.split.is_some())
    }
}

/// Looks for the images of a folder and of all below it; links to folders are followed. What a user may miss is told in
/// the notices: hidden files and folders, what a Mac adds to a zip file (`__MACOSX`), formats that are not read, what a
/// link leads to a second time, and the folders `runs` that Tasklens itself writes. Its `*.edits` nobody misses.
/// `progress` gets the number of images so far and returns whether to go on.
///
/// # Errors
/// The folder cannot be read, has more than [`MOST_IMAGES`], or a cancel. A folder below it that cannot be
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
    /// The folder with all links followed.
    real: PathBuf,
    /// Folders that were looked into, with all links followed.
    seen: HashSet<PathBuf>,
    images: Vec<String>,
    /// Those images that are links, with the file that they lead to.
    links: Vec<(usize, PathBuf)>,
    files: usize,
    left_out: LeftOut,
    progress: &'a mut dyn FnMut(usize) -> bool,
}

impl Walk<'_> {
    /// Takes in a folder, whose images are named with `prefix`.
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

    /// Leaves out links to files that are there by their own names, or by another link.
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
        // What lies in the folder is found there, and a folder around it is not what was asked for.
        let leads_back = is_link && (real.starts_with(&self.real) || self.real.starts_with(&real));
        if leads_back || !self.seen.insert(real) {
            self.left_out.links.add(|| path.display().to_string());
            return Ok(());
        }
        self.folder(entries, path, &format!("{}{name}/", start(prefix, name)))
    }

    fn image(&mut self, path: &Path, name: &str, prefix: &str, is_link: bool) -> anyhow::Result<()> {
        // A CSV may come from Windows, so that a backslash in it parts folders.
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

/// A cell's text is taken without spaces around it, so a name that begins with one needs something before it.
fn start<'a>(prefix: &'a str, name: &str) -> &'a str {
    if prefix.is_empty() && name.starts_with(char::is_whitespace) { "./" } else { prefix }
}
