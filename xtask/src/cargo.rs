//! cargo, started with what the build needs in its environment.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::libtorch::Libtorch;
use crate::setup::workspace;

/// Builds for speed and becomes `tasklens`.
pub fn run(libtorch: &Libtorch, args: &[String]) -> Result<()> {
    let mut cargo = cargo(libtorch);
    cargo.args(["run", "--release", "--package", "tasklens", "--bin", "tasklens", "--"]);
    if args.is_empty() {
        cargo.arg("open").arg(workspace()?.join("config.yml"));
    } else {
        cargo.args(args);
    }
    become_it(cargo)
}

/// Builds the program for speed, and returns where it is.
pub fn release(libtorch: &Libtorch) -> Result<PathBuf> {
    let mut cargo = cargo(libtorch);
    cargo.args(["build", "--release", "--locked", "--package", "tasklens", "--bin", "tasklens"]);
    succeed(cargo.current_dir(workspace()?))?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    Ok(workspace()?.join(target).join("release").join("tasklens"))
}

/// Runs every test, shows what cargo says, and ends with one line for all test programs together.
pub fn test(libtorch: &Libtorch, args: &[String]) -> Result<()> {
    let mut cargo = cargo(libtorch);
    cargo.args(["test", "--workspace"]).args(args).current_dir(workspace()?).stdout(Stdio::piped());
    draw_in_software(&mut cargo);
    // What cannot be checked here passes, and is told at the end.
    let skipped = env::temp_dir().join(format!("tasklens-skipped-{}", std::process::id()));
    cargo.env("TASKLENS_SKIPPED", &skipped);
    let mut child = cargo.spawn().context("cannot start cargo")?;
    let mut sum = TestSum::default();
    let mut out = std::io::stdout().lock();
    for line in BufReader::new(child.stdout.take().context("no pipe from cargo")?).lines() {
        let line = line.context("cannot read what the tests say")?;
        writeln!(out, "{line}")?;
        sum.add(&line);
    }
    let status = child.wait()?;
    let list = fs::read_to_string(&skipped).unwrap_or_default();
    let _ = fs::remove_file(&skipped);
    writeln!(out, "\n{}{}", skipped_lines(&list), sum.line(status.success()))?;
    if status.success() { Ok(()) } else { bail!("the tests failed") }
}

/// Runs the benchmarks.
pub fn bench(libtorch: &Libtorch, args: &[String]) -> Result<()> {
    let mut cargo = cargo(libtorch);
    cargo.arg("bench").args(args);
    become_it(cargo)
}

/// Measures beside the peer that `python` runs; `parts` of it, or all.
pub fn peer(libtorch: &Libtorch, python: &Path, parts: &[String]) -> Result<()> {
    let mut cargo = cargo(libtorch);
    cargo.args(["bench", "--package", "tasklens", "--bench", "peer", "--"]).args(parts);
    // As the program sets it for itself; it is for one program that computes, and not for many.
    cargo.env_remove("OMP_WAIT_POLICY").env("GOMP_SPINCOUNT", "10000");
    cargo.env("TASKLENS_PEER_PYTHON", python).current_dir(workspace()?);
    become_it(cargo)
}

/// Draws the screenshots of the README: those of the sample, and with the config of a project those of photographs.
pub fn shots(libtorch: &Libtorch, project: Option<&str>) -> Result<()> {
    let folder = workspace()?.join("assets").join("screenshots");
    let mut cargo = cargo(libtorch);
    cargo.args([
        "test",
        "--package",
        "tasklens",
        "--test",
        "window",
        "--",
        "--ignored",
        "--test-threads=1",
        "readme_shots",
    ]);
    cargo.env("TASKLENS_SHOTS", &folder).current_dir(workspace()?);
    if let Some(config) = project {
        cargo.env("TASKLENS_SHOTS_PROJECT", std::path::absolute(config)?);
    }
    draw_in_software(&mut cargo);
    succeed(&mut cargo)?;
    println!("Screenshots: {}", folder.display());
    Ok(())
}

