//! The images and labels of a dataset as a network gets them, decoded and augmented batch by batch.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tasklens_data::config::Augmentation;
use tasklens_data::dataset::Rows;
use tasklens_data::images::Rgb;
use tasklens_data::images::augment::augment;
use tasklens_data::images::cache::ImageCache;
use tasklens_data::panics;

/// Class index of a missing label; the loss ignores it.
pub(crate) const NO_LABEL: i64 = -100;

/// Images and labels that go through the network together.
#[derive(Debug)]
pub struct Batch {
    /// Rows of the dataset, without those whose image could not be read.
    pub rows: Vec<usize>,
    /// Pixels `[N, H, W, 3]`, 0..255.
    pub pixels: Vec<u8>,
    /// Labels `[tasks, N]`, class index or [`NO_LABEL`].
    pub labels: Vec<i64>,
    /// Rows whose image could not be read, with the message.
    pub failures: Vec<(usize, String)>,
    /// Rows with a note about how their image was read.
    pub notes: Vec<(usize, String)>,
}

/// Shared state of the workers.
pub struct SampleSource {
    /// All rows of the dataset.
    pub rows: Rows,
    /// Number of tasks.
    pub tasks: usize,
    /// Cache of decoded images between epochs; also has the input size.
    pub cache: ImageCache,
    /// Random changes to training images.
    pub augmentation: Augmentation,
    /// What determines the augmentation of an image, besides seed and epoch.
    pub drawn: Drawn,
    /// Seed of the run.
    pub seed: u64,
}

/// What determines the augmentation of an image, besides seed and epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// Its row number.
    ByRow,
    /// Its path: the augmentation is independent of the list of rows.
    ByPath,
}

impl SampleSource {
    /// Decodes one batch; `augment_epoch` is the epoch whose augmentation to apply, if any.
    pub(super) fn load(&self, rows: &[usize], augment_epoch: Option<usize>) -> Batch {
        let (height, width) = self.cache.size();
        let mut batch = Batch {
            rows: Vec::with_capacity(rows.len()),
            pixels: Vec::with_capacity(rows.len() * height as usize * width as usize * 3),
            labels: Vec::new(),
            failures: Vec::new(),
            notes: Vec::new(),
        };
        for &row in rows {
            // A panic on a malformed image must only cost this image, not its batch or the run.
            let image = panics::catch(|| self.image(row, augment_epoch)).unwrap_or_else(|what| {
                let path = self.rows.get(row).map(|row| row.image.display().to_string());
                Err(format!("{} made the program fail ({what})", path.unwrap_or_default()))
            });
            match image {
                Err(message) => batch.failures.push((row, message)),
                Ok((image, note)) => {
                    batch.pixels.extend_from_slice(&image);
                    batch.notes.extend(note.map(|note| (row, note)));
                    batch.rows.push(row);
                }
            }
        }
        batch.labels = self.labels(&batch.rows);
        batch
    }

    /// The image of a row as the network gets it, with a note about how it was read.
    fn image(&self, row: usize, augment_epoch: Option<usize>) -> Result<(Arc<Rgb>, Option<String>), String> {
        let (image, note) =
            self.cache.get_or_decode(row, &self.rows[row].image).map_err(|error| error.to_string())?;
        let image = match augment_epoch {
            None => image,
            Some(epoch) => {
                let seed = mix(self.seed, epoch as u64, self.drawn(row));
                Arc::new(augment(&image, &self.augmentation, seed))
            }
        };
        Ok((image, note))
    }

    fn drawn(&self, row: usize) -> u64 {
        match self.drawn {
            Drawn::ByRow => row as u64,
            Drawn::ByPath => {
                let digest = Sha256::digest(self.rows[row].image.as_os_str().as_encoded_bytes());
                digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
            }
        }
    }

    /// The labels `[tasks, N]` of rows.
    fn labels(&self, rows: &[usize]) -> Vec<i64> {
        let label = |row: usize, task: usize| self.rows[row].labels[task].class().map_or(NO_LABEL, i64::from);
        (0..self.tasks).flat_map(|task| rows.iter().map(move |&row| label(row, task))).collect()
    }

    /// A batch without pixels, for rows with stored features.
    pub fn labelled(&self, rows: Vec<usize>) -> Batch {
        Batch {
            labels: self.labels(&rows),
            rows,
            pixels: Vec::new(),
            failures: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// Mixes three numbers into one (`splitmix64`, Steele et al. 2014).
pub fn mix(seed: u64, epoch: u64, row: u64) -> u64 {
    let mut x = 0_u64;
    for part in [seed, epoch, row] {
        x = (x ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
    }
    x
}
