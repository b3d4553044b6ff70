//! Removes outputs of earlier checkpoints of a run, and nothing else, whatever a run from elsewhere has in their
//! place.

use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

use super::{DIGITS_OF_STORE, ENDING, derived, is_shard, shard};
use crate::model::tensor_file;

/// Removes the other stores beside `store`.
pub(super) fn clear(store: &Path) {
    let Some(parent) = store.parent() else { return };
    for entry in fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path != store
            && is_store(&entry)
            && let Err(error) = remove(&path)
        {
            log::warn!("{} cannot be removed: {error}", path.display());
        }
    }
}

/// Whether an entry is a folder with the name of a store that contains only files of a store. An empty folder may be
/// a user's, and links are not followed.
fn is_store(entry: &DirEntry) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let name = entry.file_name();
    let name = name.as_encoded_bytes();
    if !entry.file_type().is_ok_and(|kind| kind.is_dir())
        || name.len() != DIGITS_OF_STORE
        || !name.iter().all(is_digit)
    {
        return false;
    }
    let files: io::Result<Vec<DirEntry>> = fs::read_dir(entry.path()).and_then(Iterator::collect);
    files.is_ok_and(|files| !files.is_empty() && files.iter().all(is_ours))
}

fn is_ours(file: &DirEntry) -> bool {
    let path = file.path();
    let is_derived = derived::NAMES.iter().any(|name| file.file_name() == *format!("{name}.{ENDING}"));
    if !file.file_type().is_ok_and(|kind| kind.is_file()) || !(is_shard(&path) || is_derived) {
        return false;
    }
    tensor_file::header(&path).is_ok_and(|header| {
        let has_digest =
            header.metadata().as_ref().is_some_and(|strings| strings.contains_key(derived::DIGEST));
        if is_derived { has_digest } else { shard::is_of_shard(&header) }
    })
}

/// Removes the files one by one, then the folder if it is empty.
fn remove(folder: &Path) -> io::Result<()> {
    for file in fs::read_dir(folder)? {
        let file = file?;
        if is_ours(&file) {
            fs::remove_file(file.path())?;
        }
    }
    fs::remove_dir(folder)
}
