//! The log: where it goes, and that it stands in nobody's way.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::{err, out};

/// `doctor` with a data folder of its own.
fn tasklens(data: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tasklens"))
        .args(arguments)
        .arg("doctor")
        .env("XDG_DATA_HOME", data)
        .env_remove("RUST_LOG")
        .envs(variables.iter().copied())
        .output()
        .expect("the program starts")
}

/// All logs, the names in order.
fn logs(data: &Path) -> Vec<(String, String)> {
    let files = fs::read_dir(data.join("tasklens/logs")).expect("a folder of logs");
    let mut logs: Vec<_> = files
        .map(|file| file.expect("an entry").path())
        .filter(|path| path.extension() == Some(OsStr::new("log")))
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("text")))
        .collect();
    logs.sort();
    logs
}

#[test]
fn what_is_logged_is_in_a_file_and_warnings_are_on_standard_error_too() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let usual = tasklens(data.path(), &[], &[]);
    assert_eq!(err(&usual), "");
    let refused = tasklens(data.path(), &[], &[("RUST_LOG", "tasklens=loud")]);
    assert!(err(&refused).starts_with("warning: RUST_LOG is invalid ("), "{}", err(&refused));
    assert_eq!(out(&refused).lines().count(), out(&usual).lines().count());
    let logs = logs(data.path());
    let [(_, text)] = &logs[..] else { panic!("one file: {logs:?}") };
    // Whether there is an engine for predictions depends on the computer.
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains("::engine")).collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[0].contains(" INFO tasklens::logging: Tasklens 0.1.0 starts: [") && lines[0].contains("doctor")
    );
    assert!(lines[2].contains(" WARN tasklens::logging: RUST_LOG is invalid ("), "{text}");
}

#[test]
fn verbose_and_the_variable_show_more() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let verbose = tasklens(data.path(), &["--verbose"], &[]);
    assert!(err(&verbose).starts_with("note: Tasklens 0.1.0 starts: ["), "{}", err(&verbose));
    let asked = tasklens(data.path(), &[], &[("RUST_LOG", "tasklens=info")]);
    assert!(err(&asked).starts_with("note: Tasklens 0.1.0 starts: ["), "{}", err(&asked));
    let off = tasklens(data.path(), &["--verbose"], &[("RUST_LOG", "off")]);
    assert_eq!(err(&off), "");
    assert_eq!(out(&off).lines().count(), out(&verbose).lines().count());
}

#[test]
fn a_folder_that_cannot_be_written_stands_in_nobodys_way() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("no folder");
    fs::write(&file, "").expect("written");
    let output = tasklens(&file, &[], &[]);
    assert_eq!(err(&output), "");
    assert!(out(&output).contains("ok "), "{}", out(&output));
    let refused = tasklens(&file, &["--verbose"], &[]);
    assert!(err(&refused).contains("note: there is no log file in "), "{}", err(&refused));
}

#[test]
fn a_log_that_has_grown_is_begun_anew_and_the_oldest_goes() {
    let data = tempfile::tempdir().expect("a temporary folder");
    for _ in 0..4 {
        tasklens(data.path(), &[], &[]);
        let (current, _) =
            logs(data.path()).into_iter().find(|(name, _)| name.contains("CURRENT")).expect("a log");
        fs::write(current, "old\n".repeat((1 << 18) + 1)).expect("written");
    }
    tasklens(data.path(), &[], &[]);
    let logs = logs(data.path());
    let sizes: Vec<usize> = logs.iter().map(|(_, text)| text.len()).collect();
    assert_eq!(logs.len(), 2, "{sizes:?}");
    assert!(logs.iter().any(|(_, text)| text.contains("starts: [") && text.len() < 4096), "{sizes:?}");
}

#[test]
fn the_next_start_tells_once_where_the_report_of_a_fault_is() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let reports = data.path().join("tasklens/reports");
    fs::create_dir_all(&reports).expect("a folder");
    fs::write(reports.join("crash-2026-11-28T10-00-00Z-7-0.unread.txt"), "a fault").expect("written");
    let told = tasklens(data.path(), &[], &[]);
    let path = reports.join("crash-2026-11-28T10-00-00Z-7-0.txt");
    let expected = format!(
        "warning: Tasklens stopped with an internal error in its last run; the report is {}\n",
        path.display()
    );
    assert_eq!(err(&told), expected);
    assert_eq!(fs::read_to_string(path).expect("it is there"), "a fault");
    assert_eq!(err(&tasklens(data.path(), &[], &[])), "");
}
