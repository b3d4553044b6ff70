//! Cleans the stores: removes features that are no longer used, and nothing else.
//!
//! After a pass that has computed features:
//! - files of any backbone that were not read for [`UNUSED`] are removed;
//! - of augmented views, those of the last [`SETTINGS`] settings are kept;
//! - a file of which less than half still matches the images on disk is rewritten. A missing image counts as
//!   unchanged: its disk may not be mounted. Small files are merged once there are many;
//! - files of the previous layout are removed.
//!
//! On Unix, a removed file stays readable for a process that has mapped it; elsewhere it cannot be removed, and is
//! next time.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tasklens_data::files;

use super::backbone::DIGITS;
use super::identity::{View, stamp};
use super::shard::{self, FeatureBuffer, FeatureShard};
use super::{DAMAGED, ENDING, FeatureStore, Identity, SHARD_IMAGES, is_shard, shards_in};
use crate::model::tensor_file;

/// Files that were not read for this long are removed.
pub const UNUSED: Duration = Duration::from_hours(30 * 24);
/// Number of augmentation settings whose views are kept.
pub const SETTINGS: usize = 2;
/// Files with fewer images count as small.
const SMALL: usize = SHARD_IMAGES / 8;
/// Number of small files of one view that are merged.
const MANY: usize = 16;
/// Number of hexadecimal digits in file names of the previous layout.
const DIGITS_OF_FORMER: usize = 32;

/// How much a clean-up has freed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    /// Number of files that were removed.
    pub files: usize,
    /// Total size in bytes.
    pub bytes: u64,
}

impl Freed {
    /// Removes a file; failure is only logged.
    fn remove(&mut self, file: &Path) {
        let bytes = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
        match files::disk::remove(file) {
            Ok(()) => {
                self.files += 1;
                self.bytes += bytes;
            }
            Err(error) => log::warn!("{} cannot be removed: {error}", file.display()),
        }
    }

    fn log(self, store: &FeatureStore) {
        if self.files > 0 {
            let (files, megabytes) = (self.files, self.bytes as f64 / 1e6);
            let beside = store.folder().display();
            log::info!("removed {files} unused files of features, {megabytes:.1} MB, in or beside {beside}");
        }
    }
}

/// Cleans the folder of stores that a store is in. Blocks: it checks every image of the store.
pub(crate) fn clean(store: &FeatureStore) -> Freed {
    let mut freed = unused(store);
    if is_own(store) {
        other_settings(store, &mut freed);
        if let Err(error) = outdated(store, &mut freed) {
            log::warn!("{} is not tidied: {error:#}", store.folder().display());
        }
    }
    freed.log(store);
    freed
}

/// Removes only files that were not read for long, and the previous layout. Quick.
pub(crate) fn clean_unused(store: &FeatureStore) {
    unused(store).log(store);
}

/// The target of a link is not ours.
fn is_own(store: &FeatureStore) -> bool {
    let is_own = |folder: &Path| !folder.is_symlink();
    is_own(store.folder()) && store.folder().parent().is_some_and(is_own)
}

fn unused(store: &FeatureStore) -> Freed {
    let mut freed = Freed::default();
    if let Some(root) = store.folder().parent().filter(|_| is_own(store)) {
        files::remove_leftovers(store.folder());
        former(root, &mut freed);
        for folder in stores_in(root) {
            unread(&folder, &mut freed);
        }
    }
    freed
}

/// Folders with the name of a store.
fn stores_in(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).into_iter().flatten().filter_map(Result::ok);
    let folders = entries.filter(|entry| {
        entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_hexadecimal(&entry.file_name(), DIGITS)
    });
    folders.map(|entry| entry.path()).collect()
}

fn is_hexadecimal(name: &std::ffi::OsStr, digits: usize) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    name.len() == digits && name.as_encoded_bytes().iter().all(is_digit)
}

/// One view per row of a list.
fn former(root: &Path, freed: &mut Freed) {
    let entries = std::fs::read_dir(root).into_iter().flatten().filter_map(Result::ok);
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())) {
        let file = entry.path();
        let is_named = file.extension().is_some_and(|ending| ending == ENDING)
            && file.file_stem().is_some_and(|stem| is_hexadecimal(stem, DIGITS_OF_FORMER));
        let is_former = || {
            tensor_file::header(&file).is_ok_and(|header| {
                let tensors = header.tensors();
                let has_views = tensors.get("features").is_some_and(|info| info.shape.len() == 3);
                has_views && tensors.len() == 1
            })
        };
        if is_named && is_former() {
            freed.remove(&file);
        }
    }
}

