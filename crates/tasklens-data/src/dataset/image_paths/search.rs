//! Finds files whose names nearly match a path, from listings of the folders on its way.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::told::NameDifference;
use super::written::{decoded, plain};
use crate::images::decode::{ENDINGS, has_image_ending};
use crate::unicode::composed;

/// Further candidates do not matter.
const MOST: usize = 8;
/// Extensions of the same format.
const SAME_FORMAT: [&[&str]; 2] = [&["jpg", "jpeg", "jfif"], &["tif", "tiff"]];

/// The names in a folder by their [`key`].
type Listing = HashMap<String, Vec<String>>;

/// The names in each folder that was looked into, read once.
#[derive(Debug, Default)]
pub(super) struct Listings(Mutex<HashMap<PathBuf, Arc<Listing>>>);

/// A file, and how much its path differs from the cell.
type Near = (PathBuf, NameDifference);

impl Listings {
    /// The files most similar to a cell, under any of the roots: several if they are equally similar.
    pub fn nearest(&self, roots: &[PathBuf], cell: &str) -> Vec<Near> {
        let text = plain(cell);
        let (start, names) = parts(Path::new(&*text));
        let mut found = Vec::new();
        match start {
            Some(start) => self.below(&start, &names, NameDifference::Exact, &mut found),
            None => roots.iter().for_each(|root| self.below(root, &names, NameDifference::Exact, &mut found)),
        }
        let nearest = found.iter().map(|(_, kind)| *kind).min();
        found.retain(|(_, kind)| Some(*kind) == nearest);
        if found.len() > 1 {
            // One file under two names is not ambiguous.
            let first = found[0].0.clone();
            let is_other =
                |(path, _): &Near| *path == first || !same_file::is_same_file(path, &first).unwrap_or(false);
            found.retain(is_other);
            found.dedup_by(|a, b| a.0 == b.0);
        }
        found
    }

    fn below(&self, folder: &Path, names: &[&str], so_far: NameDifference, found: &mut Vec<Near>) {
        let [name, rest @ ..] = names else { return };
        if *name == ".." {
            return self.below(&folder.join(name), rest, so_far, found);
        }
        for (near, kind) in self.named(folder, name, rest.is_empty()) {
            let (path, kind) = (folder.join(near), kind.max(so_far));
            if found.len() >= MOST {
                return;
            }
            if rest.is_empty() && path.is_file() {
                found.push((path, kind));
            } else if !rest.is_empty() && path.is_dir() {
                self.below(&path, rest, kind, found);
            }
        }
    }

    /// Names in a folder similar to `name`, most similar first.
    fn named(&self, folder: &Path, name: &str, is_file: bool) -> Vec<(String, NameDifference)> {
        let listing = self.listing(folder);
        let mut found: Vec<(String, NameDifference)> = Vec::new();
        let mut add = |wanted: &str, least: NameDifference| {
            for there in listing.get(&key(wanted)).into_iter().flatten() {
                let kind = match there {
                    there if there == wanted => NameDifference::Exact,
                    there if composed(there) == composed(wanted) => NameDifference::Unicode,
                    _ => NameDifference::Case,
                };
                if !found.iter().any(|(known, _)| known == there) {
                    found.push((there.clone(), kind.max(least)));
                }
            }
        };
        let without_percent = decoded(name);
        let names = [
            Some((name, NameDifference::Exact)),
            without_percent.as_deref().map(|name| (name, NameDifference::Percent)),
        ];
        for (name, least) in names.into_iter().flatten() {
            add(name, least);
            if is_file {
                other_endings(name).iter().for_each(|name| add(name, NameDifference::Ending));
            }
        }
        found.sort_by_key(|(_, kind)| *kind);
        found
    }

    fn listing(&self, folder: &Path) -> Arc<Listing> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listing) = known().get(folder) {
            return Arc::clone(listing);
        }
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let mut listing = Listing::new();
        for entry in fs::read_dir(here).into_iter().flatten().flatten() {
            // A CSV cannot contain names that are not Unicode.
            if let Ok(name) = entry.file_name().into_string() {
                listing.entry(key(&name)).or_default().push(name);
            }
        }
        listing.values_mut().for_each(|names| names.sort_unstable());
        Arc::clone(known().entry(folder.to_path_buf()).or_insert_with(|| Arc::new(listing)))
    }
}

/// Files in the folder of a path with its name and the extension of another format.
pub(super) fn of_other_format(path: &Path) -> Vec<PathBuf> {
    let named = ENDINGS.iter().map(|ending| path.with_extension(ending));
    named.filter(|other| other != path && other.is_file()).collect()
}

/// A key that is equal for names that differ only in case and Unicode form.
fn key(name: &str) -> String {
    if name.is_ascii() {
        name.to_ascii_lowercase()
    } else {
        composed(&composed(name).to_lowercase()).into_owned()
    }
}

/// The name with alternative extensions: any image extension if it has none.
fn other_endings(name: &str) -> Vec<String> {
    if !has_image_ending(Path::new(name)) {
        return ENDINGS.iter().map(|ending| format!("{name}.{ending}")).collect();
    }
    let Some((stem, ending)) = name.rsplit_once('.') else { return Vec::new() };
    let Some(same) = SAME_FORMAT.iter().find(|endings| has_any(endings, ending)) else { return Vec::new() };
    let others = same.iter().filter(|known| !known.eq_ignore_ascii_case(ending));
    others.map(|other| format!("{stem}.{other}")).collect()
}

fn has_any(endings: &[&str], ending: &str) -> bool {
    endings.iter().any(|known| known.eq_ignore_ascii_case(ending))
}

/// The absolute root of a path, if any, and its components.
fn parts(path: &Path) -> (Option<PathBuf>, Vec<&str>) {
    let mut start: Option<PathBuf> = None;
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Prefix(_) | Component::RootDir => {
                start.get_or_insert_default().push(component);
            }
            Component::CurDir => {}
            Component::ParentDir => names.push(".."),
            Component::Normal(name) => names.extend(name.to_str()),
        }
    }
    (start, names)
}
