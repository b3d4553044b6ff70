//! What OpenMP finds in the environment when the program starts, and that all else arrives as it was given.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::{err, out};

fn tasklens() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasklens"));
    command.env_remove("OMP_WAIT_POLICY").env_remove("GOMP_SPINCOUNT");
    command
}

/// The spin count that OpenMP itself says it goes by; the last one, of the program that stays.
fn spins(command: &mut Command) -> Option<u64> {
    let told = command.env("OMP_DISPLAY_ENV", "verbose").output().expect("the program starts");
    assert!(told.status.success(), "{}", err(&told));
    let told = err(&told);
    let line = told.lines().rfind(|line| line.contains("GOMP_SPINCOUNT"))?.to_owned();
    line.split('\'').nth(1)?.parse().ok()
}

#[test]
fn idle_threads_spin_briefly_unless_the_user_says_otherwise() {
    assert_eq!(spins(tasklens().arg("--version")), Some(10_000));
    for (name, value, expected) in [
        ("OMP_WAIT_POLICY", "passive", 0),
        ("OMP_WAIT_POLICY", "active", 30_000_000_000),
        ("GOMP_SPINCOUNT", "77", 77),
    ] {
        assert_eq!(spins(tasklens().arg("--version").env(name, value)), Some(expected), "{name}={value}");
    }
}

#[test]
fn what_the_program_was_started_with_is_kept_when_it_starts_itself_again() {
    let wrong =
        tasklens().arg0("lens").args(["check", "--no-such-flag"]).output().expect("the program starts");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(err(&wrong).contains("Usage: lens check"), "{}", err(&wrong));

    // A name that is not UTF-8 arrives as it is.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let name = OsString::from_vec(b"caf\xe9".to_vec());
    let mut sample = tasklens();
    sample.current_dir(&folder).arg("sample").arg(&name).args(["--images", "20"]);
    let made = sample.output().expect("the program starts");
    assert!(
        made.status.success() && folder.path().join(&name).join("config.yml").is_file(),
        "{}",
        err(&made)
    );
}

/// The dynamic loader, started with the program as its argument, is what the system calls the running program.
#[test]
fn a_program_that_cannot_start_itself_again_goes_on_as_it_is() {
    let Some(loader) = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"]
        .into_iter()
        .find(|loader| std::path::Path::new(loader).exists())
    else {
        return;
    };
    let mut command = Command::new(loader);
    command.arg(env!("CARGO_BIN_EXE_tasklens")).env_remove("OMP_WAIT_POLICY").env_remove("GOMP_SPINCOUNT");
    let told = command.arg("--version").output().expect("the loader starts");
    assert!(out(&told).starts_with("tasklens "), "{}{}", out(&told), err(&told));
}
