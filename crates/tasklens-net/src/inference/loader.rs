//! Batches, decoded and augmented by worker threads through bounded channels, so that the network need not wait if
//! cores are free.
//!
//! The content of a batch depends only on the seed and the epoch, not on the number of workers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_pcg::Pcg64Mcg;

use super::samples::{Batch, SampleSource, mix};

/// How images go through a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batching {
    /// Images that go through it together.
    pub size: usize,
    /// Threads that decode.
    pub workers: usize,
}

/// The rows of an epoch, shuffled by seed and epoch, in batches. A last batch of one is merged into the one before,
/// because batch normalisation needs more than one value.
pub(crate) fn shuffled_batches(
    rows: &[usize],
    batch_size: usize,
    seed: u64,
    epoch: usize,
) -> Vec<Vec<usize>> {
    let mut order = rows.to_vec();
    order.shuffle(&mut Pcg64Mcg::seed_from_u64(mix(seed, epoch as u64, u64::MAX)));
    let mut batches = in_batches(&order, batch_size);
    if batch_size > 1 && batches.len() > 1 && batches.last().is_some_and(|last| last.len() == 1) {
        let last = batches.pop().unwrap_or_default();
        if let Some(before) = batches.last_mut() {
            before.extend(last);
        }
    }
    batches
}

/// `rows` in their order, in batches.
pub fn in_batches(rows: &[usize], batch_size: usize) -> Vec<Vec<usize>> {
    rows.chunks(batch_size).map(<[usize]>::to_vec).collect()
}

/// Iterates over the batches of one pass, in order. Dropping it stops the workers.
pub struct Loader {
    pending: std::iter::Enumerate<std::vec::IntoIter<Vec<usize>>>,
    jobs: Option<Sender<(usize, Vec<usize>)>>,
    results: Option<Receiver<(usize, Batch)>>,
    early: BTreeMap<usize, Batch>,
    next: usize,
    count: usize,
    workers: Vec<JoinHandle<()>>,
}

impl Loader {
    /// Starts `workers` threads on `batches`.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub fn start(
        source: &Arc<SampleSource>,
        batches: Vec<Vec<usize>>,
        augment_epoch: Option<usize>,
        workers: usize,
    ) -> std::io::Result<Self> {
        let count = batches.len();
        let workers = workers.clamp(1, count.max(1));
        // Two batches per worker are in flight, one being decoded and one waiting: this limits memory.
        let in_flight = 2 * workers;
        let (jobs_in, jobs) = bounded(in_flight);
        let (results_in, results) = bounded(in_flight);
        let mut loader = Self {
            pending: batches.into_iter().enumerate(),
            jobs: Some(jobs_in),
            results: Some(results),
            early: BTreeMap::new(),
            next: 0,
            count,
            workers: Vec::new(),
        };
        for i in 0..workers {
            let (source, jobs, results) = (Arc::clone(source), jobs.clone(), results_in.clone());
            let thread = std::thread::Builder::new().name(format!("loader {i}"));
            loader.workers.push(thread.spawn(move || work(&source, &jobs, &results, augment_epoch))?);
        }
        for _ in 0..in_flight {
            loader.hand_out();
        }
        Ok(loader)
    }

    /// Queues one more batch for the workers, if there is one.
    fn hand_out(&mut self) {
        match (self.pending.next(), &self.jobs) {
            // Cannot block: the channel has room for all batches in flight.
            (Some(job), Some(jobs)) => drop(jobs.send(job)),
            _ => self.jobs = None,
        }
    }
}

fn work(
    source: &SampleSource,
    jobs: &Receiver<(usize, Vec<usize>)>,
    results: &Sender<(usize, Batch)>,
    augment_epoch: Option<usize>,
) {
    while let Ok((place, rows)) = jobs.recv() {
        let batch = source.load(&rows, augment_epoch);
        if results.send((place, batch)).is_err() {
            return;
        }
    }
}

