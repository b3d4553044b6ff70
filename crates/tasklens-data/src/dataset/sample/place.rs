//! Decides where the sample's files may be written: pictures of a sample are recognised by a comment in the JPEG, and
//! only they may be replaced.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use crate::images::comment::{self, BEGINNING};

/// In the JPEG of every picture, near its beginning.
const COMMENT: &[u8] = b"Drawn by Tasklens";

/// Checks that no user file is in the way of a sample in `folder`; `is_sample` says whether the config of a sample is
/// there.
///
/// # Errors
/// A file is in the way; the message names it.
pub(super) fn check(table: &Path, pictures: &Path, is_sample: bool) -> anyhow::Result<()> {
    ensure!(!pictures.is_symlink(), "{} is a symbolic link: choose another folder", pictures.display());
    let is_there = fs::symlink_metadata(table).is_ok();
    ensure!(is_sample || !is_there, "{} does not belong to a sample: choose another folder", table.display());
    Ok(())
}

/// The JPEG with the comment inserted.
pub(super) fn commented(jpeg: &[u8]) -> Vec<u8> {
    comment::commented(jpeg, COMMENT)
}

/// Writes a picture. `is_sample` says that the folder belongs to a sample, whose pictures may predate the comment.
///
/// # Errors
/// Another file is in its place, or it cannot be written.
pub(super) fn put(path: &Path, jpeg: &[u8], is_sample: bool) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let new = match File::create_new(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if !is_picture(path, is_sample).with_context(cannot)? {
                bail!("{} is not a picture of a sample: choose another folder", path.display());
            }
            fs::remove_file(path).and_then(|()| File::create_new(path))
        }
        new => new,
    };
    new.and_then(|mut file| file.write_all(jpeg)).with_context(cannot)
}

fn is_picture(path: &Path, is_sample: bool) -> io::Result<bool> {
    // A link may lead to a user's file.
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(false);
    }
    let mut beginning = Vec::new();
    File::open(path)?.take(BEGINNING).read_to_end(&mut beginning)?;
    let is_commented = beginning.windows(COMMENT.len()).any(|bytes| bytes == COMMENT);
    Ok(is_sample || beginning.is_empty() || is_commented)
}
