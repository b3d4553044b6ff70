//! Scaled images in a file, for those that memory has no room for: reading one back takes a fraction of decoding it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::files::{disk, network_disk};

/// A part of the free disk space that the file may take: a fourth.
const SHARE: u64 = 4;

/// A file for images of one size, made when the first is to be kept. It has no name in its folder: the system
/// removes it with the process, however that ends.
#[derive(Debug)]
pub struct Spill {
    folder: PathBuf,
    bytes_each: usize,
    capacity_bytes: u64,
    file: OnceLock<Option<File>>,
    /// Bytes that were given away.
    used: AtomicU64,
    /// A write has failed: the disk is full, most likely.
    is_full: AtomicBool,
}

impl Spill {
    /// A file in `folder` for images of `bytes_each`, together at most `capacity_bytes`.
    pub fn new(folder: PathBuf, bytes_each: usize, capacity_bytes: u64) -> Self {
        let file = OnceLock::new();
        Self {
            folder,
            bytes_each,
            capacity_bytes,
            file,
            used: AtomicU64::new(0),
            is_full: AtomicBool::new(false),
        }
    }

    /// A file in `folder` of a quarter of the space that is free there, or its part of that where several processes
    /// (`sharers`, this one among them) have one each. `None` where images would go over a network, or nobody knows
    /// how much is free.
    pub fn of_free_space(folder: &Path, bytes_each: usize, sharers: usize) -> Option<Self> {
        disk::create_folders(folder).ok()?;
        if network_disk(folder).is_some() {
            return None;
        }
        let capacity_bytes = disk::free_bytes(folder)? / SHARE / sharers.max(1) as u64;
        Some(Self::new(folder.to_path_buf(), bytes_each, capacity_bytes))
    }

    /// Keeps an image and returns its place; `None` where there is no room for it.
    pub(super) fn keep(&self, image: &[u8]) -> Option<u64> {
        if image.len() != self.bytes_each || self.is_full.load(Ordering::Relaxed) {
            return None;
        }
        let bytes = image.len() as u64;
        let more = |used: u64| used.checked_add(bytes).filter(|total| *total <= self.capacity_bytes);
        let place = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        let file = self.file.get_or_init(|| self.make()).as_ref()?;
        if let Err(error) = write_at(file, image, place) {
            // Training decodes the rest in each epoch, as it would without the file.
            self.is_full.store(true, Ordering::Relaxed);
            log::warn!("decoded images are no longer kept in {}: {error}", self.folder.display());
            return None;
        }
        Some(place)
    }

    fn make(&self) -> Option<File> {
        let made = tempfile::tempfile_in(&self.folder);
        if let Err(error) = &made {
            log::warn!("decoded images are not kept in {}: {error}", self.folder.display());
        }
        made.ok()
    }

    /// The image that was kept at `place`.
    ///
    /// # Errors
    /// The disk fails.
    pub(super) fn read(&self, place: u64) -> io::Result<Vec<u8>> {
        let file = self.file.get().and_then(Option::as_ref);
        let file = file.ok_or_else(|| io::Error::other("nothing was kept"))?;
        let mut image = vec![0; self.bytes_each];
        read_at(file, &mut image, place)?;
        Ok(image)
    }
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], place: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, place)
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], place: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, place)
}

/// Elsewhere nothing is kept: there is no call that reads whole at a place.
#[cfg(not(unix))]
fn write_at(_: &File, _: &[u8], _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
fn read_at(_: &File, _: &mut [u8], _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_come_back_and_the_capacity_holds() {
        let folder = tempfile::tempdir().unwrap();
        let spill = Spill::new(folder.path().to_path_buf(), 4, 9);
        let (a, b) = (spill.keep(&[1, 2, 3, 4]).unwrap(), spill.keep(&[5, 6, 7, 8]).unwrap());
        assert_eq!(spill.keep(&[9; 4]), None);
        assert_eq!([spill.read(b).unwrap(), spill.read(a).unwrap()], [[5, 6, 7, 8], [1, 2, 3, 4]]);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "it has no name");
    }

    #[test]
    fn an_image_of_another_size_and_a_folder_that_is_not_there_are_no_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Spill::new(folder.path().to_path_buf(), 4, 100).keep(&[1; 5]), None);
        assert_eq!(Spill::new(folder.path().join("gone"), 4, 100).keep(&[1; 4]), None);
    }

    #[test]
    fn it_takes_a_part_of_the_free_space() {
        let folder = tempfile::tempdir().unwrap();
        let free = disk::free_bytes(folder.path()).unwrap();
        let capacity =
            |sharers| Spill::of_free_space(&folder.path().join("new"), 4, sharers).unwrap().capacity_bytes;
        let (alone, one_of_three) = (capacity(1), capacity(3));
        assert!((free / 5..=free / 3).contains(&alone), "{alone} of {free}");
        assert!((free / 15..=free / 9).contains(&one_of_three), "{one_of_three} of {free}");
    }
}