/// Checks formatting and lints, warnings included.
pub fn check(libtorch: &Libtorch) -> Result<()> {
    succeed(cargo(libtorch).args(["fmt", "--all", "--check"]))?;
    succeed(cargo(libtorch).args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
}

/// A cargo that sees the same environment as one that the user starts: with another `LIBTORCH` it
/// would build everything anew.
fn cargo(libtorch: &Libtorch) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    if libtorch.given {
        cargo.env("LIBTORCH", &libtorch.root);
    } else {
        cargo.env_remove("LIBTORCH");
    }
    if env::var_os("OMP_WAIT_POLICY").is_none() {
        // Many tests train at once: threads that spin while they wait would starve each other.
        cargo.env("OMP_WAIT_POLICY", "passive");
    }
    if cfg!(windows) {
        // Windows has no rpath: libraries are looked for along PATH.
        let old = env::var_os("PATH").unwrap_or_default();
        let lib = std::iter::once(libtorch.root.join("lib"));
        if let Ok(path) = env::join_paths(lib.chain(env::split_paths(&old))) {
            cargo.env("PATH", path);
        }
    }
    cargo
}

/// Pictures of tests are drawn by Mesa's software drivers where these are installed, so that a machine
/// with a GPU makes the same pictures as one without.
fn draw_in_software(cargo: &mut Command) {
    let Ok(folder) = Path::new("/usr/share/vulkan/icd.d").read_dir() else { return };
    let lavapipe = folder
        .filter_map(|item| Some(item.ok()?.path()))
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lvp_icd")));
    if let Some(driver) = lavapipe {
        cargo.env("VK_DRIVER_FILES", &driver).env("VK_ICD_FILENAMES", &driver);
        cargo.env("LIBGL_ALWAYS_SOFTWARE", "1");
    }
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if status.success() { Ok(()) } else { bail!("{command:?} failed") }
}

/// Replaces this process, so that signals reach the program and its exit code reaches the caller.
#[cfg(unix)]
fn become_it(mut command: Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {command:?}"))
}

/// Windows cannot replace a process; the exit code is handed on.
#[cfg(not(unix))]
fn become_it(mut command: Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    std::process::exit(status.code().unwrap_or(1));
}

/// What was skipped, a line for each reason, from the lines that the tests wrote.
fn skipped_lines(list: &str) -> String {
    let mut counts = BTreeMap::<&str, usize>::new();
    for reason in list.lines() {
        *counts.entry(reason).or_default() += 1;
    }
    let lines = counts.iter().map(|(reason, count)| format!("skipped ({count}): {reason}\n"));
    lines.collect()
}

/// The closing lines of all test programs, added up.
#[derive(Debug, Default, PartialEq, Eq)]
struct TestSum {
    programs: usize,
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl TestSum {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
    fn add(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("test result: ") else { return };
        self.programs += 1;
        let rest = rest.trim_start_matches("ok. ").trim_start_matches("FAILED. ");
        for part in rest.split("; ") {
            match part.split_once(' ') {
                Some((n, "passed")) => self.passed += n.parse().unwrap_or(0),
                Some((n, "failed")) => self.failed += n.parse().unwrap_or(0),
                Some((n, "ignored")) => self.ignored += n.parse().unwrap_or(0),
                _ => {}
            }
        }
    }

    fn line(&self, ok: bool) -> String {
        let Self { programs, passed, failed, ignored } = self;
        let result = if ok { "ok" } else { "FAILED" };
        format!(
            "all tests: {result}. {passed} passed; {failed} failed; {ignored} ignored; {programs} programs"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_skipped_is_told_once_with_its_count() {
        assert_eq!(skipped_lines(""), "");
        let list = "no screen\nno photographs\nno screen\n";
        assert_eq!(skipped_lines(list), "skipped (1): no photographs\nskipped (2): no screen\n");
    }

    #[test]
    fn the_closing_line_adds_up_all_test_programs() {
        let mut sum = TestSum::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 12 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
        ] {
            sum.add(line);
        }
        assert_eq!(sum.line(false), "all tests: FAILED. 15 passed; 2 failed; 1 ignored; 2 programs");
    }
}
