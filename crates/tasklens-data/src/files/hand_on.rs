//! What a file that is replaced hands on to the one that takes its place: owner, mode, ACLs and other
//! extended attributes; and what a user should know of it first.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// The mode of a file that replaces none.
#[cfg(unix)]
const MODE: u32 = 0o644;
#[cfg(unix)]
const ACL: &str = "system.posix_acl_access";

/// Gives a new file what the one at `old` has; a private temporary file becomes one like others where there is
/// none. Returns, in words, what could not be kept.
///
/// # Errors
/// The mode cannot be set.
#[cfg(unix)]
pub(super) fn hand_on(old: &Path, new: &File) -> io::Result<Vec<String>> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let mut lost = Vec::new();
    let Ok(found) = fs::metadata(old) else {
        new.set_permissions(fs::Permissions::from_mode(MODE))?;
        return Ok(lost);
    };
    let mut mode = found.permissions().mode() & 0o7777;
    let own = new.metadata()?;
    if (own.uid(), own.gid()) != (found.uid(), found.gid())
        && let Err(error) = std::os::unix::fs::fchown(new, Some(found.uid()), Some(found.gid()))
    {
        // The group alone may be ours to give.
        let group = std::os::unix::fs::fchown(new, None, Some(found.gid()));
        lost.push(format!("its owner (user {}, group {}): {error}", found.uid(), found.gid()));
        // Another user's programs must not run as this one, nor what was for a group be for another.
        mode &= if group.is_ok() { 0o777 } else { 0o707 };
    }
    if !hand_on_attributes(old, new, &mut lost) {
        // With an ACL these bits are only its upper bound.
        mode &= !0o070;
    }
    new.set_permissions(fs::Permissions::from_mode(mode))?;
    Ok(lost)
}

/// Whether an access list that was there is there.
#[cfg(unix)]
fn hand_on_attributes(old: &Path, new: &File, lost: &mut Vec<String>) -> bool {
    use xattr::FileExt as _;
    let mut has_list = true;
    // A disk without attributes has none to lose.
    let Ok(names) = xattr::list(old) else { return true };
    for name in names {
        let text = name.to_string_lossy();
        let Ok(Some(value)) = xattr::get(old, &name) else { continue };
        let Err(error) = new.set_xattr(&name, &value) else { continue };
        has_list &= text != ACL;
        // The system gives those of this kind itself.
        if !text.starts_with("security.") {
            lost.push(format!("its attribute {text}: {error}"));
        }
    }
    has_list
}

#[cfg(not(unix))]
pub(super) fn hand_on(_old: &Path, _new: &File) -> io::Result<Vec<String>> {
    Ok(Vec::new())
}

/// Whether a file may be replaced: one that is read-only, or that this user may not write, may not, though the
/// folder would let it.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`] with a reason; or it cannot be looked at.
pub fn check_writable(path: &Path) -> io::Result<()> {
    let denied =
        || io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only; make it writable to change it");
    let found = fs::metadata(path)?;
    if found.permissions().readonly() {
        return Err(denied());
    }
    if !found.is_file() {
        // To open a pipe would wait for its reader.
        return Ok(());
    }
    match File::options().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(denied()),
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    }
}

/// How many other names (hard links) the file has: they go on to name it as it was.
pub fn other_names(path: &Path) -> u64 {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        fs::metadata(path).map_or(0, |found| found.nlink().saturating_sub(1))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        0
    }
}
