//! Finds a row's image: the meaning of its path cell, relative to the CSV's folder or to the config's `images`.
//!
//! Everything that reads the images of a CSV uses one [`ImageFinder`]. It checks the disk when a table is opened, for
//! a large one only a sample; rows that were not checked get the path as written.

mod reason;
mod search;
mod told;
mod written;

use std::path::{Path, PathBuf};
use std::thread;

use search::Listings;
pub use told::Guesses;
use told::NameDifference;

use crate::config::Config;
use crate::files::without_detours;
use crate::work::cores;

/// Up to this many rows every path is looked up; beyond, a sample may decide for all.
const LOOKED_UP: usize = 10_000;
/// Size of the sample in rows.
const SAMPLE: usize = 1_000;
/// Minimum number of rows per thread.
const LEAST_PER_THREAD: usize = 256;

/// Finds the images that the cells of one CSV name.
#[derive(Debug)]
pub struct ImageFinder {
    /// The folders that paths start at, best first; at least one.
    roots: Vec<PathBuf>,
    listings: Listings,
}

/// The images of a column.
#[derive(Debug)]
pub struct Located {
    /// The path of each cell's image, which may not exist; empty for an empty cell.
    pub paths: Vec<PathBuf>,
    /// Cells that do not have the exact name of the file that was found.
    pub guesses: Guesses,
}

/// The result of looking up a cell.
enum Lookup {
    /// Nothing, or several candidates.
    Nowhere,
    /// The exact file under one of the roots, and whether the next root has another such file.
    At { root: usize, path: PathBuf, is_twice: bool },
    /// A file with a similar name.
    Near(PathBuf, NameDifference),
}

impl ImageFinder {
    /// For a CSV, and the image folder of its project, if any.
    pub fn new(csv: &Path, images: Option<&Path>) -> Self {
        let beside = without_detours(csv.parent().unwrap_or(Path::new("")));
        let other = images.map(without_detours).filter(|images| *images != beside);
        Self::of_folders(std::iter::once(beside).chain(other).collect())
    }

    /// For paths relative to these folders, best first.
    pub(super) fn of_folders(roots: Vec<PathBuf>) -> Self {
        let roots = if roots.is_empty() { vec![PathBuf::new()] } else { roots };
        Self { roots, listings: Listings::default() }
    }

    /// Whether a cell names a file, including its extension: `3` may well mean something else than `3.png`.
    pub fn finds(&self, cell: &str) -> bool {
        match self.place(cell) {
            Lookup::At { .. } => true,
            Lookup::Near(_, kind) => kind < NameDifference::Ending,
            Lookup::Nowhere => false,
        }
    }

    /// Looks up the images of all cells.
    ///
    /// Of a large table only a sample is looked up, provided that all images found have the exact paths, under one
    /// root: a million lookups on a network disk take minutes.
    pub fn locate(&self, cells: &[impl AsRef<str> + Sync]) -> Located {
        let under =
            |root: usize| cells.iter().map(|cell| written::under(&self.roots[root], cell.as_ref())).collect();
        let paths = under(0);
        let mut located = Located { paths, guesses: Guesses::default() };
        if cells.len() > LOOKED_UP {
            let step = cells.len().div_ceil(SAMPLE);
            let sample: Vec<usize> = (0..cells.len()).step_by(step).collect();
            let found = self.places(cells, &sample);
            let mut roots = found.iter().filter_map(|place| match place {
                Lookup::Nowhere => None,
                Lookup::At { root, .. } => Some(Some(*root)),
                Lookup::Near(..) => Some(None),
            });
            let first = roots.next().unwrap_or(Some(0));
            if let Some(root) = first.filter(|_| roots.all(|root| root == first)) {
                if root > 0 {
                    located.paths = under(root);
                }
                located.guesses.is_of_sample = true;
                self.take(&mut located, cells, sample.into_iter().zip(found));
                return located;
            }
        }
        let all: Vec<usize> = (0..cells.len()).collect();
        let found = self.places(cells, &all);
        self.take(&mut located, cells, all.into_iter().zip(found));
        located
    }

