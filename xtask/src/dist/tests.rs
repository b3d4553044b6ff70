//! Packing tiny stand-ins for what is packed.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::stage::{Content, Item};
use super::tools::output_of;
use super::{Packages, archive, contents, debian, licences, seconds, stage, tools};
use crate::libtorch::Libtorch;
use crate::platform::Platform;

/// A folder that is removed with this value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self::within(&std::env::temp_dir(), name)
    }

    fn within(folder: &Path, name: &str) -> Self {
        let folder = folder.join(format!("tasklens-xtask-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// To come: what only keeps times from being later than this would hide one that was not set.
fn then() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000)
}

/// Where a tool is missing, the test passes, and `cargo xtask test` tells it.
fn can_pack() -> bool {
    let missing = ["tar", "zstd", "dpkg-deb"].iter().find(|tool| !tools::has(tool));
    if let Some(tool) = missing
        && let Some(list) = std::env::var_os("TASKLENS_SKIPPED")
    {
        let mut list = fs::File::options().create(true).append(true).open(list).unwrap();
        writeln!(list, "{tool} is not installed").unwrap();
    }
    missing.is_none()
}

/// Files as they come from a cache: with a time and mode of their own.
fn source(folder: &Path, age: u64, mode: u32) -> Vec<Item> {
    fs::create_dir_all(folder).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        fs::File::open(&path).unwrap().set_modified(then() - Duration::from_secs(age)).unwrap();
        path
    };
    vec![
        Item::new("usr/lib/tasklens/tasklens", Content::Program(file("program", "program"))),
        Item::new("usr/lib/tasklens/lib/libx.so", Content::Copy(file("libx.so", "library"))),
        Item::new("usr/lib/tasklens/lib/libb.so", Content::Copy(file("libb.so", "another"))),
        Item::new("usr/lib/tasklens/lib/liba.so", Content::Copy(file("liba.so", "a third"))),
        Item::new("usr/bin/tasklens", Content::Link("../lib/tasklens/tasklens".to_owned())),
        Item::new("usr/share/doc/tasklens/copyright", Content::Text("text\n".to_owned())),
    ]
}

/// The bytes of both packages, made in `folder`.
fn pack(folder: &Path, items: &[Item]) -> (Vec<u8>, Vec<u8>) {
    let root = folder.join("root");
    stage::write(&root, items, then()).unwrap();
    // Whoever makes packages need not be root. Who is not cannot give a file away either.
    let _ = std::os::unix::fs::chown(root.join("usr/share/doc/tasklens/copyright"), Some(1234), Some(1234));
    let mut packages = Packages::of(Platform::LinuxX86, false).unwrap();
    packages.archive = folder.join("a.tar.zst");
    packages.deb = folder.join("a.deb");
    archive::pack(&root, &packages.archive, then()).unwrap();
    let package = debian::Package { packages: &packages, depends: "libc6 (>= 2.35)" };
    debian::pack(&root, &package, then()).unwrap();
    (fs::read(&packages.archive).unwrap(), fs::read(&packages.deb).unwrap())
}

#[test]
fn the_same_files_give_the_same_bytes_whenever_and_wherever_they_are_packed() {
    if !can_pack() {
        return;
    }
    // Two file systems, which list files in different orders.
    let memory = Path::new("/dev/shm");
    let scratch = Scratch::new("same-bytes");
    let other =
        if memory.is_dir() { Scratch::within(memory, "same-bytes") } else { Scratch::new("other-bytes") };
    let (one, two) = (scratch.0.join("one"), other.0.join("two"));
    let first = pack(&one, &source(&one.join("from"), 5, 0o600));
    std::thread::sleep(Duration::from_millis(1100));
    let mut items = source(&two.join("from"), 5000, 0o755);
    items.reverse();
    let second = pack(&two, &items);
    assert!(first.0 == second.0, "the archives differ");
    assert!(first.1 == second.1, "the Debian packages differ");

    fs::write(two.join("from/libx.so"), "Library").unwrap();
    drop(fs::remove_dir_all(two.join("root")));
    let other = pack(&two, &items);
    assert!(first.0 != other.0 && first.1 != other.1, "other content gives other bytes");
}

