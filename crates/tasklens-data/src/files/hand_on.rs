//! Carries owner, mode, ACLs and other extended attributes over from a replaced file to the new one, and checks
//! whether it may be replaced.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// The mode of a new file.
#[cfg(unix)]
const MODE: u32 = 0o644;
#[cfg(unix)]
const ACL: &str = "system.posix_acl_access";

/// Copies the metadata of the file at `old` to a new file; if there is no such file, the private temporary file gets
/// the default mode. Returns what could not be kept, for the user.
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
        // We may be allowed to set only the group.
        let group = std::os::unix::fs::fchown(new, None, Some(found.gid()));
        lost.push(format!("its owner (user {}, group {}): {error}", found.uid(), found.gid()));
        // Drop setuid and setgid if the owner differs, and group permissions if the group does.
        mode &= if group.is_ok() { 0o777 } else { 0o707 };
    }
    if !hand_on_attributes(old, new, &mut lost) {
        // With an ACL these bits are only its mask.
        mode &= !0o070;
    }
    new.set_permissions(fs::Permissions::from_mode(mode))?;
    Ok(lost)
}

/// Whether an existing ACL was kept.
#[cfg(unix)]
fn hand_on_attributes(old: &Path, new: &File, lost: &mut Vec<String>) -> bool {
    use xattr::FileExt as _;
    let mut has_list = true;
    // A file system without attributes has none to lose.
    let Ok(names) = xattr::list(old) else { return true };
    for name in names {
        let text = name.to_string_lossy();
        let Ok(Some(value)) = xattr::get(old, &name) else { continue };
        let Err(error) = new.set_xattr(&name, &value) else { continue };
        has_list &= text != ACL;
        // The system sets attributes of this kind itself.
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

/// Checks whether a file may be replaced: a read-only file, or one that this user may not write, must not be, even if
/// the folder would allow it.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`] with a reason; or its metadata cannot be read.
pub fn check_writable(path: &Path) -> io::Result<()> {
    let denied =
        || io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only; make it writable to change it");
    let found = fs::metadata(path)?;
    if found.permissions().readonly() {
        return Err(denied());
    }
    if !found.is_file() {
        // Opening a pipe would block until it has a reader.
        return Ok(());
    }
    match File::options().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(denied()),
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    }
}

/// Number of other hard links to the file, which will keep the old content.
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
