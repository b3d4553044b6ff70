//! Checks the image of every row, on several threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::{Problem, ProblemKind, Severity};
use crate::dataset::Dataset;
use crate::dataset::image_paths::ImageFinder;
use crate::dataset::split::{Part, Rule};
use crate::files::{FileId, is_one_file};
use crate::images::decode::{Detail, decode_file_for, probe_file};
use crate::text::plain;
use crate::work::cores;

/// How thoroughly images are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Headers only: fast, and finds files that are missing, too large or not images.
    Header,
    /// Every pixel: also finds truncated and damaged files.
    Pixels,
}

/// The threads mostly wait for the disk, so there are more of them than cores.
const THREADS_PER_CORE: usize = 4;
const MOST_THREADS: usize = 32;
/// Rows between two progress reports.
const STEP: usize = 64;

/// Results of the check, for `Dataset::apply`.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Problems of images, ascending by row.
    pub problems: Vec<Problem>,
    /// Rows whose image is the file of an earlier row under another name, with the first such row.
    pub same_files: Vec<(usize, usize)>,
}

/// Checks every usable row's image on several threads. A missing, unreadable or too large image becomes a warning and
/// makes its row unusable (once the caller applies it with `Dataset::apply`); a partly damaged image, or one with an
/// unclear range of values, becomes a note. `progress` gets (done, of) and returns whether to continue; after a
/// `false`, the results so far are returned.
pub fn check_images(
    dataset: &Dataset,
    look: Look,
    progress: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Checked {
    let rows: Vec<usize> = (0..dataset.rows.len()).filter(|row| dataset.rows[*row].usable).collect();
    let finder = dataset.image_finder();
    let cores = cores();
    let threads = (cores * THREADS_PER_CORE).min(MOST_THREADS).min(rows.len().div_ceil(STEP));
    let (next, done, stop) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let (problems, files) = (Mutex::new(Vec::new()), Mutex::new(files_of_test(dataset)));
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let start = next.fetch_add(STEP, Ordering::Relaxed);
            let Some(part) = rows.get(start..rows.len().min(start + STEP)).filter(|part| !part.is_empty())
            else {
                return;
            };
            let found: Vec<Problem> =
                part.iter().filter_map(|row| check_image(dataset, &finder, *row, look)).collect();
            problems.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
            let ids: Vec<(FileId, usize)> = part.iter().filter_map(|row| file_of(dataset, *row)).collect();
            files.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
            let done = done.fetch_add(part.len(), Ordering::Relaxed) + part.len();
            if !progress(done, rows.len()) {
                stop.store(true, Ordering::Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut problems = problems.into_inner().unwrap_or_else(PoisonError::into_inner);
    problems.sort_by_key(|problem: &Problem| problem.row);
    let files = files.into_inner().unwrap_or_else(PoisonError::into_inner);
    Checked { problems, same_files: same_files(dataset, files) }
}

/// The files of the test rows: they are not read, but must not be used for training.
fn files_of_test(dataset: &Dataset) -> Vec<(FileId, usize)> {
    let Rule::Given(parts) = &*dataset.rule else { return Vec::new() };
    let rows =
        (0..parts.len()).filter(|row| parts[*row] == Some(Part::Test) && dataset.rows[*row].can_be_used());
    rows.filter_map(|row| file_of(dataset, row)).collect()
}

fn file_of(dataset: &Dataset, row: usize) -> Option<(FileId, usize)> {
    Some((FileId::of(&dataset.rows[row].image).ok()?, row))
}

fn same_files(dataset: &Dataset, mut files: Vec<(FileId, usize)>) -> Vec<(usize, usize)> {
    files.sort_unstable();
    let mut same = Vec::new();
    for group in files.chunk_by(|(a, _), (b, _)| a == b) {
        let [(_, first), others @ ..] = group else { continue };
        let path = |row: usize| &*dataset.rows[row].image;
        let others = others.iter().map(|(_, row)| *row);
        same.extend(others.filter(|row| is_one_file(path(*row), path(*first))).map(|row| (row, *first)));
    }
    same
}

fn check_image(dataset: &Dataset, finder: &ImageFinder, row: usize, look: Look) -> Option<Problem> {
    let image = &dataset.rows[row].image;
    let looked = match look {
        Look::Header => probe_file(image).map(|_| None),
        Look::Pixels => decode_file_for(image, Detail::Checked).map(|image| image.note().map(str::to_owned)),
    };
    let note = match looked {
        Ok(note) => note?,
        Err(error) => return Some(dataset.image_problem_by(finder, row, plain(&error.to_string()))),
    };
    let problem = Problem::in_row(ProblemKind::Image, &dataset.table, row, dataset.columns.path, note);
    Some(Problem { severity: Severity::Note, ..problem })
}