    fn take(
        &self,
        located: &mut Located,
        cells: &[impl AsRef<str>],
        found: impl Iterator<Item = (usize, Lookup)>,
    ) {
        for (row, place) in found {
            let (path, kind) = match place {
                Lookup::Nowhere => continue,
                Lookup::At { path, is_twice, .. } => (path, is_twice.then_some(NameDifference::Twice)),
                Lookup::Near(path, kind) => (path, Some(kind)),
            };
            if let Some(kind) = kind {
                located.guesses.add(kind, row, cells[row].as_ref(), &path);
            }
            located.paths[row] = path;
        }
    }

    /// Looks up these rows, on several threads if there are many.
    fn places(&self, cells: &[impl AsRef<str> + Sync], rows: &[usize]) -> Vec<Lookup> {
        let threads = cores();
        let part = rows.len().div_ceil(threads).max(LEAST_PER_THREAD);
        let look_up =
            |rows: &[usize]| rows.iter().map(|row| self.place(cells[*row].as_ref())).collect::<Vec<_>>();
        if rows.len() <= part {
            return look_up(rows);
        }
        thread::scope(|scope| {
            let parts: Vec<_> = rows.chunks(part).map(|rows| scope.spawn(|| look_up(rows))).collect();
            let rows = rows.chunks(part);
            let found = parts.into_iter().zip(rows).flat_map(|(part, rows)| {
                part.join().unwrap_or_else(|_| rows.iter().map(|_| Lookup::Nowhere).collect())
            });
            found.collect()
        })
    }

    fn place(&self, cell: &str) -> Lookup {
        if cell.is_empty() {
            return Lookup::Nowhere;
        }
        let paths: Vec<PathBuf> = self.roots.iter().map(|root| written::under(root, cell)).collect();
        let mut there = paths.iter().enumerate().filter(|(_, path)| path.is_file());
        if let Some((root, path)) = there.next() {
            let is_other = |(_, other): (usize, &PathBuf)| {
                other != path && !same_file::is_same_file(path, other).unwrap_or(false)
            };
            return Lookup::At { root, path: path.clone(), is_twice: there.any(is_other) };
        }
        match &self.listings.nearest(&self.roots, cell)[..] {
            [(path, kind)] => Lookup::Near(path.clone(), *kind),
            _ => Lookup::Nowhere,
        }
    }
}

/// The folder that the project of a CSV names for images: that of `known` if it was made for this CSV, of a config
/// beside the CSV, or else of `known` if its CSV lies beside this one. The images of any other project are none of
/// this CSV's.
pub fn images_of_project(csv: &Path, known: Option<&Config>) -> Option<PathBuf> {
    let is_known = |is_its_own: &dyn Fn(&Path) -> bool| {
        let known = known.filter(|config| is_its_own(&config.paths.model_dataframe));
        known.map(|config| config.paths.images.clone())
    };
    let is_one = |a: &Path, b: &Path| same_file::is_same_file(a, b).unwrap_or(false);
    let of_config_beside = || {
        let beside = [csv.with_extension("yml"), csv.with_file_name("config.yml")];
        let config = beside.iter().find_map(|file| Config::open(file).ok());
        config.map(|config| config.paths.images)
    };
    let folder = |file: &Path| std::path::absolute(file).ok()?.parent().map(Path::to_path_buf);
    let is_beside =
        |table: &Path| matches!((folder(table), folder(csv)), (Some(a), Some(b)) if is_one(&a, &b));
    is_known(&|table| is_one(table, csv)).or_else(of_config_beside).or_else(|| is_known(&is_beside))
}

/// Looks up the images of path cells in a project's CSV; they may not exist.
pub fn images_named(config: &Config, names: &[String]) -> Vec<PathBuf> {
    let paths = &config.paths;
    ImageFinder::new(&paths.model_dataframe, Some(&paths.images)).locate(names).paths
}

#[cfg(test)]
mod tests;
