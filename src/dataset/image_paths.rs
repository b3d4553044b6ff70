//! Where a row's image is: relative to the CSV's folder, else to the config's `images`.

use std::path::{Path, PathBuf};
use std::thread;

/// Up to so many rows every path is looked up; beyond, a sample may decide for all.
const LOOKED_UP: usize = 10_000;
/// Rows of the sample.
const SAMPLE: usize = 1_000;

/// The absolute path of each cell; empty where the cell is. `roots` are the folders to try, best first.
///
/// The disk is asked only where there is a choice, and for a large table only for a sample, when all
/// of it lies under one root: a million questions to a network disk take minutes.
pub(super) fn resolve(cells: &[String], roots: &[PathBuf]) -> Vec<PathBuf> {
    let [first, others @ ..] = roots else { return vec![PathBuf::new(); cells.len()] };
    if others.is_empty() {
        return cells.iter().map(|cell| under(first, cell)).collect();
    }
    if cells.len() > LOOKED_UP
        && let Some(root) = common_root(cells, roots)
    {
        return cells.iter().map(|cell| under(root, cell)).collect();
    }
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut paths = Vec::with_capacity(cells.len());
    thread::scope(|scope| {
        let parts: Vec<_> = cells
            .chunks(cells.len().div_ceil(threads).max(1))
            .map(|part| scope.spawn(|| part.iter().map(|cell| look_up(cell, roots)).collect::<Vec<_>>()))
            .collect();
        for part in parts {
            paths.extend(part.join().unwrap_or_default());
        }
    });
    paths
}

/// The one root that holds every sampled image.
fn common_root<'a>(cells: &[String], roots: &'a [PathBuf]) -> Option<&'a PathBuf> {
    let sample = || cells.iter().step_by(cells.len().div_ceil(SAMPLE)).filter(|cell| !cell.is_empty());
    roots.iter().find(|root| sample().all(|cell| under(root, cell).is_file()))
}

fn look_up(cell: &str, roots: &[PathBuf]) -> PathBuf {
    let found = roots.iter().map(|root| under(root, cell)).find(|path| path.is_file());
    found.unwrap_or_else(|| roots.first().map(|root| under(root, cell)).unwrap_or_default())
}

fn under(root: &Path, cell: &str) -> PathBuf {
    if cell.is_empty() {
        return PathBuf::new();
    }
    if cfg!(not(windows)) && cell.contains('\\') {
        // Written on Windows; elsewhere a backslash in a file name is all but unknown.
        return root.join(cell.replace('\\', "/"));
    }
    root.join(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_large_table_a_sample_under_one_root_decides_for_all() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let roots = [first.path().to_path_buf(), second.path().to_path_buf()];
        std::fs::write(roots[1].join("b.jpg"), "").unwrap();
        let mut cells = vec!["b.jpg".to_owned(); LOOKED_UP + 1];
        // Not in the sample: missing, and taken to be where the others are.
        cells[1] = "lost.jpg".to_owned();
        let paths = resolve(&cells, &roots);
        assert_eq!((&paths[0], &paths[1]), (&roots[1].join("b.jpg"), &roots[1].join("lost.jpg")));

        // Two roots: every path is looked up.
        std::fs::write(roots[0].join("a.jpg"), "").unwrap();
        cells.iter_mut().step_by(2).for_each(|cell| *cell = "a.jpg".to_owned());
        let paths = resolve(&cells, &roots);
        assert_eq!(paths.len(), cells.len());
        assert_eq!(
            (&paths[0], &paths[1], &paths[3]),
            (&roots[0].join("a.jpg"), &roots[0].join("lost.jpg"), &roots[1].join("b.jpg"))
        );
    }
}