#[test]
fn packed_files_are_roots_have_the_time_of_the_source_and_can_be_run_where_they_are_to_be() {
    if !can_pack() {
        return;
    }
    let scratch = Scratch::new("packed");
    pack(&scratch.0, &source(&scratch.0.join("from"), 5, 0o600));
    let list = |program: &str, arguments: &[&str], file: &str| {
        let mut command = std::process::Command::new(program);
        command.args(arguments).arg(scratch.0.join(file)).env("TZ", "UTC");
        output_of(&mut command).unwrap()
    };
    for listed in [
        list("tar", &["--zstd", "--numeric-owner", "--full-time", "-tvf"], "a.tar.zst"),
        list("dpkg-deb", &["--contents"], "a.deb"),
    ] {
        let line = |end: &str| listed.lines().find(|line| line.ends_with(end)).unwrap().to_owned();
        assert!(line("/usr/lib/tasklens/tasklens").starts_with("-rwxr-xr-x"), "{listed}");
        assert!(line("/libx.so").starts_with("-rw-r--r--"), "{listed}");
        assert!(line("usr/lib/").starts_with("drwxr-xr-x"), "{listed}");
        assert!(line("tasklens -> ../lib/tasklens/tasklens").starts_with('l'), "{listed}");
        let dated = listed.lines().filter(|line| line.contains("2096-10-02 07:06")).count();
        let owned = listed.lines().filter(|line| line.contains("0/0") || line.contains("root/root")).count();
        assert_eq!((dated, owned), (listed.lines().count(), listed.lines().count()), "{listed}");
    }
    let control = list("dpkg-deb", &["--field"], "a.deb");
    assert!(control.contains(&format!("Version: {}\n", super::VERSION)), "{control}");
    assert!(control.contains("Depends: libc6 (>= 2.35)\n"), "{control}");
}

#[test]
fn two_files_in_one_place_are_an_error_and_not_the_later_one() {
    let scratch = Scratch::new("twice");
    let text = |text: &str| Item::new("a/b", Content::Text(text.to_owned()));
    let error = stage::write(&scratch.0.join("root"), &[text("1"), text("2")], then()).unwrap_err();
    assert!(error.to_string().contains("two files for a/b"), "{error}");
}

#[test]
fn the_time_is_told_in_seconds() {
    assert_eq!(seconds(then()).unwrap(), 4_000_000_000);
    assert!(seconds(SystemTime::UNIX_EPOCH - Duration::from_secs(1)).is_err());
}

#[test]
fn every_licence_that_the_overview_points_to_is_packed() {
    let scratch = Scratch::new("licences");
    fs::create_dir_all(scratch.0.join("licenses")).unwrap();
    fs::write(scratch.0.join("licenses/LICENSE"), "text").unwrap();
    let libtorch = Libtorch { root: scratch.0.clone(), given: true };
    // The one without OpenVINO, which may not be there.
    let packages = Packages::of(Platform::LinuxArm, false).unwrap();
    let papers = contents::papers(&libtorch, &packages, "").unwrap();
    let overview = licences::overview(&packages).unwrap();
    let places: Vec<&str> =
        overview.split("See ").skip(1).map(|rest| rest.split('.').next().unwrap()).collect();
    assert!(
        places.contains(&"libgomp/") && places.contains(&"libjpeg-turbo/") && places.contains(&"fonts/"),
        "{places:?}"
    );
    for place in places {
        let place = format!("licences/{place}");
        assert!(papers.iter().any(|paper| paper.to.starts_with(&place)), "{place} is not packed");
    }
    let text = |name: &str| {
        let paper = papers.iter().find(|paper| paper.to == format!("licences/libgomp/{name}")).unwrap();
        let Content::Copy(file) = &paper.content else { panic!("{name} is no file") };
        fs::read_to_string(file).unwrap()
    };
    assert!(text("COPYING3").contains("GNU GENERAL PUBLIC LICENSE\n                       Version 3"));
    assert!(text("COPYING.RUNTIME").starts_with("GCC RUNTIME LIBRARY EXCEPTION"));
}
