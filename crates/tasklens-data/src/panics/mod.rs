//! Handling of internal errors (panics), with crash reports.
//!
//! A decoder may panic on a malformed file: [`catch`] turns that into an error of the file, and prints nothing. At
//! the edge of a thread, [`guard`] turns a panic into an error and writes a report. An uncaught panic is printed as
//! usual, with a report that the next start mentions.

mod report;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::path::{Path, PathBuf};
use std::sync::{Once, OnceLock};

pub use report::take_unread;

use crate::user_folders;

/// The folder for reports; none are written unless requested, as in tests.
static REPORTS: OnceLock<Reports> = OnceLock::new();

/// How reports are written.
struct Reports {
    folder: PathBuf,
    last_lines: fn() -> Vec<String>,
}

/// How a panic of this thread is handled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Uncaught,
    Caught,
    Guarded,
}

/// Information from the hook about a panic that is not printed.
#[derive(Default)]
struct Learnt {
    place: Option<String>,
    report: Option<PathBuf>,
}

thread_local! {
    static FATE: Cell<Fate> = const { Cell::new(Fate::Uncaught) };
    static LEARNT: RefCell<Option<Learnt>> = const { RefCell::new(None) };
}

/// The folder of crash reports, if the user has a home folder.
pub fn folder() -> PathBuf {
    user_folders::data().join("reports")
}

/// From now on, writes a report into `folder` for every panic that is not [caught](catch). `last_lines` returns those
/// of the log, and must not block.
pub fn write_reports(folder: &Path, last_lines: fn() -> Vec<String>) {
    // The first call counts.
    let _ = REPORTS.set(Reports { folder: folder.to_path_buf(), last_lines });
    install();
}

/// Runs `work`, treating a panic as an error of its input. Its state must tolerate being left half-changed.
///
/// # Errors
/// It panicked: the message and location of the panic.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    run(Fate::Caught, work)
}

/// Runs `work`, treating a panic as an internal error. Its state must tolerate being left half-changed.
///
/// # Errors
/// It panicked: the message and location of the panic, and the path of the report.
pub fn guard<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    run(Fate::Guarded, work).inspect_err(|message| log::error!("internal error in a thread: {message}"))
}

fn run<T>(fate: Fate, work: impl FnOnce() -> T) -> Result<T, String> {
    install();
    let result = {
        let _inside = Inside::enter(fate);
        LEARNT.take();
        catch_unwind(AssertUnwindSafe(work))
    };
    result.map_err(|payload| {
        let Learnt { place, report } = LEARNT.take().unwrap_or_default();
        let place = place.map(|place| format!(" at {place}")).unwrap_or_default();
        let report = report.map(|path| format!("; the report is {}", path.display())).unwrap_or_default();
        format!("{}{place}{report}", message(&*payload))
    })
}

/// The message of a panic.
pub fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("an unknown error")
}

/// While it lives, panics of this thread are handled differently.
struct Inside(Fate);

impl Inside {
    fn enter(fate: Fate) -> Self {
        Self(FATE.replace(fate))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        FATE.set(self.0);
    }
}

/// Installs a hook before the one that prints, once.
fn install() {
    static ONCE: Once = Once::new();
    // A panicking thread must not change the hook.
    if std::thread::panicking() {
        return;
    }
    ONCE.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |info| {
            // A thread that is ending has no `FATE` any more, and catches nothing.
            let fate = FATE.try_with(Cell::get).unwrap_or(Fate::Uncaught);
            let write = || report::write(REPORTS.get()?, info, fate == Fate::Guarded);
            match fate {
                Fate::Caught => LEARNT.set(Some(Learnt { place: place(info), report: None })),
                Fate::Guarded => LEARNT.set(Some(Learnt { place: place(info), report: write() })),
                Fate::Uncaught => {
                    print(info);
                    if let Some(path) = write() {
                        // A panic of this hook would end the program.
                        let path = path.display();
                        let _ =
                            writeln!(io::stderr(), "tasklens had an internal error; the report is {path}");
                    }
                }
            }
        }));
    });
}

/// A location such as `image.rs:12`, without the folders of the build machine.
fn place(info: &PanicHookInfo<'_>) -> Option<String> {
    let location = info.location()?;
    let file = location.file().rsplit(['/', '\\']).next()?;
    Some(format!("{file}:{}", location.line()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_panic_becomes_its_message_and_place() {
        assert_eq!(catch(|| 7), Ok(7));
        let said = catch(|| panic!("index {}", 7)).unwrap_err();
        assert!(said.starts_with("index 7 at mod.rs:"), "{said}");
        assert_eq!(catch(|| std::panic::resume_unwind(Box::new(3_u8))).unwrap_err(), "an unknown error");
        let nested: Result<(), String> = catch(|| {
            assert!(catch(|| panic!("inner")).unwrap_err().starts_with("inner"));
            panic!("outer")
        });
        assert!(nested.unwrap_err().starts_with("outer at mod.rs:"));
    }

    /// Not a test of its own: the process that the next one starts.
    #[test]
    fn caught_and_uncaught() {
        if std::env::var_os("TASKLENS_TEST_PANICS").is_some() {
            write_reports(Path::new(&std::env::var_os("TASKLENS_TEST_REPORTS").unwrap()), Vec::new);
            catch(|| panic!("caught alone")).unwrap_err();
            let told = guard(|| panic!("at the edge")).unwrap_err();
            assert!(
                told.starts_with("at the edge at mod.rs:") && told.contains("; the report is "),
                "{told}"
            );
            std::thread::spawn(|| panic!("of another thread")).join().unwrap_err();
            panic!("after the catch");
        }
    }

    #[test]
    fn only_what_is_not_caught_is_printed_and_only_what_is_ours_reported() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "panics::tests::caught_and_uncaught", "--nocapture"]);
        child.env("TASKLENS_TEST_PANICS", "1").env("TASKLENS_TEST_REPORTS", folder.path());
        let output = child.output().unwrap();
        let printed = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success());
        assert!(!printed.contains("caught alone") && !printed.contains("at the edge"), "{printed}");
        assert!(printed.contains("of another thread") && printed.contains("after the catch"), "{printed}");
        assert!(printed.contains("tasklens had an internal error; the report is "), "{printed}");
        // What was told at once is not told again.
        let unread = take_unread(folder.path());
        assert_eq!(unread.len(), 2, "{unread:?}");
        let all: Vec<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        for message in ["of another thread", "after the catch", "at the edge"] {
            let report = all.iter().find(|text| text.contains(&format!("message    {message}\n"))).unwrap();
            assert!(report.contains("panics/mod.rs:") && report.contains("caught_and_uncaught"));
            assert!(
                report.starts_with(&format!("Tasklens {} had an internal error", env!("CARGO_PKG_VERSION")))
            );
        }
        assert_eq!(all.len(), 3);
    }
}
