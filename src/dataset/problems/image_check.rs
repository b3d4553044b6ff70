//! The image of every row, on a few threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::{Kind, Problem, Severity};
use crate::dataset::Dataset;
use crate::images::decode::{decode_file, probe_file};

/// How closely images are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Their headers: fast, and finds what is missing, too large or no image.
    Header,
    /// Every pixel: finds files that are cut off or damaged, too.
    Pixels,
}

/// Waiting for a disk costs no processor, so there are more threads than cores.
const THREADS_PER_CORE: usize = 4;
const MOST_THREADS: usize = 32;
/// Rows between two reports.
const STEP: usize = 64;

/// Looks at every usable row's image on a few threads; what is missing, unreadable or too
/// large becomes a warning and its row unusable (the caller applies it with `Dataset::apply`), and how
/// an image was read that is damaged in part or has an unclear range becomes a note.
/// `progress` gets (done, of) and returns whether to go on; after a "no" the problems so far come back.
pub fn check_images(
    dataset: &Dataset,
    look: Look,
    progress: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Vec<Problem> {
    let rows: Vec<usize> = (0..dataset.rows.len()).filter(|row| dataset.rows[*row].usable).collect();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = (cores * THREADS_PER_CORE).min(MOST_THREADS).min(rows.len().div_ceil(STEP));
    let (next, done, stop) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let problems = Mutex::new(Vec::new());
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let start = next.fetch_add(STEP, Ordering::Relaxed);
            let Some(part) = rows.get(start..rows.len().min(start + STEP)).filter(|part| !part.is_empty())
            else {
                return;
            };
            let found: Vec<Problem> =
                part.iter().filter_map(|row| check_image(dataset, *row, look)).collect();
            problems.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
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
    problems
}

fn check_image(dataset: &Dataset, row: usize, look: Look) -> Option<Problem> {
    let image = &dataset.rows[row].image;
    let looked = match look {
        Look::Header => probe_file(image).map(|_| None),
        Look::Pixels => decode_file(image).map(|image| image.note().map(str::to_owned)),
    };
    let (severity, message) = match looked {
        Ok(note) => (Severity::Note, note?),
        Err(error) => (Severity::Warning, error.to_string()),
    };
    let column = dataset.columns.path;
    Some(Problem { severity, ..Problem::in_row(Kind::Image, &dataset.table, row, column, message) })
}
