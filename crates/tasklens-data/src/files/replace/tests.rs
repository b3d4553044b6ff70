use super::super::fault::{DiskFault, inject, meanwhile};
use super::*;

const EIO: i32 = 5;
const EINVAL: i32 = 22;
const ENOSPC: i32 = 28;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn what_must_be_new_never_takes_the_place_of_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("labels.csv");
    create(&path, b"first").unwrap();
    assert_eq!(create(&path, b"second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), b"first");
    assert_eq!(names(dir.path()), ["labels.csv"]);
}

#[test]
fn a_failed_write_leaves_the_old_file_and_no_litter() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("labels.csv");
    replace(&path, b"old").unwrap();
    let failed = replace_with(&path, |file| {
        file.write_all(b"half of the new")?;
        Err(io::Error::other("disk full"))
    });
    assert!(failed.is_err());
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(dir.path()), ["labels.csv"]);
}

#[test]
fn a_fault_at_any_call_leaves_the_old_file_or_the_new_one_and_the_answer_says_which() {
    let faults = [EIO, ENOSPC, EINVAL]
        .map(|code| [DiskFault::Once(code), DiskFault::FromHere(code), DiskFault::Short(code)]);
    for fault in faults.into_iter().flatten().chain([DiskFault::Killed, DiskFault::KilledHalfway]) {
        for at in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("labels.csv");
            fs::write(&path, "the old text").unwrap();
            let read = Stamped::read(&path).unwrap();
            let (replaced, calls) = inject(at, fault, || replace_read(&path, &read, b"the new text"));
            let text = fs::read_to_string(&path).unwrap();
            match replaced {
                Ok(replaced) => {
                    assert_eq!(text, "the new text", "{fault:?} at {at}");
                    let is_confirmed = replaced.unwrap().unconfirmed.is_none();
                    let is_hurt = calls.get(at as usize) == Some(&Call::SyncFolder)
                        && !matches!(
                            fault,
                            DiskFault::Once(EINVAL) | DiskFault::FromHere(EINVAL) | DiskFault::Short(_)
                        );
                    assert_eq!(is_confirmed, !is_hurt, "{fault:?} at {at}");
                }
                Err(_) => assert_eq!(text, "the old text", "{fault:?} at {at}"),
            }
            let is_killed = matches!(fault, DiskFault::Killed | DiskFault::KilledHalfway);
            if !is_killed {
                let is_removed = calls.get(at as usize) != Some(&Call::Remove);
                assert!(!is_removed || names(dir.path()) == ["labels.csv"], "litter of {fault:?} at {at}");
            }
            if calls.len() as u64 <= at {
                break;
            }
        }
    }
}

#[test]
fn a_folder_that_cannot_be_synced_refuses_nothing_and_a_broken_disk_is_not_called_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("labels.csv");
    let calls = inject(99, DiskFault::Killed, || replace(&path, b"old")).1;
    let at = calls.iter().position(|call| *call == Call::SyncFolder).unwrap() as u64;
    inject(at, DiskFault::Once(EINVAL), || replace(&path, b"new")).0.unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    let error = inject(at, DiskFault::Once(EIO), || replace(&path, b"newer")).0.unwrap_err().to_string();
    assert!(error.starts_with("the new file is in place, but the disk did not confirm it"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"newer");
}

#[test]
fn what_another_program_writes_while_we_wait_for_the_disk_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("labels.csv");
    fs::write(&path, "old").unwrap();
    let read = Stamped::read(&path).unwrap();
    let theirs = path.clone();
    let act = move || fs::write(&theirs, "theirs").unwrap();
    let replaced = meanwhile(Call::Sync, act, || replace_read(&path, &read, b"ours"));
    assert!(replaced.unwrap().is_none());
    assert_eq!(fs::read(&path).unwrap(), b"theirs");
    assert_eq!(names(dir.path()), ["labels.csv"]);
}

#[test]
fn a_read_only_file_stays_though_its_folder_would_let_it_be_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("labels.csv");
    fs::write(&path, "old").unwrap();
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let error = replace(&path, b"new").unwrap_err().to_string();
    assert_eq!(error, "it is read-only; make it writable to change it");
    assert_eq!(fs::read(&path).unwrap(), b"old");
}

#[cfg(unix)]
#[test]
fn a_users_file_keeps_its_mode_owner_and_attributes() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("labels.csv");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    // Only the superuser can give a file away, and not every disk has attributes.
    let is_given = std::os::unix::fs::chown(&path, Some(12_345), Some(12_346)).is_ok();
    let has_attribute = xattr::set(&path, "user.note", b"the shop's").is_ok();
    let read = Stamped::read(&path).unwrap();
    let replaced = replace_read(&path, &read, b"new").unwrap().unwrap();
    assert_eq!(replaced.lost, Vec::<String>::new());
    let found = fs::metadata(&path).unwrap();
    assert_eq!(found.permissions().mode() & 0o7777, 0o640);
    assert!(!is_given || (found.uid(), found.gid()) == (12_345, 12_346));
    assert!(!has_attribute || xattr::get(&path, "user.note").unwrap().as_deref() == Some(b"the shop's"));
}

#[test]
fn what_cannot_be_made_is_told_without_the_name_of_the_temporary_file() {
    let folder = tempfile::tempdir().unwrap();
    let error = NamedTempFile::new_in(folder.path().join("gone")).unwrap_err();
    assert!(error.to_string().contains(" at path "), "{error}");
    let told = without_path(error);
    assert_eq!(
        (told.to_string().as_str(), told.kind()),
        ("No such file or directory (os error 2)", io::ErrorKind::NotFound)
    );
    assert_eq!(without_path(io::Error::other("else")).to_string(), "else");
}
