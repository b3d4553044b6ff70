//! Crash reports: what a developer needs, in a file that the user can read first.

use std::backtrace::Backtrace;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use time::OffsetDateTime;
use time::macros::format_description;

use super::Reports;

/// Suffix of a report that has not been shown yet.
const UNREAD: &str = ".unread.txt";
/// Number of reports to keep.
const KEPT: usize = 20;
/// Number of reports of this process.
static WRITTEN: AtomicUsize = AtomicUsize::new(0);

/// Writes a report into `folder`. `None` if it cannot be written; there is nobody to tell.
pub(super) fn write(reports: &Reports, info: &PanicHookInfo<'_>, is_told: bool) -> Option<PathBuf> {
    let now = OffsetDateTime::now_utc();
    let text = text(info, now, &(reports.last_lines)());
    let folder = &reports.folder;
    fs::create_dir_all(folder).ok()?;
    let time = now.format(format_description!("[year]-[month]-[day]T[hour]-[minute]-[second]Z")).ok()?;
    let end = if is_told { ".txt" } else { UNREAD };
    // Threads may fail together, and process ids are reused.
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let path = folder.join(format!("crash-{time}-{}-{number}{end}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).ok()?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).ok()?;
    Some(path)
}

fn text(info: &PanicHookInfo<'_>, now: OffsetDateTime, last_lines: &[String]) -> String {
    let thread = std::thread::current();
    let message = super::message(info.payload());
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let mut text = format!(
        "Tasklens {} met a fault of its own.\n\nmessage    {message}\nplace      {place}\nthread     {}\ntime       {now}\n\
         system     {} {}\narguments  {:?}\n\nThe last lines of the log:\n\n",
        env!("CARGO_PKG_VERSION"),
        thread.name().unwrap_or("without a name"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        std::env::args_os().collect::<Vec<_>>(),
    );
    for line in last_lines {
        let _ = writeln!(text, "{line}");
    }
    let _ = write!(text, "\nBacktrace:\n\n{}", Backtrace::force_capture());
    text
}

/// The reports in `folder` that have not been shown yet, oldest first. They are then marked as shown.
pub fn take_unread(folder: &Path) -> Vec<PathBuf> {
    let mut reports = of_folder(folder);
    let unread = reports.extract_if(.., |path| name(path).is_some_and(|name| name.ends_with(UNREAD)));
    // Of two programs that start together, one wins the rename.
    let told = unread.filter_map(|path| {
        let new = path.with_file_name(format!("{}.txt", name(&path)?.strip_suffix(UNREAD)?));
        fs::rename(&path, &new).is_ok().then_some(new)
    });
    let told = told.collect();
    for old in reports.iter().rev().skip(KEPT) {
        let _ = fs::remove_file(old);
    }
    told
}

/// All reports, oldest first.
fn of_folder(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_report = |path: &PathBuf| {
        name(path).is_some_and(|name| name.starts_with("crash-") && name.ends_with(".txt")) && path.is_file()
    };
    let mut reports: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_report).collect();
    reports.sort();
    reports
}

fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unread_report_is_told_once_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        assert!(take_unread(&folder.path().join("none")).is_empty());
        for number in 10..40 {
            fs::write(folder.path().join(format!("crash-20{number}.txt")), "").unwrap();
        }
        for name in ["crash-2040.unread.txt", "notes.txt", "crash-2041.log"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(take_unread(folder.path()), [folder.path().join("crash-2040.txt")]);
        assert!(take_unread(folder.path()).is_empty());
        let left = of_folder(folder.path());
        assert_eq!(left.len(), KEPT);
        assert!(
            left.last().unwrap().ends_with("crash-2040.txt") && left[0].ends_with("crash-2021.txt"),
            "{left:?}"
        );
        assert!(folder.path().join("notes.txt").is_file());
    }
}
