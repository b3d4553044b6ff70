//! Parses the text of a path cell, without disk access.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

/// The path in a cell, relative to a folder; empty for an empty cell.
pub(super) fn under(root: &Path, cell: &str) -> PathBuf {
    if cell.is_empty() { PathBuf::new() } else { root.join(&*plain(cell)) }
}

/// The path in a cell: of a `file:` URL, or with `/` instead of backslashes.
pub(super) fn plain(cell: &str) -> Cow<'_, str> {
    let path = file_address(cell).map_or(Cow::Borrowed(cell), Cow::Owned);
    if cfg!(not(windows)) && path.contains('\\') {
        // Except on Windows, backslashes in file names practically never occur.
        return Cow::Owned(path.replace('\\', "/"));
    }
    path
}

/// The path of `file:///a/b`, `file://localhost/a/b`, `file:/a/b` or `file:b`.
fn file_address(cell: &str) -> Option<String> {
    if !cell.starts_with(['f', 'F']) {
        return None;
    }
    let scheme = cell.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("file:"))?;
    let rest = &cell[scheme.len()..];
    let path = match rest.strip_prefix("//") {
        Some(rest) => {
            let (host, path) = rest.split_at(rest.find('/')?);
            (host.is_empty() || host.eq_ignore_ascii_case("localhost")).then_some(path)?
        }
        None => rest,
    };
    let path = percent_decode_str(path).decode_utf8().ok()?;
    let drive = path.strip_prefix('/').filter(|path| cfg!(windows) && has_drive(path));
    Some(drive.map_or_else(|| path.to_string(), str::to_owned))
}

/// A percent-decoded component of a path; `None` if that changes nothing.
pub(super) fn decoded(part: &str) -> Option<String> {
    if !part.contains('%') {
        return None;
    }
    let text = percent_decode_str(part).decode_utf8().ok()?;
    (text != part && !text.contains(['/', '\0'])).then(|| text.into_owned())
}

/// Whether a cell holds a URL of something that is not on this computer.
pub(super) fn is_address(cell: &str) -> bool {
    let scheme = cell.split_once("://").map(|(scheme, _)| scheme);
    file_address(cell).is_none()
        && scheme.is_some_and(|scheme| {
            scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        })
}

/// Whether a cell holds an absolute Windows path, such as `C:\photos\1.jpg` or `\\server\photos\1.jpg`.
pub(super) fn is_of_windows(cell: &str) -> bool {
    let plain = plain(cell);
    has_drive(plain.strip_prefix('/').unwrap_or(&plain)) || cell.starts_with(r"\\")
}

fn has_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic())
}
