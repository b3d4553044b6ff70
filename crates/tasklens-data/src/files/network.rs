//! Detects network file systems, on which a lock may hold for this computer only.

use std::path::Path;

/// The kind of network file system that a folder is on, if known.
#[cfg(target_os = "linux")]
pub fn network_disk(folder: &Path) -> Option<&'static str> {
    let found = rustix::fs::statfs(folder).ok()?;
    // On some architectures the field is signed, and some of the numbers are negative.
    kind_of(u32::try_from(found.f_type & 0xffff_ffff).ok()?)
}

/// The kind of network file system that a folder is on; not known on this system.
#[cfg(not(target_os = "linux"))]
pub fn network_disk(_folder: &Path) -> Option<&'static str> {
    None
}

/// Maps the magic numbers of `statfs(2)`.
#[cfg(any(target_os = "linux", test))]
fn kind_of(number: u32) -> Option<&'static str> {
    match number {
        0x6969 => Some("NFS"),
        0x517b | 0xfe53_4d42 | 0xff53_4d42 => Some("a Windows share"),
        0x0102_1997 => Some("9P"),
        0x5346_414f | 0x6b41_4653 => Some("AFS"),
        0x00c3_6400 => Some("Ceph"),
        0x0bd0_0bd0 => Some("Lustre"),
        0x4750_4653 => Some("GPFS"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_disks_are_told_from_those_of_this_machine() {
        assert_eq!([0x6969, 0xff53_4d42].map(kind_of), [Some("NFS"), Some("a Windows share")]);
        // ext4, XFS, Btrfs, tmpfs.
        assert_eq!([0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994].map(kind_of), [None; 4]);
        assert_eq!(network_disk(&std::env::temp_dir()), None);
    }
}
