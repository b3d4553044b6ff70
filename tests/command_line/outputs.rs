//! What is printed or written arrives where the user said, or the program says that it did not.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{err, out, sample, tasklens};

/// The program with standard output given to something.
fn with_stdout(folder: &Path, arguments: &[&str], stdout: Stdio) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasklens"));
    command.current_dir(folder).env("TASKLENS_OFFLINE", "1").args(arguments).stdout(stdout);
    let child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
    let output = child.wait_with_output().expect("the program ends");
    (output.status.code(), err(&output))
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_told_and_a_reader_that_has_gone_is_not() {
    let (folder, config) = sample();
    let config = config.to_str().expect("UTF-8");
    for arguments in [&["check", config][..], &["label-stats", config, "--json"], &["--help"]] {
        let full = File::options().write(true).open("/dev/full").expect("Linux has it");
        let (code, said) = with_stdout(folder.path(), arguments, full.into());
        assert_eq!(code, Some(1), "{arguments:?}: {said}");
        assert!(said.contains("cannot write to standard output: No space left"), "{arguments:?}: {said}");

        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let (code, said) = with_stdout(folder.path(), arguments, writer.into());
        assert_eq!((code, said.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

/// A link to the program's own standard output, as `/dev/stdout` is one.
#[cfg(target_os = "linux")]
fn stdout_link(folder: &Path) -> PathBuf {
    let link = folder.join("stdout");
    std::os::unix::fs::symlink("/proc/self/fd/1", &link).expect("a link");
    link
}

#[cfg(target_os = "linux")]
#[test]
fn an_export_goes_into_standard_output_and_pipes_and_nothing_else_does() {
    let (folder, config) = sample();
    let folder = folder.path();
    let config = config.to_str().expect("UTF-8");
    let csv = std::fs::read_to_string(folder.join("s/garments.csv")).expect("a CSV");
    let link = stdout_link(folder);
    for name in ["-", "stdout"] {
        let written = tasklens(folder, &["export", config, "--csv", name]);
        assert_eq!(out(&written), csv, "{name}: {}", err(&written));
        assert!(err(&written).contains("was written to standard output"), "{}", err(&written));
    }
    assert!(link.is_symlink() && !folder.join("-").exists());
    let lines = tasklens(folder, &["export", config, "--jsonl", "-"]);
    assert_eq!(out(&lines).lines().count(), 40);
    let first = out(&lines).lines().next().map(str::to_owned).unwrap_or_default();
    assert!(first.starts_with(r#"{"image":"s/garments/00001.jpg""#), "{first}");

    // What is in the file already stays, as with any program that prints.
    std::fs::write(folder.join("log.csv"), "before\n").expect("written");
    let log = File::options().append(true).open(folder.join("log.csv")).expect("a file");
    let (code, said) = with_stdout(folder, &["export", config, "--csv", "stdout"], log.into());
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(std::fs::read_to_string(folder.join("log.csv")).expect("a file"), format!("before\n{csv}"));

    let pipe = folder.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("it runs").success());
    let reader = std::thread::spawn(move || std::fs::read_to_string(pipe).expect("text"));
    let written = tasklens(folder, &["export", config, "--csv", "pipe"]);
    assert!(written.status.success(), "{}", err(&written));
    assert_eq!(reader.join().expect("a reader"), csv);

    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    let (code, said) = with_stdout(folder, &["export", config, "--csv", "-"], full.into());
    assert_eq!(code, Some(1));
    assert!(said.contains("No space left"), "{said}");
}
