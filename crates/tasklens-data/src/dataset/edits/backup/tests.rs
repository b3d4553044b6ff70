use std::time::Duration;

use super::*;
use crate::files::fault::{Call, DiskFault, inject};

const EIO: i32 = 5;

struct Shop(tempfile::TempDir);

impl Shop {
    fn new() -> Self {
        let shop = Self(tempfile::tempdir().unwrap());
        fs::write(shop.csv(), "old").unwrap();
        shop
    }

    fn csv(&self) -> PathBuf {
        self.0.path().join("garments.csv")
    }

    fn replace(&self, new: &str) -> anyhow::Result<Option<BackedUp>> {
        replace(&self.csv(), &self.csv(), &Stamped::read(&self.csv()).unwrap(), new.as_bytes())
    }

    fn copies(&self) -> usize {
        fs::read_dir(folder_of(&self.csv()).join(FOLDER)).map_or(0, Iterator::count)
    }
}

#[test]
fn the_copy_just_made_stays_also_where_the_clock_ran_fast_before() {
    let shop = Shop::new();
    let folder = folder_of(&shop.csv()).join(FOLDER);
    fs::create_dir_all(&folder).unwrap();
    for minute in 10..40 {
        let path = folder.join(format!("garments 2099-11-20 14-{minute}-11.csv"));
        fs::write(&path, "from the future").unwrap();
        let time = SystemTime::now() + Duration::from_secs(3600 * minute);
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    }
    for text in ["1", "2", "3"] {
        let before = fs::read_to_string(shop.csv()).unwrap();
        let kept = shop.replace(text).unwrap().unwrap();
        assert_eq!(fs::read_to_string(kept.backup).unwrap(), before);
        assert_eq!(shop.copies(), MOST);
    }
    let texts =
        fs::read_dir(&folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    assert_eq!(
        texts.filter(|text| text != "from the future").count(),
        3,
        "those that we know to be newer stay"
    );
}

#[test]
fn a_save_that_fails_leaves_no_copy() {
    let shop = Shop::new();
    shop.replace("first").unwrap();
    let calls = inject(99, DiskFault::Killed, || shop.replace("new").unwrap()).1;
    let renames: Vec<u64> =
        (0..).zip(&calls).filter(|(_, call)| **call == Call::Rename).map(|(at, _)| at).collect();
    let copies = shop.copies();
    let failed = inject(*renames.last().unwrap(), DiskFault::Once(EIO), || shop.replace("newer")).0;
    assert!(failed.is_err());
    assert_eq!((fs::read_to_string(shop.csv()).unwrap().as_str(), shop.copies()), ("new", copies));
}

#[test]
fn nor_does_one_that_the_disk_fails_anywhere() {
    let shop = Shop::new();
    shop.replace("first").unwrap();
    for at in 0.. {
        let copies = shop.copies();
        let (replaced, calls) = inject(at, DiskFault::Once(EIO), || shop.replace(&format!("text {at}")));
        if calls.len() as u64 <= at {
            break;
        }
        if replaced.is_err() && calls.get(at as usize) != Some(&Call::Remove) {
            assert_eq!(shop.copies(), copies, "{:?} at {at}", calls[at as usize]);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_private_file_has_private_copies() {
    use std::os::unix::fs::PermissionsExt as _;
    let shop = Shop::new();
    fs::set_permissions(shop.csv(), fs::Permissions::from_mode(0o600)).unwrap();
    let kept = shop.replace("new").unwrap().unwrap();
    for file in [kept.backup, shop.csv()] {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[cfg(unix)]
#[test]
fn other_names_of_the_file_are_spoken_of() {
    let shop = Shop::new();
    let other = shop.0.path().join("other.csv");
    fs::hard_link(shop.csv(), &other).unwrap();
    let notices = shop.replace("new").unwrap().unwrap().notices;
    assert!(notices[0].contains("has another name on this disk (a hard link)"), "{notices:?}");
    assert_eq!(fs::read_to_string(other).unwrap(), "old");
}

#[test]
fn only_names_of_our_form_are_copies() {
    assert!([" 2025-11-20 14-02-11", " 2025-11-20 14-02-11 (2)"].map(is_date).iter().all(|is| *is));
    let others = [
        "2025-11-20 14-02-11",
        " 2025-11-20 14-02-11 old",
        " 2 my copy of last week",
        " 2025-11-20 14-02-11 ()x",
    ];
    assert_eq!(others.map(is_date), [false; 4]);
}