/// Removes files that were not read for long, and their folder if it is then empty.
fn unread(folder: &Path, freed: &mut Freed) {
    let before = freed.files;
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())) {
        let file = entry.path();
        let is_aside =
            file.extension().is_some_and(|ending| ending == DAMAGED) && is_shard(&file.with_extension(""));
        let is_ours = || if is_aside { shard::was_ours(&file) } else { is_shard(&file) && is_ours(&file) };
        if is_old(&file) && is_ours() {
            freed.remove(&file);
        }
    }
    if freed.files > before {
        // It stays if there is anything else in it.
        let _ = std::fs::remove_dir(folder);
    }
}

fn is_ours(file: &Path) -> bool {
    tensor_file::header(file).is_ok_and(|header| shard::is_ours(&header))
}

fn is_old(file: &Path) -> bool {
    let age = used(file).and_then(|used| used.elapsed().ok());
    age.is_some_and(|age| age > UNUSED)
}

/// Time of last use.
fn used(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).ok()?.modified().ok()
}

/// Removes augmented views of settings that were not used recently.
fn other_settings(store: &FeatureStore, freed: &mut Freed) {
    let mut settings: HashMap<String, (Option<SystemTime>, Vec<PathBuf>)> = HashMap::new();
    for shard in store.read().shards {
        if let View::Augmented { setting, .. } = shard.view {
            let (latest, files) = settings.entry(setting).or_default();
            *latest = (*latest).max(used(&shard.file));
            files.push(shard.file);
        }
    }
    let mut settings: Vec<_> = settings.into_values().collect();
    settings.sort_by_key(|(latest, _)| std::cmp::Reverse(*latest));
    for file in settings.into_iter().skip(SETTINGS).flat_map(|(_, files)| files) {
        freed.remove(&file);
    }
}

/// Rewrites files most of whose images have changed or are also in a later file, and merges small ones once there are
/// many.
fn outdated(store: &FeatureStore, freed: &mut Freed) -> anyhow::Result<()> {
    // Check each image file only once for all its views.
    let mut is_current: HashMap<Identity, bool> = HashMap::new();
    let mut views: HashMap<View, Sorted> = HashMap::new();
    for file in shards_in(store.folder()).into_iter().rev() {
        let Ok(shard) = FeatureShard::open(&file, store.dimensions) else { continue };
        let sorted = views.entry(shard.view.clone()).or_default();
        let images = shard.images()?;
        let mut kept = Vec::new();
        for (row, (identity, (path, known))) in shard.identities().zip(&images).enumerate() {
            let is_current = *is_current.entry(identity).or_insert_with(|| {
                let now = stamp(path);
                now == *known || now == [0; 2]
            });
            if sorted.seen.insert(identity) && is_current {
                kept.push(row);
            }
        }
        if 2 * kept.len() < shard.count {
            sorted.sparse.push((shard, kept));
        } else if shard.count < SMALL {
            sorted.small.push((shard, kept));
        }
    }
    for (view, Sorted { sparse, small, .. }) in views {
        rewrite(store, &view, sparse, freed)?;
        if small.len() >= MANY {
            rewrite(store, &view, small, freed)?;
        }
    }
    Ok(())
}

/// The files of one view, latest first, with the rows worth keeping.
#[derive(Default)]
struct Sorted {
    seen: HashSet<Identity>,
    sparse: Vec<(FeatureShard, Vec<usize>)>,
    small: Vec<(FeatureShard, Vec<usize>)>,
}

/// Moves the kept rows of files to new ones, and removes the files.
fn rewrite(
    store: &FeatureStore,
    view: &View,
    shards: Vec<(FeatureShard, Vec<usize>)>,
    freed: &mut Freed,
) -> anyhow::Result<()> {
    let mut whole = FeatureBuffer::default();
    let mut written = Vec::new();
    for (shard, kept) in shards {
        whole.extend(shard.part(&kept)?);
        written.push(shard.file);
        if whole.images.len() >= SHARD_IMAGES {
            store.keep(view, &std::mem::take(&mut whole))?;
            written.drain(..).for_each(|file| freed.remove(&file));
        }
    }
    if !whole.images.is_empty() {
        store.keep(view, &whole)?;
    }
    written.iter().for_each(|file| freed.remove(file));
    Ok(())
}
