//! Atomic replacement, locking and identification of files.
//!
//! User files are only ever replaced atomically: write a new file, fsync, rename. Every call that changes the disk
//! here, and in the store of label edits, goes through [`disk`], so that tests can make it fail.

mod detours;
pub mod disk;
#[doc(hidden)]
pub mod fault;
mod growing_table;
mod hand_on;
mod identity;
mod leftovers;
mod locked;
pub mod names;
mod network;
mod output;
pub mod regular;
mod replace;

use std::io;
use std::path::Path;

use memmap2::Mmap;

pub use detours::without_detours;
pub use growing_table::GrowingTable;
pub use hand_on::{check_writable, other_names};
pub use identity::{FileId, Stamp, Stamped, digest, has_name, is_one_file};
pub use leftovers::remove_leftovers;
pub use locked::Locked;
pub use network::network_disk;
pub use output::Output;
pub use replace::{Replaced, Sink, create, create_like, replace, replace_open, replace_read, replace_with};

/// Memory-maps a file. Only for files that are replaced by [`replace`] and never changed in place.
///
/// # Errors
/// It cannot be opened or mapped.
#[expect(unsafe_code, reason = "mapping a file cannot be checked by the compiler")]
pub fn map(path: &Path) -> io::Result<Mmap> {
    let file = regular::open(path)?;
    // SAFETY: a replaced file is a new one, and the map keeps the old one alive; nobody truncates or
    // writes the file that is mapped, as the caller promises by using this for such files alone.
    unsafe { Mmap::map(&file) }
}
