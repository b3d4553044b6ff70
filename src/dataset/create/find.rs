//! The images of a folder and of those below it.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::order::natural;
use crate::images::decode::has_image_ending;

/// More images than this are refused.
pub const MOST_IMAGES: usize = 1_000_000;
/// Files between two looks at whether to go on.
const STEP: usize = 256;

/// What there is in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The folder.
    pub folder: PathBuf,
    /// The images as a CSV in the folder names them: relative, with `/`. Img2 comes before img10.
    pub images: Vec<String>,
    /// The names of the folders in it that have images, where there are at least two.
    pub sub_folders: Vec<String>,
    /// What was left out that a user may miss, in words.
    pub notices: Vec<String>,
}

impl Found {
    /// Where an image is.
    pub fn path(&self, image: usize) -> PathBuf {
        self.images.get(image).map(|image| self.folder.join(image)).unwrap_or_default()
    }
}

/// Looks for the images of a folder and of all below it. Hidden files and folders, the folders `runs` and
/// `*.edits` that Tasklens itself writes, and what a link leads to a second time are left out. `progress`
/// gets the number of images so far and returns whether to go on.
///
/// # Errors
/// The folder cannot be read, has more than [`MOST_IMAGES`], or a cancel. A folder below it that cannot be
/// read is a notice.
pub fn find_images(folder: &Path, progress: &mut dyn FnMut(usize) -> bool) -> anyhow::Result<Found> {
    let cannot = || format!("{} cannot be read", folder.display());
    let folder = std::path::absolute(folder).with_context(cannot)?;
    let real = fs::canonicalize(&folder).with_context(cannot)?;
    let mut walk = Walk {
        seen: HashSet::from([real.clone()]),
        real,
        images: Vec::new(),
        files: 0,
        left_out: LeftOut::default(),
        progress,
    };
    let entries = fs::read_dir(&folder).with_context(cannot)?;
    walk.folder(entries, &folder, "")?;
    let sub_folders = sub_folders(&walk.images);
    Ok(Found { images: walk.images, sub_folders, notices: walk.left_out.notices(), folder })
}

/// The folder of the first level that an image lies in.
pub(super) fn first_folder(image: &str) -> Option<&str> {
    let (folder, _) = image.strip_prefix("./").unwrap_or(image).split_once('/')?;
    Some(folder.trim())
}

fn sub_folders(images: &[String]) -> Vec<String> {
    let mut folders: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for folder in images.iter().filter_map(|image| first_folder(image)) {
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
                self.left_out.unreadable.push(path.display().to_string());
                continue;
            };
            match entry.file_name().into_string() {
                Ok(name) if is_for_us(&name, kind) => named.push((name, kind)),
                Ok(_) => {}
                Err(name) => {
                    let name = Path::new(&name);
                    if kind.is_dir() || has_image_ending(name) {
                        self.left_out.unnameable.push(path.join(name).display().to_string());
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
                self.image(&path, &name, prefix)?;
            }
        }
        Ok(())
    }

    fn sub_folder(&mut self, path: &Path, name: &str, prefix: &str, is_link: bool) -> anyhow::Result<()> {
        if name == "runs" {
            self.left_out.runs += 1;
            return Ok(());
        }
        let entries = fs::canonicalize(path).and_then(|real| Ok((real, fs::read_dir(path)?)));
        let Ok((real, entries)) = entries else {
            self.left_out.unreadable.push(path.display().to_string());
            return Ok(());
        };
        // What lies in the folder is found there, and a folder around it is not what was asked for.
        let leads_back = is_link && (real.starts_with(&self.real) || self.real.starts_with(&real));
        if leads_back || !self.seen.insert(real) {
            return Ok(());
        }
        self.folder(entries, path, &format!("{}{name}/", start(prefix, name)))
    }

    fn image(&mut self, path: &Path, name: &str, prefix: &str) -> anyhow::Result<()> {
        // A CSV may come from Windows, so that a backslash in it parts folders.
        if cfg!(not(windows)) && (name.contains('\\') || prefix.contains('\\')) {
            self.left_out.unnameable.push(path.display().to_string());
            return Ok(());
        }
        if self.images.len() == MOST_IMAGES {
            bail!("there are more than 1,000,000 images: choose a folder with fewer");
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

/// Whether an entry is worth a look: nothing hidden, and no edits of labels.
fn is_for_us(name: &str, kind: fs::FileType) -> bool {
    let is_hidden = name.starts_with('.');
    let is_edits = !kind.is_file() && name.ends_with(".edits");
    !is_hidden && !is_edits
}

/// What a user may miss.
#[derive(Default)]
struct LeftOut {
    runs: usize,
    unreadable: Vec<String>,
    unnameable: Vec<String>,
}

impl LeftOut {
    fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        if self.runs > 0 {
            notices.push("Folders named `runs` are left out: trained networks go there.".to_owned());
        }
        let and_more = |list: &[String]| match list {
            [first] => Some(first.clone()),
            [first, more @ ..] => Some(format!("{first} and {} more", more.len())),
            [] => None,
        };
        if let Some(folders) = and_more(&self.unreadable) {
            notices.push(format!("Without what cannot be read: {folders}."));
        }
        if let Some(files) = and_more(&self.unnameable) {
            notices.push(format!("Without what a CSV cannot name, so give it another name: {files}."));
        }
        notices
    }
}
