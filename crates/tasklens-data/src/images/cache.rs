//! Cache of scaled images, so that epochs after the first need not decode.

mod spill;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::decode::ImageError;
use super::{Rgb, input};

pub use spill::Spill;

/// Number of locks, each for a part of the images, so that workers rarely wait for one another.
const SHARDS: usize = 16;

/// Images by index, scaled to one size, up to a number of bytes in memory, and in a file beyond. Nothing is evicted: an
/// epoch visits every image once, so eviction would only move the misses.
#[derive(Debug)]
pub struct ImageCache {
    height: u32,
    width: u32,
    capacity_bytes: usize,
    used_bytes: AtomicUsize,
    shards: [RwLock<HashMap<usize, Kept>>; SHARDS],
    spill: Option<Spill>,
}

/// Where an image is.
#[derive(Clone, Debug)]
enum Kept {
    InMemory(Arc<Rgb>),
    /// Its place in the file.
    OnDisk(u64),
}

impl ImageCache {
    /// An empty cache for images of `height` x `width` pixels that keeps at most `capacity_bytes` of
    /// pixels; 0 keeps none.
    pub fn new(height: u32, width: u32, capacity_bytes: usize) -> Self {
        Self {
            height,
            width,
            capacity_bytes,
            used_bytes: AtomicUsize::new(0),
            shards: Default::default(),
            spill: None,
        }
    }

    /// The same, with a file for the images that memory has no room for.
    pub fn with(self, spill: Option<Spill>) -> Self {
        Self { spill, ..self }
    }

    /// Height and width of the images, in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.height, self.width)
    }

    /// The image of row `index`: from the cache, else decoded from `path`, scaled, and cached if there is room. Can be
    /// called from any number of threads. `index` alone identifies the image. If it was just decoded, its note is
    /// returned, too: see [`Decoded::note`](super::decode::Decoded::note).
    ///
    /// # Errors
    /// See [`ImageError`]; failures are not cached.
    pub fn get_or_decode(&self, index: usize, path: &Path) -> Result<(Arc<Rgb>, Option<String>), ImageError> {
        let shard = &self.shards[index % SHARDS];
        let kept = shard.read().unwrap_or_else(PoisonError::into_inner).get(&index).cloned();
        match kept {
            Some(Kept::InMemory(image)) => return Ok((image, None)),
            Some(Kept::OnDisk(place)) => {
                if let Some(image) = self.read_back(place) {
                    return Ok((Arc::new(image), None));
                }
            }
            None => {}
        }
        let input::Input { pixels, note } = input::of_file(path, self.size())?;
        let image = Arc::new(pixels);
        self.keep(index, &image);
        Ok((image, note))
    }

    fn read_back(&self, place: u64) -> Option<Rgb> {
        match self.spill.as_ref()?.read(place) {
            Ok(pixels) => Rgb::from_raw(self.width, self.height, pixels),
            Err(error) => {
                log::warn!("a decoded image cannot be read back, and is decoded again: {error}");
                None
            }
        }
    }

    fn keep(&self, index: usize, image: &Arc<Rgb>) {
        let bytes = image.as_raw().len();
        let in_memory = self.reserve(bytes);
        let kept = if in_memory {
            Kept::InMemory(Arc::clone(image))
        } else {
            let Some(place) = self.spill.as_ref().and_then(|spill| spill.keep(image.as_raw())) else {
                return;
            };
            Kept::OnDisk(place)
        };
        let mut shard = self.shards[index % SHARDS].write().unwrap_or_else(PoisonError::into_inner);
        let before = shard.insert(index, kept);
        if in_memory && matches!(before, Some(Kept::InMemory(_))) {
            // Another thread has decoded and accounted for it meanwhile.
            self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    /// Bytes of pixels in the cache.
    #[cfg(test)]
    fn used_bytes(&self) -> usize {
        self.used_bytes.load(Ordering::Relaxed)
    }

    /// Reserves `bytes`; returns whether there is room.
    fn reserve(&self, bytes: usize) -> bool {
        self.used_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|total| *total <= self.capacity_bytes)
            })
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb as Pixel;

    fn folder_of(images: usize) -> (tempfile::TempDir, Vec<std::path::PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        let paths = (0..images)
            .map(|i| {
                let path = folder.path().join(format!("{i}.png"));
                Rgb::from_pixel(9, 7, Pixel([i as u8; 3])).save(&path).unwrap();
                path
            })
            .collect();
        (folder, paths)
    }

    #[test]
    fn a_kept_image_outlives_its_file_and_the_budget_holds() {
        let (folder, paths) = folder_of(3);
        let one = 8 * 4 * 3;
        let cache = ImageCache::new(8, 4, 2 * one);
        for (index, path) in paths.iter().enumerate() {
            let (image, _) = cache.get_or_decode(index, path).unwrap();
            assert_eq!(image.dimensions(), (4, 8));
            assert_eq!(image.get_pixel(0, 0), &Pixel([index as u8; 3]));
        }
        assert_eq!(cache.used_bytes(), 2 * one);
        drop(folder);
        assert_eq!(cache.get_or_decode(1, &paths[1]).unwrap().0.get_pixel(3, 7), &Pixel([1; 3]));
        assert!(matches!(cache.get_or_decode(2, &paths[2]), Err(ImageError::Missing { .. })));
    }

    #[test]
    fn beyond_memory_images_outlive_their_files_on_the_disk() {
        let (folder, paths) = folder_of(4);
        let disk = tempfile::tempdir().unwrap();
        let one = 8 * 4 * 3;
        let spill = Spill::new(disk.path().to_path_buf(), one, 2 * one as u64);
        let cache = ImageCache::new(8, 4, one).with(Some(spill));
        let first = |index: usize| cache.get_or_decode(index, &paths[index]).map(|(image, _)| image[(3, 7)]);
        for index in 0..4 {
            assert_eq!(first(index).unwrap(), Pixel([index as u8; 3]));
        }
        drop(folder);
        for index in [2, 0, 1] {
            assert_eq!(first(index).unwrap(), Pixel([index as u8; 3]));
        }
        assert!(matches!(first(3), Err(ImageError::Missing { .. })), "there was room for three");
    }

    #[test]
    fn many_threads_pay_once_for_one_image() {
        let (_folder, paths) = folder_of(4);
        let cache = ImageCache::new(16, 16, usize::MAX);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..50 {
                        let index = round % paths.len();
                        let (image, _) = cache.get_or_decode(index, &paths[index]).unwrap();
                        assert_eq!(image.get_pixel(5, 5), &Pixel([index as u8; 3]));
                    }
                });
            }
        });
        assert_eq!(cache.used_bytes(), 4 * 16 * 16 * 3);
    }
}