impl Iterator for Loader {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        if self.next == self.count {
            return None;
        }
        loop {
            if let Some(batch) = self.early.remove(&self.next) {
                self.next += 1;
                self.hand_out();
                return Some(batch);
            }
            let (place, batch) = self.results.as_ref()?.recv().ok()?;
            self.early.insert(place, batch);
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.jobs = None;
        // A worker that waits to deliver a batch wakes up when the receiver is dropped.
        self.results = None;
        for worker in self.workers.drain(..) {
            // Panics are caught inside the worker.
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use tasklens_data::config::Augmentation;
    use tasklens_data::dataset::{Row, RowLabel};
    use tasklens_data::images::cache::ImageCache;

    use super::super::samples::{Drawn, NO_LABEL};
    use super::*;

    fn source(folder: &std::path::Path, images: u8) -> Arc<SampleSource> {
        let rows = (0..images)
            .map(|i| {
                let image = folder.join(format!("{i}.png"));
                image::RgbImage::from_pixel(40, 40, image::Rgb([i, 0, 0])).save(&image).unwrap();
                Row {
                    image: image.into(),
                    labels: vec![RowLabel::Class(u32::from(i % 2)), RowLabel::Missing].into(),
                    usable: true,
                }
            })
            .collect();
        let cache = ImageCache::new(32, 32, 1 << 20);
        let augmentation = Augmentation::default();
        Arc::new(SampleSource { rows, tasks: 2, cache, augmentation, drawn: Drawn::ByRow, seed: 5 })
    }

    #[test]
    fn batches_come_in_order_whatever_the_number_of_workers() {
        let dir = tempfile::tempdir().unwrap();
        let source = source(dir.path(), 23);
        let rows: Vec<usize> = (0..23).collect();
        let pass = |workers| {
            let batches = shuffled_batches(&rows, 4, 5, 1);
            Loader::start(&source, batches, Some(1), workers).unwrap().map(|b| (b.rows, b.pixels)).collect()
        };
        let one: Vec<_> = pass(1);
        assert_eq!(one.len(), 6);
        assert_eq!(one, pass(4));
    }

    #[test]
    fn an_image_that_is_changed_by_its_path_is_changed_the_same_in_any_list() {
        let dir = tempfile::tempdir().unwrap();
        let pixels = |rows: &[usize], drawn| {
            let SampleSource { rows: all, cache, .. } = Arc::into_inner(source(dir.path(), 3)).unwrap();
            for (i, row) in all.iter().enumerate() {
                let pixel = |x, y| image::Rgb([x as u8 * 6, y as u8 * 6, i as u8]);
                image::RgbImage::from_fn(40, 40, pixel).save(&row.image).unwrap();
            }
            let all = rows.iter().map(|row| all[*row].clone()).collect();
            let augmentation = Augmentation::default();
            let source = Arc::new(SampleSource { rows: all, tasks: 2, cache, augmentation, drawn, seed: 5 });
            let batches = vec![(0..rows.len()).collect()];
            Loader::start(&source, batches, Some(1), 1).unwrap().next().unwrap().pixels
        };
        let image = 32 * 32 * 3;
        let last_of = |drawn| (pixels(&[0, 1, 2], drawn)[2 * image..].to_vec(), pixels(&[2], drawn));
        let (among, alone) = last_of(Drawn::ByPath);
        assert!(among == alone);
        let (among, alone) = last_of(Drawn::ByRow);
        assert!(among != alone);
    }

    #[test]
    fn labels_stand_task_by_task_with_missing_ones_marked() {
        let dir = tempfile::tempdir().unwrap();
        let batch =
            Loader::start(&source(dir.path(), 3), vec![vec![0, 1, 2]], None, 1).unwrap().next().unwrap();
        assert_eq!(batch.labels, [0, 1, 0, NO_LABEL, NO_LABEL, NO_LABEL]);
        assert_eq!(batch.pixels[..3], [0, 0, 0]);
        assert_eq!(batch.pixels[32 * 32 * 3], 1);
    }

    #[test]
    fn a_vanished_image_leaves_its_batch_smaller() {
        let dir = tempfile::tempdir().unwrap();
        let source = source(dir.path(), 3);
        std::fs::remove_file(dir.path().join("1.png")).unwrap();
        let batch = Loader::start(&source, vec![vec![0, 1, 2]], None, 1).unwrap().next().unwrap();
        assert_eq!(batch.rows, [0, 2]);
        assert_eq!(batch.failures[0].0, 1);
        assert!(batch.failures[0].1.contains("1.png is missing"), "{:?}", batch.failures);
    }

    #[test]
    fn what_panics_at_one_image_costs_this_image_alone() {
        let dir = tempfile::tempdir().unwrap();
        // There is no row 9: to ask for it is a panic.
        let batch =
            Loader::start(&source(dir.path(), 3), vec![vec![0, 9, 2]], None, 1).unwrap().next().unwrap();
        assert_eq!(batch.rows, [0, 2]);
        assert_eq!(batch.failures.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [9]);
        assert!(batch.failures[0].1.contains("out of bounds"), "{:?}", batch.failures);
        assert_eq!(batch.pixels.len(), 2 * 32 * 32 * 3);
    }

    #[test]
    fn how_an_image_was_read_is_told_when_it_is_decoded_and_not_again() {
        let dir = tempfile::tempdir().unwrap();
        let source = source(dir.path(), 3);
        let dark = image::ImageBuffer::from_pixel(40, 40, image::Luma([4000_u16]));
        image::DynamicImage::ImageLuma16(dark).save(dir.path().join("1.png")).unwrap();
        let batches = || Loader::start(&source, vec![vec![0, 1, 2]], None, 1).unwrap().next().unwrap();
        let first = batches();
        assert_eq!((first.rows.len(), first.notes.len(), first.notes[0].0), (3, 1, 1));
        assert!(
            first.notes[0].1.contains("1.png: its values of 16 bits reach only 4000"),
            "{:?}",
            first.notes
        );
        assert!(batches().notes.is_empty(), "it is kept now");
    }

    #[test]
    fn every_row_comes_once_an_epoch_and_in_another_order_each_time() {
        let rows: Vec<usize> = (100..133).collect();
        let epoch = |epoch| shuffled_batches(&rows, 8, 7, epoch);
        // 33 rows in batches of 8 leave one over, which joins the last batch.
        assert_eq!(epoch(1).iter().map(Vec::len).collect::<Vec<_>>(), [8, 8, 8, 9]);
        let mut seen = epoch(1).concat();
        assert_ne!(seen, epoch(2).concat());
        seen.sort_unstable();
        assert_eq!(seen, rows);
    }

    #[test]
    fn dropping_it_in_the_middle_ends_the_workers() {
        let dir = tempfile::tempdir().unwrap();
        let rows: Vec<usize> = (0..20).collect();
        let mut loader = Loader::start(&source(dir.path(), 20), in_batches(&rows, 1), None, 3).unwrap();
        assert!(loader.next().is_some());
        drop(loader);
    }
}
